"""What the scripted endpoint of the voting tests answers: votes, scores and rankings."""

from __future__ import annotations

import json

from fanout.providers.script import Reply, Rule, Script


def vote(verdict: str, reason: str, category: str = "none", severity: int = 0) -> str:
    return json.dumps(
        {"reason": reason, "category": category, "severity": severity, "verdict": verdict}
    )


def scores(reason: str, clarity: int, evidence: int, usefulness: int) -> str:
    return json.dumps(
        {"reason": reason, "clarity": clarity, "evidence": evidence, "usefulness": usefulness}
    )


def rank(reason: str, letters: str) -> str:
    return json.dumps({"reason": reason, "ranking": list(letters)})


def says(prompt: str, *texts: str, after_s: float = 0.0) -> Rule:
    return Rule(prompt=prompt, replies=tuple(Reply(text=t, first_token_s=after_s) for t in texts))


THREAT = "It threatens a whole street <img src=x onerror=alert(1)> and asks for violence."

VOTES = Script(
    rules=(
        # Three lines of thought agree at once; the two others would take their time.
        Rule(
            prompt="in a hurry",
            replies=(
                *[Reply(text="Three tickets at 12.\n\nAnswer: 36")] * 3,
                Reply(text="Answer: 99", first_token_s=60),
            ),
        ),
        says("Think step by step.", "3 x 12 = 36.\n\nAnswer: 36"),
        says("Work backwards", "36 / 12 = 3, which fits.\n\n**Answer:** $36.0$"),
        says("a simpler question", "Two pay half.\n\nAnswer: 12"),
        says("Look for the trap", "Per person, not per family.\n\nAnswer: 12"),
        says("First estimate", "Somewhere around thirty, I would say, or a bit more."),
        # The last moderator decides, so that nobody is called off.
        says("Nobody may be threatened", vote("block", THREAT, "violence", 4), after_s=1.5),
        says("No insults", vote("block", "It insults a group of people.", "harassment", 3)),
        says("No spam", vote("allow", "Nobody is asked for money.")),
        says("No private addresses", vote("allow", "It names nobody.")),
        says("reasonable adult", vote("block", "Few would want to read this.", "hate", 2)),
        says(
            "Rank the texts",
            rank("A gives numbers.", "ABC"),
            rank("B comes first, A second.", "BAC"),
            "I like all of them.",
        ),
        says("an experienced editor", scores("Short and clear.", 5, 4, 4)),
        says("an expert on the subject", scores("No source is given.", 4, 1, 3)),
        says("new to the subject", scores("I know more now.", 5, 5, 4)),
    ),
    otherwise=Reply(text="Words, one after the other."),
)
