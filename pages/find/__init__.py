"""The page that finds drugs by a signature."""
