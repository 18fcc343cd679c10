"""What policies are called and how each is explained, on the run page and in the editor alike."""

from __future__ import annotations

WAITS = {
    "all": "all branches",
    "k": "a number of branches",
    "deadline": "a length of time",
    "either": "whichever comes first",
}
WAIT_ABOUT = (
    "When the combined answer is begun. A branch that comes later is kept, marked “not in this "
    "answer”, and can be folded in afterwards. A branch that failed is never waited for."
)
ENOUGH = "Branches that are enough"
HEDGING = "Ask late calls twice"
HEDGING_ABOUT = (
    "When a first word is later than 95 % of that model's first words so far, the same is asked a "
    "second time and the faster one is kept. The slower one costs its input too, and is asked for "
    "at most 5 % of an endpoint's calls."
)
PREFIX = "Shared beginning"
PREFIXES = {
    "auto": "Automatic",
    "on": "Always computed once",
    "off": "Each branch for itself",
}
PREFIX_ABOUT = (
    "Where branches begin with the same long text, the first one opens the way and the others "
    "start when it has been read: it is computed once, and cheaper where an endpoint caches it. "
    "Automatic: where it is long enough to be worth the wait."
)
FALLBACK = "If a model can't answer, ask"
FALLBACK_ABOUT = (
    "In this order, each with its own attempts: when the endpoint is down or over its limits, or "
    "the model is unknown there. The column says who answered. endpoint/name asks another endpoint."
)
FALLBACK_EMPTY = "Nobody else"
ANSWER_FALLBACK = "For the combined answer, ask"
ANSWER_FALLBACK_EMPTY = "The same as the branches"
MOST_FALLBACKS = 5
BUDGET = "Budget of one run"
USD, TOKENS, NO_CAP = "Dollars", "Tokens, in and out", "no cap"
LEAST_USD, MOST_USD = 0.0, 100_000.0
MOST_TOKENS = 10**12
BUDGET_ABOUT = (
    "The most that one run may take, the combined answer included. The worst case of each call is "
    "set aside before it is made; a call that doesn't fit is skipped, and says so. "
    "At 0 only free models answer."
)
