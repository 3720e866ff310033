"""The page Data & methods: atlases, their quality, uploads."""
