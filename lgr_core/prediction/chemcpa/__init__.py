"""chemCPA, re-implemented: needs torch (the extra `chemcpa`)."""
