"""Secrets that this process knows, struck out of whatever it says: logs, tracebacks, answers.

Whoever holds a key never prints it; this is for those who do it without knowing, such as a library
that logs a URL, or an endpoint that repeats the header it was sent. Every `Secret` is learnt when
it is made. An endpoint that means harm has the key anyway: struck out are the key itself, wherever
it is cut, and its usual disguises (percent-encoding, base64) where they stand in one piece.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from base64 import b64encode
from collections.abc import Mapping
from types import TracebackType
from urllib.parse import quote, unquote, urlsplit

GONE = "***"
SHORTEST = 8
"""Anything shorter is a word: striking it out would spoil texts and hide nothing."""

_NAMES = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD", "_PASSWD", "_PWD")
_lock = threading.Lock()
_known: set[str] = set()
_pattern: re.Pattern[str] | None = None
_installed = False


def learn(secret: str) -> None:
    """Strike this out from now on; of a URL with a password, the password."""
    global _pattern
    forms = {form for each in (secret.strip(), *_passwords(secret)) for form in disguises(each)}
    with _lock:
        if forms <= _known:
            return
        _known.update(forms)
        # Longer ones first: one secret may be the beginning of another.
        ordered = sorted(_known, key=len, reverse=True)
        _pattern = re.compile("|".join(map(re.escape, ordered)))


def learn_all(values: Mapping[str, object]) -> None:
    """What goes by the name of a secret in an environment or in a secrets file, sections too."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            learn_all(value)
        elif isinstance(value, str) and f"_{name}".upper().endswith(_NAMES):
            learn(value)
        elif isinstance(value, str) and "://" in value:
            for password in _passwords(value):
                learn(password)


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment for a child that needs no key: one that reads documents, or runs a model."""
    return {
        name: value
        for name, value in environment.items()
        if not (name.upper().endswith(_NAMES) or _passwords(value))
    }


def clean(text: str) -> str:
    """The text without any secret that this process knows."""
    return _pattern.sub(GONE, text) if _pattern is not None else text


def without(text: str, secret: str) -> str:
    """The text without this one secret: what another person's is must not change what it says."""
    for form in disguises(secret):
        text = text.replace(form, GONE)
    return text


def disguises(secret: str) -> tuple[str, ...]:
    """The forms in which a secret is met, itself first; none of one that is too short to strike."""
    if len(secret) < SHORTEST:
        return ()
    forms = [secret, quote(secret, safe=""), quote(secret)]
    for shift in range(3):
        # In base64 a text looks different by where it begins; what its neighbours reach is cut off.
        coded = b64encode(b"\0" * shift + secret.encode()).decode().rstrip("=")
        begin = (0, 2, 3)[shift]
        end = len(coded) - 1 if (len(secret) + shift) % 3 else len(coded)
        forms += [form for form in [coded[begin:end]] if len(form) >= SHORTEST]
    return tuple(dict.fromkeys(forms))


def _passwords(text: str) -> tuple[str, ...]:
    try:
        parts = urlsplit(text)
        password = parts.password or ""
    except ValueError:
        return ()
    return (password, unquote(password)) if parts.scheme and password else ()


class Withheld:
    """A text that comes in pieces, without a secret, however it is cut.

    An end that may be the beginning of the secret waits for the next piece.
    """

    def __init__(self, secret: str) -> None:
        forms = disguises(secret)
        self._secret = forms[0] if forms else ""
        self._forms = re.compile("|".join(map(re.escape, forms))) if forms else None
        self._held = ""

    def feed(self, text: str) -> str:
        """What can be said by now; may be nothing."""
        if self._forms is None:
            return text
        text = self._forms.sub(GONE, self._held + text)
        kept = len(text) - self._overlap(text)
        self._held = text[kept:]
        return text[:kept]

    def rest(self) -> str:
        """What was held back, now that nothing follows."""
        held, self._held = self._held, ""
        return GONE if 2 * len(held) > len(self._secret) else held

    def _overlap(self, text: str) -> int:
        """How many of the last characters are the secret's first ones."""
        longest = min(len(text), len(self._secret) - 1)
        first = text.find(self._secret[0], len(text) - longest) if longest > 0 else -1
        while first >= 0:
            if self._secret.startswith(text[first:]):
                return len(text) - first
            first = text.find(self._secret[0], first + 1)
        return 0


def install() -> None:
    """Strike secrets out of every log record and every uncaught exception of this process."""
    global _installed
    with _lock:
        if _installed:
            return
        _installed = True
    made = logging.getLogRecordFactory()

    def record(*arguments: object, **named: object) -> logging.LogRecord:
        return _cleaned(made(*arguments, **named))

    logging.setLogRecordFactory(record)
    uncaught, uncaught_in_thread = sys.excepthook, threading.excepthook

    def at_the_end(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if not _told_without_secrets(error):
            uncaught(kind, error, trace)

    def in_thread(arguments: threading.ExceptHookArgs) -> None:
        error = arguments.exc_value
        if error is None or not _told_without_secrets(error):
            uncaught_in_thread(arguments)

    sys.excepthook, threading.excepthook = at_the_end, in_thread


def _told_without_secrets(error: BaseException) -> bool:
    """Tell an exception that nobody caught, if there is a secret in it."""
    said = "".join(traceback.format_exception(error))
    shown = clean(said)
    if shown != said:
        sys.stderr.write(shown)
    return shown != said


def _cleaned(record: logging.LogRecord) -> logging.LogRecord:
    if _pattern is None:
        return record
    try:
        said = record.getMessage()
    except Exception:
        # A message that doesn't fit its arguments is told by the handler.
        return record
    if (shown := clean(said)) != said:
        record.msg, record.args = shown, ()
    if record.exc_info:
        trace = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        if (shown := clean(trace)) != trace:
            record.exc_info, record.exc_text = None, shown
    return record
