"""Which branches begin alike, and whether what they share is worth computing once, beforehand.

Asked all at once, every branch pays for the common beginning: an endpoint can read from its cache
only what it has finished computing. So one of them opens the way and the others start at its first
token, or the server computes the beginning once and copies it. Decisions only: nothing waits here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, TypeAlias

from fanout.policies import EndpointPolicy, PrefixMode
from fanout.providers.beginnings import shared_length, text_of
from fanout.tokens import estimated_tokens
from fanout.types import BranchId, BranchPlan, EndpointId, ModelRef, Usage

REMOTE_LEAST: Final = 1024
"""Tokens from which "auto" opens at an endpoint. Source: OpenAI, "Prompt caching": prompts of 1,024
tokens and more are cached; Anthropic's and Google's least is the same or more."""
PRIMED_LEAST: Final = 128
"""Tokens from which "auto" has a server compute them once, where the server is on this machine."""
FORCED_LEAST: Final = 16
"""Fewer than that are not worth a request, even where opening is forced on."""
FRUITLESS: Final = 2
"""So many openings in a row after which nothing came from the cache, and "auto" gives up."""

_LONGEST_TOKEN: Final = 4
"""Characters of a token as estimated: a text has at least a fourth as many tokens."""

How: TypeAlias = Literal["prime", "first_branch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Branches that begin alike, and how the others get what is computed once."""

    model: ModelRef
    tokens: int
    """About how many they share."""
    branches: tuple[BranchId, ...]
    """In the order of the plans; at least two."""
    how: How
    """prime: the server is told to, and all start afterwards; first_branch: the first of them goes
    ahead, and the others start at its first token."""

    @property
    def opener(self) -> BranchId | None:
        """The branch that goes ahead; None where the server copies its state."""
        return self.branches[0] if self.how == "first_branch" else None

    @property
    def followers(self) -> tuple[BranchId, ...]:
        """Those that wait for the beginning."""
        return self.branches[1:] if self.how == "first_branch" else self.branches


class PrefixMemory:
    """Where opening the way was seen to bring something; one for all runs of a process."""

    def __init__(self) -> None:
        self._fruitless: Counter[ModelRef] = Counter()

    def worthwhile(self, model: ModelRef) -> bool:
        """Whether "auto" should open there, for all that is known."""
        return self._fruitless[model] < FRUITLESS

    def learn(self, opening: Opening, usages: Iterable[Usage | None]) -> None:
        """Take what the followers that were answered have used; None is one that nobody reported.

        Nothing is learned where none was answered.
        """
        told = list(usages)
        if any(usage is not None and usage.cached for usage in told):
            self._fruitless[opening.model] = 0
        elif told:
            self._fruitless[opening.model] += 1


def openings(
    plans: Sequence[BranchPlan],
    policy: PrefixMode,
    endpoint_policies: Mapping[EndpointId, EndpointPolicy],
    primers: Collection[EndpointId],
    memory: PrefixMemory,
) -> tuple[Opening, ...]:
    """What to open before these plans are asked; no branch is in two of them.

    `primers` are the endpoints that can compute a beginning on their own (`providers.base.Primer`).
    """
    groups: dict[tuple[ModelRef, str], list[BranchPlan]] = defaultdict(list)
    for plan in plans:
        if plan.messages:
            groups[plan.model, _before_messages(plan, primers)].append(plan)
    found: list[Opening] = []
    for (model, _), alike in groups.items():
        how: How = "prime" if model.endpoint in primers else "first_branch"
        mode = endpoint_policies.get(model.endpoint, EndpointPolicy()).prefix or policy
        if mode == "off" or (mode == "auto" and not memory.worthwhile(model)):
            continue
        found += _clusters(alike, model, how, _least(mode, how))
    return tuple(found)


def _before_messages(plan: BranchPlan, primers: Collection[EndpointId]) -> str:
    """What an endpoint puts before the messages: its caches tell answers of different form apart.

    Source: OpenAI, "Prompt caching": the schema serves as a prefix to the system message. On this
    machine a form is a grammar beside the prompt.
    """
    return "" if plan.form is None or plan.model.endpoint in primers else repr(plan.form)


def _least(mode: PrefixMode, how: How) -> int:
    if mode == "on":
        return FORCED_LEAST
    return PRIMED_LEAST if how == "prime" else REMOTE_LEAST


def _clusters(
    plans: Sequence[BranchPlan], model: ModelRef, how: How, least: int
) -> Iterable[Opening]:
    """In alphabetical order, plans that begin alike are neighbours."""
    texts = [text_of(plan.messages) for plan in plans]
    order = sorted(range(len(plans)), key=texts.__getitem__)
    runs: list[tuple[list[int], int]] = []
    """Positions of plans that begin alike, and how many characters they share."""
    open_ended = False
    for before, after in pairwise(order):
        shared = shared_length(texts[before], texts[after])
        if not _has_tokens(texts[before][:shared], least):
            open_ended = False
        elif not open_ended:
            open_ended = True
            runs.append(([before, after], shared))
        else:
            members, so_far = runs.pop()
            runs.append(([*members, after], min(so_far, shared)))
    for members, shared in sorted((sorted(members), shared) for members, shared in runs):
        yield Opening(
            model=model,
            tokens=estimated_tokens(texts[members[0]][:shared]),
            branches=tuple(plans[position].id for position in members),
            how=how,
        )


def _has_tokens(text: str, least: int) -> bool:
    return len(text) >= least * _LONGEST_TOKEN or estimated_tokens(text) >= least
