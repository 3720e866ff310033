"""Language models: the edge to their services, prompts, and answers read and kept."""
