"""Many queries at once: read from a list, predicted, and exported."""
