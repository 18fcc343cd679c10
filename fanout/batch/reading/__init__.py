"""From a file, or what somebody pasted, to a table of texts."""
