"""What the pages share: caches, pickers, pieces of a page, and the words they use."""
