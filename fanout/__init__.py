"""One topic, several LLM branches at once, one combined answer."""
