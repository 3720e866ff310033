"""Reasons and their audit: claims read from reasons, checked against annotation and data."""
