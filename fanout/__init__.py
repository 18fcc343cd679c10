"""One topic, several LLM branches at once, one combined answer."""

__version__ = "0.1.0"
