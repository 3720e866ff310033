"""The page of many queries at once."""
