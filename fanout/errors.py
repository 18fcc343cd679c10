"""What Fanout raises, and at whom it points.

FanoutError
├── DefinitionError     a workflow file or an edit of one is wrong: the author mends it
├── InputError          a topic or option is wrong: the person at the screen mends it
├── SettingsError       the environment or FANOUT_HOME is wrong: whoever installed it mends it
├── StoreError          the record can't be written or read: whoever installed it mends it
│   └── StoreConflict   the record says otherwise, and trying again won't help: open the run anew
├── LocalModelError     the bundled model can't start or its weights are missing
└── ProviderError       a call failed in an expected way; carries the Failure, caught by the kernel
    └── FormRefused     the endpoint can't be asked for that form of answer: ask in another way
"""

from __future__ import annotations

from fanout.policies import RateFacts
from fanout.types import Failure, Usage


class FanoutError(Exception):
    """Base of everything Fanout raises on purpose; its text is fit for the screen."""


class DefinitionError(FanoutError):
    """A workflow definition that can't be used; names the file and the field."""


class InputError(FanoutError):
    """Something typed that can't be run, such as an empty topic."""


class SettingsError(FanoutError):
    """A setting, or FANOUT_HOME itself, that can't be used."""


class StoreError(FanoutError):
    """The record of runs can't be written or read now; the text says what to do."""


class StoreConflict(StoreError):
    """What was to be written doesn't fit what is written, as after another process went on."""


class LocalModelError(FanoutError):
    """The local model can't answer; the text names the command that mends it."""


class ProviderError(FanoutError):
    """An attempt that failed in an expected way. Providers raise it, the kernel catches it."""

    def __init__(self, failure: Failure, rates: RateFacts | None = None) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.rates = rates
        """What the endpoint said about its limits along with the failure."""
        self.usage: Usage | None = None
        """What it said that this took, as with an answer that is refused or has no word."""


class FormRefused(ProviderError):
    """The endpoint refuses the request's `response_format`, not the question: asking for the form
    in another way may do, asking again in the same way never does."""
