"""What was handed over to a provider's Batch API, as the database knows it."""

from __future__ import annotations
