"""Tests of the core, the command line and the pages; what they share lies in ``support``."""
