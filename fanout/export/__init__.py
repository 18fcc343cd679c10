"""A run to hand over: one-file report, documents, tables, data and code."""
