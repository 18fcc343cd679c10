"""A PDF as parts: the text of each page, under the page's number."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pypdf
import pypdf.errors

from fanout.retrieval.errors import DocumentError
from fanout.retrieval.extracted import Part


def pdf_parts(name: str, data: bytes) -> Iterator[Part]:
    """A page at a time, also those without text; DocumentError if it can't be opened at all."""
    try:
        reader = _opened(name, data)
        count = len(reader.pages)
    except DocumentError:
        raise
    # pypdf meets damage with whatever its parser stumbles over: RecursionError, KeyError, ...
    except Exception:
        raise DocumentError(
            f"{name} is damaged: its pages can't be found. Open it in a viewer, print it to a new "
            "PDF and add that."
        ) from None
    for number in range(count):
        yield Part(text=_text(reader, number), unit="page", name=str(number + 1))


def _opened(name: str, data: bytes) -> pypdf.PdfReader:
    reader = pypdf.PdfReader(io.BytesIO(data))
    if reader.is_encrypted:
        try:
            unlocked = reader.decrypt("")
        except (pypdf.errors.DependencyError, NotImplementedError):
            unlocked = pypdf.PasswordType.NOT_DECRYPTED
        if unlocked is pypdf.PasswordType.NOT_DECRYPTED:
            raise DocumentError(
                f"{name} is encrypted and can't be opened without its password. "
                "Save a copy without a password and add that."
            )
    return reader


def _text(reader: pypdf.PdfReader, number: int) -> str:
    """One damaged page costs its own text only."""
    try:
        return reader.pages[number].extract_text()
    except MemoryError:
        raise
    except Exception:
        return ""
