"""A small library of documents, and engines that search it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from fanout.endpoint import Endpoint
from fanout.engine.endpoints import EndpointBook
from fanout.engine.engine import Engine
from fanout.providers.script import Script
from fanout.providers.scripted import Scripted
from fanout.retrieval.library import Library
from tests.rig import AT_ONCE, HERE, Rig

TEXTS = {
    "wind.md": "# Wind\n\nThe wind project was delayed because the turbine blades arrived four "
    "months late in Hamburg.",
    "fees.md": "# Fees\n\nEvery member of the cooperative pays an annual fee of sixty euros by the "
    "end of January.",
    "birds.md": "# Birds\n\nA survey of breeding storks and red kites took place along the ridge "
    "in spring, so the turbines had to wait.",
}


@contextmanager
def filled(folder: Path, texts: Mapping[str, str] = TEXTS) -> Iterator[Library]:
    library = Library(folder / "library.db")
    for name, text in texts.items():
        library.add(name, text.encode())
    try:
        yield library
    finally:
        library.close()


@contextmanager
def searching(library: Library, script: Script, *, embedding_model: str = "") -> Iterator[Rig]:
    """A rig whose engine searches these documents."""
    provider = Scripted(script)
    book = EndpointBook(lambda _endpoint, _key: provider)
    book.put(Endpoint(id=HERE, name="Here", base_url="", embedding_model=embedding_model))
    with Engine(book, retries=AT_ONCE, library=lambda: library) as engine:
        yield Rig(engine, provider)
