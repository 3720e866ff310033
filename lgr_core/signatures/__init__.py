"""Signatures: gene lists, search for drugs that match them, mechanisms of the hits."""
