"""The page of what is computed and how to read it."""
