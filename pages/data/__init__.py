"""The page of atlases and uploads."""
