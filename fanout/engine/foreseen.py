"""What a run would take, as its page says it before Run and as the run keeps it afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fanout import pricing
from fanout.engine.endpoints import EndpointBook
from fanout.insight.estimate import Estimate, estimate
from fanout.types import ModelRef, Price
from fanout.workflows.definition import Workflow
from fanout.workflows.run import combining_call, combining_calls, plan

if TYPE_CHECKING:
    from fanout.store.store import Store


def foreseen(
    workflow: Workflow,
    topic: str,
    resolve: Callable[[str], ModelRef],
    book: EndpointBook,
    store: Store | None,
) -> Estimate:
    """InputError if the topic can't be run. `store` knows how long earlier answers were."""

    def price_of(model: ModelRef) -> Price | None:
        endpoint = book.known(model.endpoint)
        return None if endpoint is None else pricing.price(endpoint, model.model)

    return estimate(
        plan(workflow, topic, resolve),
        combining_call(workflow, topic, resolve),
        price_of,
        combining_calls=combining_calls(workflow),
        lengths_of=None if store is None else store.estimates.lengths_of(workflow.name),
    )
