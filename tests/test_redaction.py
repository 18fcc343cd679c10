"""Secrets are struck out of logs, tracebacks and answers, wherever they are cut."""

from __future__ import annotations

import base64
import json
import logging
import subprocess
import sys
from io import StringIO
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout import redaction
from fanout.endpoint import Secret
from fanout.providers.answer import Answer
from fanout.providers.base import TextPiece
from fanout.providers.problems import Asked
from fanout.redaction import GONE, Withheld, clean

KEY = "sk-abab/abc+Zm9vYmFyYmF6cXV4"
WORDS = st.sampled_from([KEY, KEY[:-1], KEY[:9], KEY[1:], "s", "sk-", "ab", "parrots ", " ", "é"])


def test_every_secret_that_is_made_is_struck_out() -> None:
    Secret("a-secret-of-this-test")
    assert clean("GET /?key=a-secret-of-this-test HTTP") == f"GET /?key={GONE} HTTP"
    Secret("postgresql://fanout:p%40ssw0rd-of-test@db/runs")
    assert (
        clean("password p%40ssw0rd-of-test, or p@ssw0rd-of-test") == f"password {GONE}, or {GONE}"
    )


def test_a_word_is_not_a_secret() -> None:
    Secret("ollama")
    assert clean("ollama answers") == "ollama answers"


@pytest.mark.parametrize("before", ["", "x", "ab", ":", "user:"])
@pytest.mark.parametrize("after", ["", "z", "\n"])
def test_a_secret_in_base64_is_known_wherever_it_begins(before: str, after: str) -> None:
    Secret(KEY)
    coded = base64.b64encode(f"{before}{KEY}{after}".encode()).decode()
    shown = clean(f"Basic {coded} it was")
    assert GONE in shown
    left = shown.replace(GONE, " ").split()
    assert all(len(part) <= 8 for part in left)


def test_a_secret_that_was_percent_encoded_is_known() -> None:
    Secret(KEY)
    assert clean(f"?k={quote(KEY, safe='')}&l={quote(KEY)}") == f"?k={GONE}&l={GONE}"


@given(st.lists(WORDS, max_size=12), st.lists(st.integers(0, 400), max_size=20))
def test_a_text_in_pieces_loses_the_secret_and_nothing_else(
    words: list[str], cuts: list[int]
) -> None:
    text = "".join(words)
    ends = sorted(cut % (len(text) + 1) for cut in cuts)
    withheld, said = Withheld(KEY), ""
    for begin, end in zip([0, *ends], [*ends, len(text)], strict=True):
        said += withheld.feed(text[begin:end])
        assert KEY not in said
    said += withheld.rest()
    whole = text.replace(KEY, GONE)
    # What ends like the larger part of the secret is struck out as well.
    assert said == whole or (said.endswith(GONE) and whole.startswith(said.removesuffix(GONE)))
    assert KEY not in said


def test_only_what_may_become_the_secret_waits() -> None:
    withheld = Withheld(KEY)
    assert withheld.feed("Two parrots") == "Two parrot"
    assert withheld.feed(" sing.") == "s sing."
    assert withheld.feed(" sk-abab") == " "
    assert withheld.feed("by") == "sk-ababby"
    assert withheld.rest() == ""


def test_without_a_key_nothing_waits() -> None:
    assert Withheld("").feed("parrots") == "parrots"
    assert Withheld("none").feed("none") == "none"


def chunk(text: str, finish: str | None = None) -> bytes:
    choice = {"delta": {"content": text}, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def test_an_answer_never_holds_the_key_it_was_asked_with() -> None:
    Secret(KEY)
    answer = Answer(Asked(endpoint="Acme AI", model="m", key=KEY))
    pieces = [answer.feed(chunk(character)) for character in f"My key is {KEY}, parrots"]
    pieces += [answer.feed(chunk("", f"stop {KEY}")), answer.flush(), answer.released()]
    came = [piece for piece in pieces if piece is not None]
    assert "".join(piece.text for piece in came) == f"My key is {GONE}, parrots"
    assert sum(piece.pieces for piece in came) == len(f"My key is {KEY}, parrots")
    assert KEY not in answer.done().finish_reason
    assert came[-1] == TextPiece(text="s", pieces=1)


def test_another_persons_key_takes_nothing_out_of_an_answer() -> None:
    """Whoever types a word as their key would otherwise take it from everybody, and find others'
    keys by what is missing."""
    Secret("content_filter")
    answer = Answer(Asked(endpoint="Acme AI", model="m", key=KEY))
    answer.feed(chunk("Parrots.", "content_filter"))
    assert answer.finish_reason == "content_filter"


def test_a_long_key_is_struck_out_before_a_reason_is_cut() -> None:
    key = "sk-" + "longer-than-a-reason" * 3
    answer = Answer(Asked(endpoint="Acme AI", model="m", key=key))
    answer.feed(chunk("Parrots.", f"stop {key}"))
    assert answer.finish_reason == f"stop {GONE}"


LOUD = """
import logging, threading
from fanout import redaction
from fanout.endpoint import Secret
redaction.install(); redaction.install()
key = Secret("sk-loud-0123456789").reveal()
logging.basicConfig(level="DEBUG")
log = logging.getLogger("some.library")
log.debug("sent %s to %s", key, "a.example")
log.info({"authorization": f"Bearer {key}"})
log.info("100%% of %(key)s", {"key": key})
try:
    raise ValueError(f"no {key} here")
except ValueError:
    log.exception("failed")
log.error("not %d", "one")
one = threading.Thread(target=lambda: 1 / 0 if key == "" else (_ for _ in ()).throw(OSError(key)))
one.start(); one.join()
raise RuntimeError(f"the end of {key}")
"""


def test_a_process_says_no_secret_in_logs_threads_and_at_its_end() -> None:
    done = subprocess.run([sys.executable, "-c", LOUD], capture_output=True, text=True, timeout=60)
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "sk-loud" not in said
    for line in ("sent *** to a.example", "Bearer ***", "100% of ***", "ValueError: no *** here"):
        assert line in said
    assert "OSError: ***" in said
    assert said.rstrip().endswith("RuntimeError: the end of ***")


def test_a_log_line_without_a_secret_is_left_as_it_is() -> None:
    redaction.install()
    out = StringIO()
    logger = logging.getLogger("fanout.tests.redaction")
    handler = logging.StreamHandler(out)
    logger.addHandler(handler)
    try:
        logger.warning("%s of %d", "one", 2)
    finally:
        logger.removeHandler(handler)
    assert out.getvalue() == "one of 2\n"


def test_a_child_that_needs_no_key_gets_none() -> None:
    given = {
        "OPENAI_API_KEY": "sk-1",
        "HF_TOKEN": "hf",
        "FANOUT_DATABASE_URL": "postgresql://u:password@h/db",
        "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
        "PATH": "/bin",
    }
    assert redaction.without_secrets(given).keys() == {"OPENAI_BASE_URL", "PATH"}
