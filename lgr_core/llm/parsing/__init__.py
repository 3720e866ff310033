"""Answers of language models, read as ranked proposals."""
