"""One attempt of a call: money set aside, a turn at the gate, and the form of the answer."""

from __future__ import annotations

import anyio.lowlevel

from fanout.errors import FormRefused
from fanout.kernel.means import Means, most_tokens
from fanout.kernel.sending import Request, Sending
from fanout.policies import HoldReason
from fanout.providers.base import Done
from fanout.structured.asking import Rung
from fanout.structured.reading import read
from fanout.types import Failure, FailureKind, Usage


class Requests:
    """Sends the requests of one run. Used on the engine's loop only."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def answer(self, request: Request) -> Done:
        """The whole answer. ProviderError for every expected failure, also where the budget is
        spent; Respell where it kept no form and should be asked for in a plainer one."""
        plan, model, means = request.plan, request.model, self._means
        reservation = await means.purse.reserve(
            plan, model, lambda: means.hold(plan.id, HoldReason.BUDGET, None)
        )
        sending: Sending | None = None

        def held(reason: HoldReason, wait_s: float | None) -> None:
            means.hold(plan.id, reason, wait_s)

        try:
            gate = means.calls.gate(model.endpoint)
            async with gate.admit(
                run=means.recorder.snapshot.run_id,
                model=model.model,
                tokens=most_tokens(plan),
                held=held,
            ) as permit:
                # It may have been called off in the moment in which the slot came free.
                await anyio.lowlevel.checkpoint_if_cancelled()
                request.started()
                sending = Sending(means, request, gate)
                sending.enter(permit, reservation)
                try:
                    done, rung = await self._in_form(sending)
                finally:
                    sending.close()
        finally:
            if sending is None:
                reservation.settle(Usage(), means.cost(model, Usage()))
        self._learn(request, done, rung)
        return done

    async def _in_form(self, sending: Sending) -> tuple[Done, Rung | None]:
        """Ask in the best form that the model is known to manage; what it refuses is learnt."""
        request = sending.request
        ladder, plainer = self._means.calls.ladder, request.plainer
        while True:
            form = request.plan.form
            rung = None if form is None else plainer or ladder.rung(request.model)
            try:
                return await sending.send(rung), rung
            except FormRefused:
                # A plainer form may be refused where a better one is taken: that is no lesson.
                plainer = None if plainer is None else plainer.below
                if plainer is None and not (rung and ladder.refused(request.model, rung)):
                    raise

    def _learn(self, request: Request, done: Done, rung: Rung | None) -> None:
        """Remember whether the form was kept; Respell where asking once more may help."""
        plan, ladder = request.plan, self._means.calls.ladder
        if plan.form is None or rung is None or done.finish_reason == "length":
            return
        reading = read(plan.form.lenient, self._means.recorder.snapshot.branch(plan.id).text)
        if reading.value is not None and (rung is Rung.LINES or reading.rung == "json"):
            ladder.worked(request.model, rung)
            return
        # A value outside its limits says nothing against the form.
        if reading.rung != "json":
            ladder.ignored(request.model, rung)
        lower = rung.below
        if reading.value is None and lower is not None and request.plainer is None:
            raise Respell(lower)


class Respell(Exception):
    """The answer kept no form; the model is asked once more, in a plainer one."""

    def __init__(self, rung: Rung) -> None:
        super().__init__(rung)
        self.rung = rung

    failure = Failure(
        kind=FailureKind.BAD_RESPONSE,
        message="The answer was not in the form that was asked for; the model is asked once more, "
        "with the form spelt out.",
        retryable=True,
    )
