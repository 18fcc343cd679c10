"""Searching for a branch: words always, meaning where there is any, and no harm where it fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from fanout.endpoint import Endpoint
from fanout.engine.endpoints import EndpointBook
from fanout.engine.retriever import MOST_EMBEDDED_AT_ONCE, Retriever
from fanout.errors import ProviderError, SettingsError
from fanout.providers.script import Script
from fanout.providers.scripted import Scripted
from fanout.retrieval.fusion import fuse
from fanout.retrieval.library import Library
from fanout.retrieval.passages import Hit
from fanout.types import EndpointId, FailureKind, ModelRef
from tests.rig import HERE, MODEL
from tests.workflows.documents import TEXTS, filled

QUESTION = "Why was the wind project delayed?"
EMBEDDER = "embedder"


def retriever(
    library: Callable[[], Library], provider: Scripted, embedding_model: str = EMBEDDER
) -> Retriever:
    book = EndpointBook(lambda _endpoint, _key: provider)
    book.put(Endpoint(id=HERE, name="Here", base_url="", embedding_model=embedding_model))
    return Retriever(library, book)


async def search(
    searched: Retriever, *queries: str, limit: int = 8, model: ModelRef = MODEL
) -> tuple[Hit, ...]:
    return await searched.search(queries or (QUESTION,), limit=limit, documents=(), model=model)


async def test_without_an_embedding_model_words_alone_decide(tmp_path: Path) -> None:
    provider = Scripted(Script())
    with filled(tmp_path) as library:
        found = await search(retriever(lambda: library, provider, ""))
        assert found == library.search(QUESTION, 8)
    assert provider.embedded == []
    assert all(hit.source == "bm25" for hit in found)


async def test_several_queries_are_fused_by_rank(tmp_path: Path) -> None:
    queries = ("annual fee", "turbine blades", "red kites")
    with filled(tmp_path) as library:
        found = await search(retriever(lambda: library, Scripted(Script()), ""), *queries)
        expected = fuse({query: library.search(query, 8) for query in queries})
    assert [hit.passage.id for hit in found] == [one.passage.id for one in expected]
    assert [hit.rank for hit in found] == list(range(1, len(found) + 1))


async def test_with_embeddings_passages_without_a_common_word_are_found(tmp_path: Path) -> None:
    provider = Scripted(Script())
    with filled(tmp_path) as library:
        by_words = library.search("zebra", 8)
        found = await search(retriever(lambda: library, provider), "zebra")
    assert by_words == ()
    assert {hit.passage.title for hit in found} == set(TEXTS)
    assert {hit.source for hit in found} == {"vectors"}


async def test_passages_are_embedded_once_and_queries_each_time(tmp_path: Path) -> None:
    provider = Scripted(Script())
    with filled(tmp_path) as library:
        searched = retriever(lambda: library, provider)
        await search(searched)
        await search(searched)
        assert library.missing_vectors(EMBEDDER) == ()
    assert [len(texts) for texts in provider.embedded] == [len(TEXTS), 1, 1]
    assert provider.embedded[1] == (QUESTION,)


async def test_strategies_at_once_embed_the_documents_once(tmp_path: Path) -> None:
    provider = Scripted(Script())
    with filled(tmp_path) as library:
        searched = retriever(lambda: library, provider)
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(search, searched)
    assert sorted(len(texts) for texts in provider.embedded) == [1, 1, 1, 1, len(TEXTS)]


async def test_a_large_library_is_embedded_in_portions(tmp_path: Path) -> None:
    words = "\n\n".join(
        f"# Part {n}\n\n" + " ".join(f"word{n}x{i}" for i in range(120)) for n in range(600)
    )
    provider = Scripted(Script())
    with filled(tmp_path, {"long.md": words}) as library:
        await search(retriever(lambda: library, provider), "word7x7")
        passages = library.documents()[0].passages
    sizes = [len(texts) for texts in provider.embedded]
    assert passages > MOST_EMBEDDED_AT_ONCE >= max(sizes)
    assert sum(sizes) == passages + 1


async def test_embeddings_that_fail_harm_no_search(tmp_path: Path) -> None:
    provider = Scripted(Script(embeddings=False))
    with filled(tmp_path) as library:
        found = await search(retriever(lambda: library, provider))
        expected = library.search(QUESTION, 8)
    assert provider.embedded, "it was tried"
    assert [hit.passage.id for hit in found] == [hit.passage.id for hit in expected]


async def test_an_endpoint_that_is_gone_harms_no_search(tmp_path: Path) -> None:
    gone = ModelRef(endpoint=EndpointId("gone"), model="m")
    with filled(tmp_path) as library:
        found = await search(retriever(lambda: library, Scripted(Script())), model=gone)
        assert found == library.search(QUESTION, 8)


async def test_no_more_is_found_than_was_asked_for(tmp_path: Path) -> None:
    with filled(tmp_path) as library:
        searched = retriever(lambda: library, Scripted(Script()))
        assert len(await search(searched, "wind", "fee", "birds", limit=2)) == 2


async def test_a_library_that_cant_be_opened_is_a_failure_in_words() -> None:
    def locked() -> Library:
        raise SettingsError("FANOUT_HOME can't be written; choose another folder.")

    with pytest.raises(ProviderError) as raised:
        await search(retriever(locked, Scripted(Script())))
    assert "FANOUT_HOME can't be written" in raised.value.failure.message
    assert raised.value.failure.kind is FailureKind.EMPTY


async def test_an_empty_library_is_a_failure_in_words(tmp_path: Path) -> None:
    with filled(tmp_path, {}) as library, pytest.raises(ProviderError) as raised:
        await search(retriever(lambda: library, Scripted(Script())))
    assert "no documents to search in" in raised.value.failure.message
