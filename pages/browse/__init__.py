"""The pages of drugs and of cell lines."""
