"""Predict what a drug does to a cell line by averaging named, measured neighbours."""
