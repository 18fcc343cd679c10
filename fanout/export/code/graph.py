"""A run as a LangGraph program: a node for each branch, and one that combines."""

from __future__ import annotations

from fanout.export.code.combining import material
from fanout.export.code.introduction import introduction
from fanout.export.code.literals import TAB
from fanout.export.code.parts import assembled, part
from fanout.export.code.reading import recipe
from fanout.export.code.script import calls, ending, unanswered
from fanout.snapshot import Snapshot
from fanout.store.values import StoredRun

_AGGREGATE = f"""\
{TAB}graph.add_node("aggregate", aggregate)
{TAB}graph.add_edge(list(BRANCHES), "aggregate")
{TAB}graph.add_edge("aggregate", END)"""


def langgraph_program(run: StoredRun | Snapshot) -> str:
    """Source of a LangGraph program that asks and combines as the run did, and can be run.

    It asks through the openai package and needs langgraph beside it; its exit status is Fanout's.
    """
    made = recipe(run)
    combines = made.aggregate is not None
    judges = made.aggregate is not None and made.aggregate.kind == "best"
    asks = any(one.plan.messages for one in made.branches)
    alone = unanswered(made, 4)
    node = part(
        "aggregate_node", body=alone.replace("return 1", "return {}"), answers=material(made)
    )
    wiring = _AGGREGATE if asks else _AGGREGATE.replace("list(BRANCHES)", "START")
    everything = '[*answers, state["combined"]]' if combines else "answers"
    body = f'{TAB}answers: list[Answer] = state["answers"]'
    graph = part(
        "graph",
        combined=f"{TAB}combined: Answer" if combines else "",
        aggregate=f"\n{node.source}\n" if combines else "",
        wiring=wiring if combines else f"{TAB * 2}graph.add_edge(name, END)",
        body="\n".join(filter(None, [body, alone])),
        all=everything,
    )
    docstring = introduction(made, needs="langgraph openai", graph=True)
    pieces = [
        *calls(made, named=True),
        *([part("fan_out")] if judges else []),
        *ending(made),
        graph,
    ]
    return assembled(docstring, pieces)
