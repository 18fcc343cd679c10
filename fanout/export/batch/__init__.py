"""A batch as a file to hand over: its rows as a table, or the whole of it as a report."""
