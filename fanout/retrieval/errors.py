"""What a document that can't be used raises; its text is fit for the screen."""

from __future__ import annotations

from fanout.errors import FanoutError


class DocumentError(FanoutError):
    """A file that can't become a document: names the file, what is wrong, and the way out."""
