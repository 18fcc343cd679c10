"""The same throwaway PostgreSQL that the store's own tests use."""

from __future__ import annotations

from tests.store.conftest import postgres_address, postgres_url

__all__ = ["postgres_address", "postgres_url"]
