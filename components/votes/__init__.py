"""The voting section of a finished run: one module for each thing it draws."""

from components.votes.section import votes

__all__ = ["votes"]
