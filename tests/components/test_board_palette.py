"""Branch colours can be read, and letters count on past Z."""

from __future__ import annotations

import pytest

from components.palette import AGGREGATE_COLOUR, DARK, LIGHT, branch_colour, letter

CARDS = {False: ("#ffffff", "#fbfaf8"), True: ("#1c1f26", "#14161b")}


def channels(colour: str) -> list[float]:
    return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def luminance(rgb: list[float]) -> float:
    """WCAG 2.2, relative luminance."""
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: list[float], other: list[float]) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def tinted(colour: str, card: str) -> list[float]:
    """As board.css tints the letter's square."""
    pairs = zip(channels(colour), channels(card), strict=True)
    return [0.12 * k + 0.88 * c for k, c in pairs]


@pytest.mark.parametrize("dark", [False, True])
def test_every_colour_can_be_read_on_a_card_and_on_its_own_tint(dark):
    for colour in (*(DARK if dark else LIGHT), AGGREGATE_COLOUR[dark]):
        for card in CARDS[dark]:
            assert contrast(channels(colour), channels(card)) >= 4.5, (colour, card)
        assert contrast(channels(colour), tinted(colour, CARDS[dark][0])) >= 4.5, colour


def test_twelve_branches_have_twelve_colours_and_the_thirteenth_begins_again():
    for dark in (False, True):
        assert len({branch_colour(i, dark=dark) for i in range(12)}) == 12
        assert branch_colour(12, dark=dark) == branch_colour(0, dark=dark)


@pytest.mark.parametrize(
    ("i", "name"),
    [(0, "A"), (25, "Z"), (26, "AA"), (27, "AB"), (51, "AZ"), (52, "BA"), (702, "AAA")],
)
def test_letters_count_on_past_z(i, name):
    assert letter(i) == name
