"""Methods that predict deltas, from LGR to linear models and chemCPA."""
