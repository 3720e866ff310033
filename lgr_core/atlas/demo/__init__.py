"""The simulated demo atlas: its parameters, its ground truth, its raw counts."""
