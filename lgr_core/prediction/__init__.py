"""From neighbours to a vector."""
