"""Benchmarks: held-out folds, methods, scores, statistics and reports."""
