"""The documents that a research run searches: dropped in, listed, chosen, opened, removed."""

from components.documents.area import documents_area
from components.documents.chosen import load_documents, with_documents

__all__ = ["documents_area", "load_documents", "with_documents"]
