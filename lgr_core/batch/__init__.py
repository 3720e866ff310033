"""Many queries at once: read from a list, looked over, predicted line by line."""
