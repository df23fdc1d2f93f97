"""The pages of restoring."""
