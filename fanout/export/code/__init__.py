"""A run as a program of its own: a short Python script, or a LangGraph program."""
