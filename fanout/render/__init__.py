"""What a person reads of a run: words, numbers, sanitised Markdown and frames of the live board."""
