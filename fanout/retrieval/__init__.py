"""A person's documents: read, split into passages, searched, and several rankings fused."""
