"""Words for the pages of restore points."""
