"""Pages that ask several questions in a row, with Back and Next."""
