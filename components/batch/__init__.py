"""Batches on screen: one workflow on many topics, prepared, watched, and its results."""

from components.batch.page import batch_page
from components.batch.place import row_place

__all__ = ["batch_page", "row_place"]
