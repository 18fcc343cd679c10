"""Equal answers in one form: what counts together, what must stay apart, and any text at all."""

from __future__ import annotations

import time
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanout.voting.normalise import normalised

SAME = {
    "1000": ["1,000", "1e3", "1 000", "1.0×10^3", "10³", "1000.", "one thousand", "$1000$", "10^3"],
    "0.5": [".5", "0.50", "1/2", "50%", "½", "half", "a half", r"\frac{1}{2}", "fifty percent"],
    "1.5": ["1 1/2", "1½", "3/2", "one and a half", "1.50", "150 %", "+1.5"],
    "-5": ["−5", "minus five", "-5.0", "- 5", "**-5**"],
    "25": ["twenty-five", "Twenty five", "25.", "“25”"],
    "1/3": ["2/6", "one third", "a third"],
    "0": ["-0", "zero", "0.00", "0%"],
    "1500000": ["1.5 million", "1,500,000"],
    "5 usd": ["$5", "5 dollars", "USD 5", "US$5", r"\$5", "$5.00", "500 cents"],
    "-5 eur": ["-€5", "€-5", "-5 euros"],
    "1500 m": ["1.5 km", "1,500 metres", "1.5 kilometers", "1.5km", r"1.5\text{ km}"],
    "5400 s": ["90 min", "1.5 h", "1 h 30 min", "1h30min", "1 hour and 30 minutes", "1½ hours"],
    "500 g": ["0.5 kg", "half kg", "500 grams"],
    "2 l": ["2000 ml", "2 litres", "0.002 m³"],
    "10 m/s": ["36 km/h", "36 kilometers per hour"],
    "20 °c": ["20 °C", "20°C", "20 degrees Celsius", "20℃"],
    "3 m^2": ["3 m²", "3 square metres"],
    "5000000 watt": ["5 MW", "5000 kW"],
    "5 apples": ["five apples", "5 Apples.", "5.0 apples"],
    "2024-03-05": [
        "5 March 2024",
        "March 5, 2024",
        "5th of March, 2024",
        "Tuesday, March 5th, 2024",
        "2024/3/5",
        "Mar. 5, 2024",
    ],
    "2024-12-25": ["25/12/2024", "12/25/2024"],
    "b": ["(B)", "B)", "B", "b.", "Option B", "**B**", "[b]"],
    "yes": ["Yes", "yes.", "Yeah!", "*yes*"],
    "no": ["No.", "nope"],
    "true": ["True", "TRUE."],
    "cat": ["The cat", "cat", "“Cat.”", "a cat", "  CAT  ", "`cat`", "# cat"],
    "new york": ["New  York", "new\nyork", "- New York"],
}
APART = [
    ["5", "5 m", "5 min", "5 usd", "5 eur", "5!", "5 pounds", "5%"],
    ["yes", "true", "1", "y"],
    ["no", "false", "0"],
    ["03/05/2024", "2024-03-05", "2024-05-03", "2024-03"],
    ["(1, 2)", "[1, 2]", "1, 2", "12", "1.2"],
    ["12,5", "12.5", "125"],
    ["5 MW", "5 mW"],
    ["C", "C#", "C++"],
    ["1/3", "0.333", "0.33"],
    ["twenty third", "20/3", "23"],
    ["1 month", "30 days"],
    ["103", "10³"],
    ["11/2", "1½"],
    ["1", "a", "the 1st"],
]


@pytest.mark.parametrize(
    ("form", "answer"), [(form, answer) for form, answers in SAME.items() for answer in answers]
)
def test_equal_answers_come_to_one_form(form: str, answer: str) -> None:
    assert normalised(answer) == form


@pytest.mark.parametrize(
    ("one", "other"), [pair for group in APART for pair in combinations(group, 2)]
)
def test_different_answers_stay_apart(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


PIECES = st.sampled_from(
    [
        *(answer for answers in SAME.values() for answer in answers),
        *(answer for group in APART for answer in group),
        *"()[]{}*_`'\"“”.,;:!?#-+/%$€ \t\n\\^²½０",
        "the ",
        "a ",
        "and",
        " hundred ",
        "e9",
        "\\text{",
        "\\frac",
        "ﬁ",
        "ß",
        "İ",
        "\u0345",
        "\ud800",
    ]
)


@settings(max_examples=600, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=6).map("".join)))
def test_a_form_is_its_own_form(answer: str) -> None:
    form = normalised(answer)
    assert normalised(form) == form


@given(st.fractions(min_value=-1000, max_value=1000, max_denominator=1000))
def test_a_fraction_and_its_mixed_form_are_one_answer(value: Fraction) -> None:
    whole, rest = divmod(abs(value.numerator), value.denominator)
    sign = "-" if value < 0 else ""
    mixed = f"{sign}{whole} {rest}/{value.denominator}"
    assert normalised(mixed) == normalised(f"{value.numerator}/{value.denominator}")


@pytest.mark.parametrize(
    "answer",
    [
        "x" * 100_000,
        "(" * 100_000,
        "((" * 50_000 + "5" + "))" * 50_000,
        "**" * 50_000,
        "9" * 100_000,
        "1," * 50_000,
        "1 " * 50_000,
        "the " * 25_000,
        "\\text{" * 15_000,
        "½" * 100_000,
        "²" * 100_000,
        "'\"" * 50_000,
        "1e999999999",
        "1e-999999999",
        "10^999999999",
        "9" * 60 + "e60",
        "1/" + "9" * 60,
        "one hundred " * 8_000,
        "\\text{" * 140 + "}" * 140,
        "1 million " * 99,
        "5 k" * 30,
    ],
    ids=lambda text: f"{text[:8]}-{len(text)}",
)
def test_long_texts_and_huge_numbers_take_no_time(answer: str) -> None:
    began = time.process_time()
    form = normalised(answer)
    assert normalised(form) == form
    assert time.process_time() - began < 2


def test_an_empty_text_and_mere_marks_stay_what_they_are() -> None:
    assert normalised("") == ""
    assert normalised(" \n") == ""
    assert normalised("?!") == "?!"
