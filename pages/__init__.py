"""The app's pages. A package, so that no other folder named ``pages`` is mixed with it."""
