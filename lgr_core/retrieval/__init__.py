"""Which neighbours: pools, selectors, and the one place that believes them."""
