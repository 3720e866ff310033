"""Candidate pools, the evidence guard, selectors and the recorded answers of language models."""
