"""What operators see of the inside: traces, metrics and logs, none of them with any text."""
