"""What a run is made with, put together when it starts, and the workflow read back from it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from platform import python_version

from fanout import __version__
from fanout.engine.endpoints import EndpointBook
from fanout.errors import DefinitionError
from fanout.snapshot import Snapshot
from fanout.types import EndpointFact, Forecast, MadeWith, ModelRef, RowPlace, RunId
from fanout.workflows.definition import Sectioning, Workflow
from fanout.workflows.parsing import parse
from fanout.workflows.specs import BranchSpec


def made_with(
    workflow: Workflow,
    model: ModelRef,
    asked: Iterable[ModelRef],
    book: EndpointBook,
    *,
    sequential: bool,
    derived_from: RunId | None,
    estimate: Forecast | None = None,
    row: RowPlace | None = None,
) -> MadeWith:
    """Everything that tells later how this run came about. Never a key, nor a whole address."""
    facts = {}
    for ref in (model, *asked):
        if ref.endpoint in book:
            endpoint = book.get(ref.endpoint)
            facts[ref.endpoint] = EndpointFact(
                name=endpoint.name, host=endpoint.host, on_this_machine=endpoint.on_this_machine
            )
    return MadeWith(
        model=model,
        definition=workflow.model_dump(mode="json"),
        endpoints=facts,
        versions=_versions(),
        sequential=sequential,
        derived_from=derived_from,
        estimate=estimate,
        row=row,
    )


def workflow_of(snapshot: Snapshot) -> Workflow:
    """The workflow of a run of earlier, as it was run then.

    DefinitionError where this version of Fanout can't make sense of it.
    """
    if snapshot.made_with is None or not snapshot.made_with.definition:
        raise DefinitionError(f"{snapshot.workflow}: the run does not say how it was made")
    return parse(snapshot.made_with.definition, name=snapshot.workflow)


def stand_in(snapshot: Snapshot) -> Workflow:
    """A workflow of the same branches, for runs whose own one can't be used any more."""
    return Sectioning(
        name="from-an-earlier-run",
        title=snapshot.title[:80] or "An earlier run",
        branches=tuple(
            BranchSpec(id=f"branch-{i}", title=f"Branch {i}", prompt="{topic}")
            for i, _ in enumerate(snapshot.branches, 1)
        ),
    )


@cache
def _versions() -> dict[str, str]:
    found = {"fanout": __version__, "python": python_version()}
    for package in ("openai", "streamlit"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
