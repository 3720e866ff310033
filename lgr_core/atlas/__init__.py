"""From counts to stored deltas."""
