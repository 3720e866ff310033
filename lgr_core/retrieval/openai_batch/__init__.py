"""OpenAI Batch files: written, submitted, and their answers taken."""
