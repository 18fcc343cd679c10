"""One request of a call on its way: what comes back is written down, and who was first decided."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from fanout.errors import ProviderError
from fanout.events import BranchThought, BranchWrote
from fanout.kernel.attempt import attempt
from fanout.kernel.calls import Permit, Reservation
from fanout.kernel.recorder import Recorder
from fanout.policies import RateFacts
from fanout.providers.base import ChatRequest, Done, Provider, TextPiece
from fanout.tokens import estimated_input, estimated_usage
from fanout.types import BranchId, Cost, Deadlines, FailureKind, Usage

THOUGHTS_S = 0.25
"""Thinking is told of at most this often."""

_NOT_BILLED = frozenset(
    {
        FailureKind.AUTH,
        FailureKind.QUOTA,
        FailureKind.RATE_LIMIT,
        FailureKind.CONNECTION,
        FailureKind.SERVER,
        FailureKind.UNKNOWN_MODEL,
        FailureKind.BUDGET,
    }
)
"""A request that ended so without a word is taken to have cost nothing."""


class Lane:
    """Holds a permit and a reservation until `close`. Used on the engine's loop only."""

    def __init__(
        self,
        *,
        recorder: Recorder,
        branch: BranchId,
        permit: Permit,
        reservation: Reservation,
        signed: Callable[[], None],
        won: Callable[[Lane], None],
    ) -> None:
        """`signed` is told of the first sign of life, a thought or a word; `won` too where there
        was another request for the same answer, which is hung up on."""
        self._recorder = recorder
        self._branch = branch
        self._permit = permit
        self._reservation = reservation
        self._signed = signed
        self._won = won
        self._thoughts = 0
        self._told_s = 0.0
        self._input = 0
        self.sign = False
        """True once something came back: this lane's words are the branch's."""
        self.heard = anyio.Event()
        """Set by the first sign of life, or by its end."""
        self.scope = anyio.CancelScope()
        self.rival: Lane | None = None
        """The other request for the same answer, where there is one."""
        self.result: Done | Exception | None = None

    @property
    def max_tokens(self) -> int | None:
        return self._reservation.max_tokens

    async def ask(self, provider: Provider, request: ChatRequest, deadlines: Deadlines) -> Done:
        """The answer; what goes wrong is raised, and told to the gate."""
        self._input = estimated_input(request.messages)
        try:
            self.result = await attempt(provider, request, deadlines, self)
            return self.result
        except Exception as error:
            self.result = error
            raise
        finally:
            self._tell_thoughts()
            self.heard.set()

    def fail(self, error: Exception) -> None:
        """It ended so, maybe before anything could be sent along it."""
        self.result = self.result or error
        self.heard.set()

    def opened(self, rates: RateFacts) -> None:
        self._permit.opened(rates)

    def thought(self, pieces: int, after_s: float) -> None:
        if not self._sign(after_s):
            return
        self._thoughts += pieces
        if self._recorder.now_s() - self._told_s >= THOUGHTS_S:
            self._tell_thoughts()

    def wrote(self, piece: TextPiece, after_s: float) -> None:
        if not self._sign(after_s):
            return
        self._tell_thoughts()
        at = self._recorder.now_s()
        self._recorder.emit(
            BranchWrote(at=at, id=self._branch, text=piece.text, pieces=piece.pieces)
        )

    def close(self, cost: Callable[[Usage], Cost | None]) -> Usage:
        """Settle what was set aside and free the slot; what the request used. Once, always."""
        usage = self._used()
        match self.result:
            case Done():
                self._permit.succeeded(usage)
            case ProviderError() as error:
                self._permit.failed(error.failure, error.rates)
            case _:
                pass
        self._permit.release()
        self._reservation.settle(usage, cost(usage))
        return usage

    def _used(self) -> Usage:
        """What was reported; nothing where it was refused or never sent; else our estimate."""
        if isinstance(self.result, Done | ProviderError) and self.result.usage is not None:
            return self.result.usage
        if self.sign:
            return estimated_usage(self._recorder.snapshot.branch(self._branch))
        refused = isinstance(self.result, ProviderError) and (
            self.result.failure.kind in _NOT_BILLED
        )
        if refused or not self._input:
            return Usage()
        return Usage(input=self._input, estimated=True)

    def _sign(self, after_s: float) -> bool:
        """Note the first sign of life; False where the other request was faster."""
        rival = self.rival
        if rival is not None and rival.sign:
            return False
        if not self.sign:
            self.sign = True
            self._permit.first_token(after_s)
            self.heard.set()
            self._signed()
            if rival is not None:
                rival.scope.cancel()
                self._won(self)
        return True

    def _tell_thoughts(self) -> None:
        if self._thoughts:
            at = self._told_s = self._recorder.now_s()
            self._recorder.emit(BranchThought(at=at, id=self._branch, pieces=self._thoughts))
            self._thoughts = 0
