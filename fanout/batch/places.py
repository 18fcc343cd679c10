"""Which servers a batch asks, so that no worker sends its rows to another one of the same id.

An endpoint's id is only a name: the environment's is the same in every process, wherever it leads.
So a batch keeps the address behind each id, and a worker compares before it takes a row. The model
on this machine is the same everywhere, and its port is not: it is known by its id.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from urllib.parse import urlsplit, urlunsplit

from fanout.batches import Batch
from fanout.endpoint import BUNDLED, Endpoint
from fanout.engine.endpoints import EndpointBook
from fanout.errors import DefinitionError
from fanout.settings import ENVIRONMENT, same_place
from fanout.types import EndpointId, ModelRef
from fanout.workflows.definition import Workflow
from fanout.workflows.specs import WRITTEN_BY_A_MODEL, AggregateSpec, BranchSpec

Places = Mapping[EndpointId, str]
"""Endpoint to the address that it leads to, without user, query or key; "" is this machine's."""


def models_named(workflow: Workflow) -> frozenset[str]:
    """Every model that a run of it may ask, as its definition writes it; "" is the run's own."""
    made = [] if workflow.aggregate is None else [_in_turn(workflow, workflow.aggregate)]
    return frozenset(chain.from_iterable((*calls_named(workflow), *made)))


def calls_named(workflow: Workflow) -> Iterator[tuple[str, ...]]:
    """For each call of a run, the models that it asks in turn, as the definition writes them."""
    for branch in workflow.active:
        yield _in_turn(workflow, branch)
    made = workflow.aggregate
    if made is not None and made.kind in WRITTEN_BY_A_MODEL:
        yield _in_turn(workflow, made)


def places_of(workflow: Workflow, model: ModelRef, book: EndpointBook) -> dict[EndpointId, str]:
    """Where a batch of that workflow and model asks; what `NewBatch.places` keeps."""
    asked = {book.resolve(name, model).endpoint for name in models_named(workflow)}
    return {id: _address(book.known(id)) for id in sorted({model.endpoint, *asked})}


def check_places(batch: Batch, names: Collection[str], book: EndpointBook) -> None:
    """DefinitionError where its rows would be asked somewhere else than they were meant to be.

    `names` are the models of its workflow. A batch of before addresses were kept tells only which
    endpoint it asks.
    """
    for id in (batch.model.endpoint, *batch.places):
        if id not in book:
            raise DefinitionError(
                f'The batch "{batch.title}" asks the endpoint "{id}", which this worker doesn\'t '
                f"have. It is left to others; {_way_out(id, batch.places.get(id, ''))} to let "
                "this one take part."
            )
    for id, meant in batch.places.items():
        here = _address(book.known(id))
        if id != BUNDLED and not same_place(here, meant):
            raise DefinitionError(
                f'The batch "{batch.title}" asks {_said(meant, here)} as its endpoint "{id}", '
                f"which leads to {_said(here, meant)} for this worker. It is left to others, so "
                f"that nothing is sent to the wrong place; {_way_out(id, meant)} to let this one "
                "take part."
            )
    for name in names if batch.places else ():
        id = book.resolve(name, batch.model).endpoint
        if id not in batch.places:
            raise DefinitionError(
                f'The batch "{batch.title}" names the model "{name}", which means the endpoint '
                f'"{id}" for this worker and did not where the batch was made. It is left to '
                "others; rename that endpoint to let this one take part."
            )


def _in_turn(workflow: Workflow, spec: BranchSpec | AggregateSpec) -> tuple[str, ...]:
    return (spec.model, *workflow.fallback_of(spec.fallback))


def _address(endpoint: Endpoint | None) -> str:
    """As much of it as tells places apart."""
    if endpoint is None or endpoint.id == BUNDLED:
        return ""
    parts = urlsplit(endpoint.base_url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _said(address: str, beside: str = "") -> str:
    """Its host, and its path where the host alone would not tell it from another."""
    parts = urlsplit(address)
    if parts.netloc == urlsplit(beside).netloc:
        return f"{parts.scheme}://{parts.netloc}{parts.path}"
    return parts.netloc or "nowhere"


def _way_out(id: EndpointId, meant: str) -> str:
    if id != ENVIRONMENT:
        return "give this one the same endpoint under that id"
    at = f" to {_said(meant)}" if meant else ""
    return f"set OPENAI_BASE_URL{at}, with its key,"
