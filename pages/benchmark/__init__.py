"""The page Benchmark: runs, the answer in one look, and what stands behind it."""
