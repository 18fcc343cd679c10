"""A workflow's policies as they stand in its file: how it behaves under fire.

[policies]
prefix = "auto"                 # what branches share is computed once: auto, on, off
run_s = 300                     # the whole run's deadline
[policies.retries]
attempts = 4
[policies.fan_in]
k = 2                           # combine as soon as two have succeeded, or
deadline_s = 30                 # after 30 seconds, whichever comes first
[policies.hedging]
enabled = true
[policies.budget]
usd = "0.05"
tokens = 20000
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from fanout.errors import DefinitionError
from fanout.policies import Budget, FanIn, Hedging, Policies, PrefixMode, RetryPolicy
from fanout.workflows.specs import MAX_BRANCHES, Seconds, Spec

Attempts = Annotated[int, Field(ge=1, le=10)]
Usd = Annotated[Decimal, Field(ge=0, le=100_000, max_digits=15, decimal_places=9)]


class RetrySpec(Spec):
    attempts: Attempts = RetryPolicy().attempts
    total_s: Seconds = RetryPolicy().total_s
    first_wait_s: Seconds = RetryPolicy().first_wait_s
    longest_wait_s: Seconds = RetryPolicy().longest_wait_s
    longest_asked_s: Seconds = RetryPolicy().longest_asked_s
    restarts: Annotated[int, Field(ge=0, le=5)] = RetryPolicy().restarts

    def value(self) -> RetryPolicy:
        return RetryPolicy(**self.model_dump())


class FanInSpec(Spec):
    """When the answer is combined; neither: when all have ended."""

    k: Annotated[int, Field(ge=1, le=MAX_BRANCHES)] | None = None
    deadline_s: Seconds | None = None

    def value(self) -> FanIn:
        return FanIn(k=self.k, deadline_s=self.deadline_s)


class HedgingSpec(Spec):
    enabled: bool = False
    quantile: Annotated[float, Field(ge=0.5, le=0.999)] = Hedging().quantile
    least_s: Annotated[float, Field(ge=0.05, le=600)] = Hedging().least_s
    share: Annotated[float, Field(gt=0, le=0.5)] = Hedging().share

    def value(self) -> Hedging:
        return Hedging(**self.model_dump())


class BudgetSpec(Spec):
    usd: Usd | None = None
    tokens: Annotated[int, Field(ge=0, le=10**12)] | None = None

    def value(self) -> Budget:
        return Budget(usd=self.usd, tokens=self.tokens)


class PolicySpec(Spec):
    retries: RetrySpec = RetrySpec()
    fan_in: FanInSpec = FanInSpec()
    hedging: HedgingSpec = HedgingSpec()
    prefix: PrefixMode = "auto"
    budget: BudgetSpec = BudgetSpec()
    run_s: Seconds | None = None

    def value(self) -> Policies:
        return Policies(
            retries=self.retries.value(),
            fan_in=self.fan_in.value(),
            hedging=self.hedging.value(),
            prefix=self.prefix,
            budget=self.budget.value(),
            run_s=self.run_s,
        )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        deadline = self.fan_in.deadline_s
        if self.run_s is not None and deadline is not None and deadline > self.run_s:
            raise DefinitionError(
                f"policies.fan_in.deadline_s is {deadline:g}, but the whole run ends after "
                f"{self.run_s:g} s; lower the one or raise the other"
            )
        return self
