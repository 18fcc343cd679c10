"""Who opens the way for branches that begin alike, begun together with them."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from anyio.abc import TaskGroup

from fanout.errors import ProviderError
from fanout.kernel.chat import chat_request
from fanout.kernel.means import Means, most_tokens
from fanout.kernel.opening import Way
from fanout.kernel.prefix import openings
from fanout.policies import HoldReason
from fanout.providers.base import Primer
from fanout.types import BranchPlan

log = logging.getLogger(__name__)


def opening(means: Means, plans: Sequence[BranchPlan], group: TaskGroup) -> Sequence[Way]:
    """Let one branch of each group that begins alike go ahead, or have its server prepare it.

    What the server does is begun in `group`; the branches find their wait in `means.openings`.
    """
    if len(plans) < 2:
        return ()
    calls = means.calls
    endpoints = {plan.model.endpoint for plan in plans}
    found = openings(
        plans,
        means.policies.prefix,
        {endpoint: calls.endpoint_policy(endpoint) for endpoint in endpoints},
        [endpoint for endpoint in endpoints if calls.primer(endpoint) is not None],
        calls.prefixes,
    )
    ways = [Way(means.recorder, one) for one in found]
    means.openings.put(ways)
    for way in ways:
        if way.opening.how == "prime" and (primer := calls.primer(way.opening.model.endpoint)):
            alike = [plan for plan in plans if plan.id in way.opening.branches]
            group.start_soon(_prime, means, primer, way, alike)
    return ways


def learn(means: Means, ways: Sequence[Way]) -> None:
    """Remember whether those who waited were answered from a cache."""
    for way in ways:
        if way.opened:
            followers = [means.recorder.snapshot.branch(each) for each in way.opening.followers]
            usages = [branch.usage for branch in followers if branch.state.succeeded]
            means.calls.prefixes.learn(way.opening, usages)


async def _prime(means: Means, primer: Primer, way: Way, plans: Sequence[BranchPlan]) -> None:
    model = way.opening.model

    def held(reason: HoldReason, wait_s: float | None) -> None:
        """The branches themselves say that they wait for this."""

    try:
        with way.preparing:
            gate = means.calls.gate(model.endpoint)
            async with gate.admit(
                run=means.recorder.snapshot.run_id,
                model=model.model,
                tokens=most_tokens(plans[0]),
                held=held,
            ):
                ladder = means.calls.ladder
                requests = [
                    chat_request(p, model, ladder.rung(model) if p.form else None, p.max_tokens)
                    for p in plans
                ]
                primed = await primer.prime(requests)
                if primed is not None:
                    way.open(primed.tokens, primed.took_s)
    except ProviderError:
        # The branches will meet the same, and say so.
        pass
    except Exception:
        # The branches can do without it, and none of them is to end for it.
        log.exception("a common beginning was not prepared")
    finally:
        way.give_up()
