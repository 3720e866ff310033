"""The page Predict: an answer, its reasons, and whether it was right."""
