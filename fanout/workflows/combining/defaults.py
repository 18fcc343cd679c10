"""What each way of combining asks for where nobody said otherwise."""

from __future__ import annotations

from fanout.workflows.specs import AggregateKind, AggregateSpec

_RESULT = "[{title}]\n{text}\n[End of {title}]"

TITLES: dict[AggregateKind, str] = {
    "synthesis": "Synthesis",
    "guided": "Guided synthesis",
    "table": "Comparison",
    "best": "Best answer",
    "vote": "Vote",
    "scores": "Scores",
    "ranking": "Ranking",
    "cited": "Answer",
    "fused": "Passages",
    "concatenation": "All answers",
}

PROMPTS: dict[AggregateKind, str] = {
    "synthesis": "{results}\n\nThese are several answers about: {topic}\n"
    "Write one answer that keeps what matters in each and says where they differ. "
    "Add nothing that isn't there.",
    "guided": "{results}\n\nThese are several answers about: {topic}\n"
    "Write one answer that covers exactly these points:\n{points}\n"
    "Use only what the answers say.",
    "table": "{results}\n\nThese are several answers about: {topic}\n"
    "Compare them by {points}: a few words for each text, then which is stronger.",
    "best": "Which text is the best answer to the following?\n{topic}\n\n{results}\n\n"
    "Rank them from best to worst.",
    "cited": "{results}\n\nQuestion: {topic}\n"
    "Answer from these passages only. After each sentence name its passages by number, "
    "such as [1] or [2][3]. If they don't hold the answer, say so.",
}
"""Kinds that aren't here ask no model."""


def prompt_of(spec: AggregateSpec) -> str:
    """Its own prompt, or its kind's where it has none of its own."""
    return spec.prompt if spec.prompt.strip() != "{results}" else PROMPTS[spec.kind]


def default_spec(kind: AggregateKind, like: AggregateSpec | None = None) -> AggregateSpec:
    """A complete definition of that kind; model and limits as in `like`."""
    if like is not None and like.kind == kind:
        return like
    base = like or AggregateSpec()
    return AggregateSpec(
        kind=kind,
        title=TITLES[kind],
        prompt=PROMPTS.get(kind, "{results}"),
        result="## {title}\n\n{text}" if kind == "concatenation" else _RESULT,
        model=base.model,
        temperature=base.temperature,
        max_tokens=base.max_tokens,
    )
