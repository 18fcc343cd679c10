"""Vectors beside passages: nearest first, per model, in step with the library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fanout.retrieval.library import Library

WAYS = {"east": [2.0, 0.0], "north": [0.0, 5.0], "north east": [1.0, 1.0]}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path / "library.db")
    for name in WAYS:
        made.add(f"{name}.txt", f"The way to the {name}.".encode())
    made.put_vectors(
        "m", {p.id: WAYS[p.title.removesuffix(".txt")] for p in made.missing_vectors("m")}
    )
    yield made
    made.close()


def titles(library: Library, vector: list[float], **options) -> list[str]:
    hits = library.search_vector("m", vector, **options)
    return [hit.passage.title.removesuffix(".txt") for hit in hits]


def test_the_nearest_direction_comes_first_whatever_its_length(library: Library) -> None:
    assert titles(library, [9.0, 1.0]) == ["east", "north east", "north"]
    best = library.search_vector("m", [0.0, 0.1], limit=1)[0]
    assert (best.rank, best.source) == (1, "vectors")
    assert best.score == pytest.approx(1.0)


def test_passages_without_a_vector_are_told_per_model(library: Library) -> None:
    assert library.missing_vectors("m") == ()
    assert len(library.missing_vectors("other")) == 3
    assert len(library.missing_vectors("other", limit=2)) == 2
    library.add("south.txt", b"The way to the south.")
    assert [p.title for p in library.missing_vectors("m")] == ["south.txt"]


def test_a_search_sees_what_changed_since_the_last(library: Library) -> None:
    assert titles(library, [1.0, 0.0])[0] == "east"
    east = library.documents()[0].id
    library.remove(east)
    assert titles(library, [1.0, 0.0]) == ["north east", "north"]
    library.restore(east)
    assert titles(library, [1.0, 0.0])[0] == "east"
    library.put_vectors("m", {f"{east}-1": [-1.0, 0.0]})
    assert titles(library, [1.0, 0.0])[-1] == "east"


def test_vectors_are_there_after_a_restart(library: Library, tmp_path: Path) -> None:
    other = Library(tmp_path / "library.db")
    assert titles(other, [0.0, 1.0]) == titles(library, [0.0, 1.0])
    other.close()


def test_a_search_can_be_kept_to_some_documents(library: Library) -> None:
    north = library.documents()[1].id
    assert titles(library, [1.0, 0.0], documents=[north]) == ["north"]
    assert titles(library, [1.0, 0.0], documents=[]) == []


def test_vectors_of_another_length_or_model_do_not_mix(library: Library) -> None:
    assert library.search_vector("m", [1.0, 0.0, 0.0]) == ()
    assert library.search_vector("unknown", [1.0, 0.0]) == ()
    east = library.documents()[0].id
    library.put_vectors("m", {f"{east}-1": [1.0, 2.0, 3.0]})
    assert titles(library, [1.0, 0.0]) == ["north east", "north"]
    assert titles(library, [1.0, 2.0, 3.0]) == ["east"]


def test_a_vector_for_a_passage_that_is_gone_is_left_out(library: Library) -> None:
    library.put_vectors("m", {"gone-1": [1.0, 0.0]})
    assert len(titles(library, [1.0, 0.0])) == 3


@pytest.mark.parametrize("vector", [[], [0.0, 0.0], [float("nan"), 1.0], [[1.0]], [float("inf")]])
def test_a_vector_without_a_direction_is_refused(library: Library, vector: list[float]) -> None:
    with pytest.raises(ValueError, match="finite numbers"):
        library.search_vector("m", vector)


def test_the_ranking_is_numpys_own(tmp_path: Path) -> None:
    made = Library(tmp_path / "library.db")
    made.add("a.txt", b" ".join(b"word%d" % n for n in range(6000)))
    vectors = np.random.default_rng(7).normal(size=(made.documents()[0].passages, 16))
    ids = [passage.id for passage in made.missing_vectors("m")]
    made.put_vectors("m", dict(zip(ids, vectors, strict=True)))
    asked = vectors[5] + 0.1
    cosines = vectors @ asked / np.linalg.norm(vectors, axis=1)
    expected = [ids[i] for i in np.argsort(-cosines)[:10]]
    assert [hit.passage.id for hit in made.search_vector("m", asked)] == expected
    made.close()
