"""Signatures: reading gene lists, searching measured changes for them, and what the hits share."""
