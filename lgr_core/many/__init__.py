"""Many queries at once: read from a list, looked over, predicted one after the other."""
