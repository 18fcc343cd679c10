"""The same run as a LangGraph program with langchain-openai, as its own documentation writes it."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    texts: Annotated[list[str], operator.add]
    answer: str


def peer(
    base_url: str,
    model_name: str,
    prompts: Callable[[int], list[str]],
    joined: Callable[[list[str]], str],
) -> Callable[[int], None]:
    """A function that runs n branches and a combining call once."""
    model = ChatOpenAI(
        model=model_name, base_url=base_url, api_key="none", max_retries=0, streaming=True
    )

    def branch(prompt: str) -> Any:  # noqa: ANN401 - LangGraph's own node type
        async def node(_state: State) -> dict[str, list[str]]:
            return {"texts": [str((await model.ainvoke(prompt)).content)]}

        return node

    async def combine(state: State) -> dict[str, str]:
        return {"answer": str((await model.ainvoke(joined(state["texts"]))).content)}

    loop = asyncio.Runner()

    def run(count: int) -> None:
        builder = StateGraph(State)
        builder.add_node("combine", combine)
        for i, prompt in enumerate(prompts(count)):
            builder.add_node(f"b{i}", branch(prompt))
            builder.add_edge(START, f"b{i}")
            builder.add_edge(f"b{i}", "combine")
        builder.add_edge("combine", END)
        graph = builder.compile()
        loop.run(graph.ainvoke({"texts": [], "answer": ""}))

    return run
