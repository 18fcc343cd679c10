"""The command line: the same runs as in the browser, for terminals and scripts."""
