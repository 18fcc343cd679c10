"""The final answer in free text: every mark, the last one wins, and nothing is guessed."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.voting.final_answer import final_answer

BACKSLASH = "\\"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("6 * 7 = 42\nFinal answer: 42", "42"),
        ("**Final Answer:** 3.5 km", "3.5 km"),
        ("**Final answer: 42**", "42"),
        ("**Answer**: 42", "42"),
        ("__Answer:__ yes", "yes"),
        ("The answer is 42.", "42"),
        ("So the answer is **42**. I checked it twice.", "42"),
        ("The answer is 42, because 6 * 7 is.", "42"),
        ("The final answer is: 12", "12"),
        ("The answer is 3.5 km. That is far.", "3.5 km"),
        ("The answer is Dr. Watson.", "Dr. Watson"),
        ("The answer would be 9", "9"),
        ("Answer = 9", "9"),
        ("Answer:\n\n  18 eggs", "18 eggs"),
        ("### Final Answer\n\n42", "42"),
        ("**Answer**\n7", "7"),
        ("She sells 9 eggs.\n#### 18", "18"),
        ("#### 1,080", "1,080"),
        (r"Thus $\boxed{42}$.", "42"),
        (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        (r"Final answer: \boxed{\text{(B)}}", r"\text{(B)}"),
        ("Final answer: $5$", "5"),
        ("Final answer: $5", "$5"),
        ('{"reasoning": "the answer is 4", "answer": 1.50}', "1.50"),
        ('```json\n{"answer": true}\n```', "true"),
        ('Here: {"final_answer": "Paris"} Done', "Paris"),
        (r'{"answer": "\\boxed{5}"}', "5"),
        ("Answer: The answer is 7", "7"),
        ("I thought.\n42", "42"),
        ("It takes:\n90 min", "90 min"),
        ("So:\n\n**(B)**\n", "(B)"),
        ("Hm.\nYes.", "Yes"),
        ("Born on\n5 March 2024", "5 March 2024"),
    ],
)
def test_a_marked_answer_or_a_bare_last_line_is_found(text: str, answer: str) -> None:
    assert final_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Answer: 5. Wait.\nAnswer: 6", "6"),
        ("#### 5\nActually the answer is 6.", "6"),
        (r"\boxed{5} is wrong. Final answer: 6", "6"),
        ('Answer: 5\n{"answer": "6"}', "6"),
        ('{"answer": "5"}\nAnswer: 6', "6"),
        ("Answer: 42\nI am sure that the answer is correct.", "42"),
        ("#### 42\n#### How I got there", "42"),
        ("Answer: 42\n7", "42"),
    ],
)
def test_the_last_mark_wins(text: str, answer: str) -> None:
    assert final_answer(text) == answer


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n ",
        "I think it is five.",
        "There are 5 ways and 6 means",
        "Answer: 5\nFinal answer:",
        "Answer: 5\n" + BACKSLASH + "boxed{6",
        '{"answer": null}',
        '{"answer": ["a", "b"]}',
        '{"verdict": "yes"}',
        '{"answer": "cut o',
        "#### Conclusion\nIt depends.",
        "It could be\n5 or 6",
        "1. First\n2. Second thing",
        "I can't say what the answer is.",
    ],
)
def test_nothing_is_guessed(text: str) -> None:
    assert final_answer(text) is None


@given(st.text())
def test_any_text_has_an_answer_or_none(text: str) -> None:
    answer = final_answer(text)
    assert answer is None or answer.strip()


@given(before=st.text("abc 123.\n"), number=st.integers())
def test_an_answer_on_its_own_last_line_is_found_behind_any_words(before: str, number: int) -> None:
    assert final_answer(f"{before}\nFinal answer: {number}") == str(number)


@pytest.mark.parametrize(
    "text",
    [
        "{" * 100_000,
        '{"a":' * 20_000,
        "[" * 100_000 + "{",
        BACKSLASH + "boxed{" * 15_000,
        "answer " * 15_000,
        "answer is " * 10_000,
        "####" * 25_000,
        "#### 1\n" * 15_000,
        "\n" * 100_000,
        " " * 100_000,
        "answer:" + " " * 100_000,
        "*" * 100_000,
    ],
    ids=lambda text: f"{text[:8]!r}-{len(text)}",
)
def test_long_texts_take_no_time(text: str) -> None:
    began = time.process_time()
    final_answer(text)
    assert time.process_time() - began < 2
