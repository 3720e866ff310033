"""Figures of answers, drugs, comparisons and coverage: arrays in, plotly figures out."""
