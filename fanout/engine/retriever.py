"""Searching the user's documents for a branch: by words, and by meaning where vectors are offered.

The endpoint that answers for a branch is asked for vectors if it names an embedding model; without
one, and when it fails to answer, words alone decide, so a search never fails for its embeddings.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import anyio
from anyio.to_thread import run_sync

from fanout.engine.endpoints import EndpointBook
from fanout.errors import FanoutError, ProviderError
from fanout.kernel.calls import Embed
from fanout.providers.base import Embedded
from fanout.retrieval.fusion import fuse
from fanout.retrieval.library import Library
from fanout.retrieval.passages import Hit
from fanout.types import Failure, FailureKind, ModelRef

log = logging.getLogger(__name__)

MOST_EMBEDDED_AT_ONCE = 512
EMBEDDING_S = 30.0


class Retriever:
    """Used on the engine's loop; the database is read on worker threads."""

    def __init__(self, library: Callable[[], Library], endpoints: EndpointBook) -> None:
        """`library` opens the documents on first need."""
        self._library = library
        self._endpoints = endpoints
        self._embedding = anyio.Lock()

    async def search(
        self,
        queries: Sequence[str],
        *,
        limit: int,
        documents: Sequence[str],
        model: ModelRef,
        embed: Embed | None = None,
    ) -> tuple[Hit, ...]:
        """The best passages over all queries, words and vectors fused by rank.

        `embed` asks for vectors within a budget; without it nobody counts.
        """
        library = await self._opened()
        known = {document.id for document in await run_sync(library.documents)}
        if not known:
            raise ProviderError(_no_documents())
        wanted = [one for one in documents if one in known] or None
        if documents and wanted is None:
            raise ProviderError(_gone())
        rankings: dict[str, Sequence[Hit]] = {}
        for number, query in enumerate(queries):
            hits = await run_sync(library.search, query, limit, wanted)
            rankings[f"words {number}"] = hits
        for number, hits in enumerate(
            await self._by_meaning(library, queries, limit, wanted, model, embed or self._embed)
        ):
            rankings[f"vectors {number}"] = hits
        if len(rankings) == 1:
            return tuple(next(iter(rankings.values())))
        return tuple(
            Hit(
                passage=one.passage,
                rank=one.rank,
                score=one.score,
                source="bm25" if any(n.startswith("words") for n in one.found_by) else "vectors",
            )
            for one in fuse(rankings)[:limit]
        )

    async def _opened(self) -> Library:
        try:
            return await run_sync(self._library)
        except FanoutError as error:
            failure = Failure(kind=FailureKind.EMPTY, message=str(error))
            raise ProviderError(failure) from None

    async def _by_meaning(
        self,
        library: Library,
        queries: Sequence[str],
        limit: int,
        documents: Sequence[str] | None,
        model: ModelRef,
        embed: Embed,
    ) -> tuple[tuple[Hit, ...], ...]:
        endpoint = self._endpoints.known(model.endpoint)
        if endpoint is None or not endpoint.embedding_model:
            return ()
        name = endpoint.embedding_model
        embedder = ModelRef(endpoint=endpoint.id, model=name)
        try:
            with anyio.fail_after(EMBEDDING_S):
                async with self._embedding:
                    while missing := await run_sync(
                        library.missing_vectors, name, MOST_EMBEDDED_AT_ONCE
                    ):
                        made = await embed(embedder, [one.text for one in missing])
                        vectors = {
                            one.id: list(vector)
                            for one, vector in zip(missing, made.vectors, strict=True)
                        }
                        await run_sync(library.put_vectors, name, vectors)
                asked = await embed(embedder, list(queries))
        except (ProviderError, TimeoutError) as error:
            log.warning("searching by words only: %s", error)
            return ()
        return tuple(
            [
                await run_sync(library.search_vector, name, vector, limit, documents)
                for vector in asked.vectors
            ]
        )

    async def _embed(self, model: ModelRef, texts: Sequence[str]) -> Embedded:
        return await self._endpoints.provider(model).embed(model.model, texts)


def _no_documents() -> Failure:
    return Failure(
        kind=FailureKind.EMPTY,
        message="There are no documents to search in. Add some, or bring the sample library back.",
    )


def _gone() -> Failure:
    return Failure(
        kind=FailureKind.EMPTY,
        message="The documents that were chosen are not there any more. Choose others.",
    )
