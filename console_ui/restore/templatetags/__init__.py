"""Words for amounts and times in the pages of restore points."""
