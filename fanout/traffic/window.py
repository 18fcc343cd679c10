"""How much passed in the last minute: never more than the limit in any minute, whoever counts.

A token bucket of the same limit lets through twice as much in a minute that begins with a full
bucket, which a server that counts by the clock refuses. What never exceeds the limit in any minute
never exceeds a bucket's either. So it is one algorithm of our own, run by pyrate-limiter's stores:
a sum per sixtieth of the minute, which is small for tokens too, where a log has an entry per unit.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyrate_limiter import Decision, Rate, StateAlgorithm

CELLS = 60
SPAN = CELLS + 1
"""Cells before the current one that still count: a minute, and one for calls that arrive with less
delay than those before them, or that come from a machine whose clock goes before."""
ADMITTED = Decision()
State = tuple[float, ...]
"""Cell, sum, cell, sum, ..."""


class Window(StateAlgorithm):
    """Sums per cell. A negative weight gives back to the cell of its time, if that still counts."""

    def __init__(self, *, forced: bool = False) -> None:
        self._forced = forced
        """Counted in any case: what was used after all, or where there is no limit yet."""

    def initial(self, rates: list[Rate]) -> State:
        return ()

    def step(
        self, rates: list[Rate], state: State, now: int, weight: int
    ) -> tuple[State, Decision]:
        """The state after `weight` more at `now` ms, or the same state and how long to wait."""
        rate = rates[0]
        width = cell_ms(rate)
        cell = now // width
        sums = _sums(state)
        current = max(cell, *sums) if sums else cell
        live = {at: sum_ for at, sum_ in sums.items() if at >= current - SPAN}
        over = sum(live.values()) + weight - rate.limit
        if over > 0 and not self._forced:
            return state, Decision(
                failing_rate=rate, retry_after_ms=_wait_ms(live, over, now, width)
            )
        if not self._forced:
            # Who asked earlier and was heard later, as after a lock, goes with those heard last.
            cell = current
        if cell >= current - SPAN:
            live[cell] = max(0, live.get(cell, 0) + weight)
        return tuple(float(n) for pair in live.items() for n in pair), ADMITTED

    def consumed(self, rates: list[Rate], state: State, now: int) -> int:
        oldest = now // cell_ms(rates[0]) - SPAN
        return sum(sum_ for at, sum_ in _sums(state).items() if at >= oldest)

    def decode(self, values: Sequence[str]) -> State:
        return tuple(float(value) for value in values)

    def redis_script(self) -> str:
        return _LUA

    def redis_args(self, rates: list[Rate]) -> list[int | float]:
        return [cell_ms(rates[0]), SPAN, rates[0].limit, int(self._forced)]


def cell_ms(rate: Rate) -> int:
    return -(-rate.interval // CELLS)


def _sums(state: State) -> dict[int, int]:
    return {int(at): int(sum_) for at, sum_ in zip(state[::2], state[1::2], strict=True)}


def _wait_ms(live: dict[int, int], over: int, now: int, width: int) -> int | None:
    """Until enough has become older than a minute; None for a weight that never fits."""
    for at in sorted(live):
        over -= live[at]
        if over <= 0:
            return max(1, (at + SPAN + 1) * width - now)
    return None


_LUA = """
local now, weight, ttl = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local width, span = tonumber(ARGV[5]), tonumber(ARGV[6])
local limit, forced = tonumber(ARGV[7]), ARGV[8] == '1'
local cell = math.floor(now / width)
local stored = redis.call('HGETALL', KEYS[1])
local current = cell
for i = 1, #stored, 2 do current = math.max(current, tonumber(stored[i])) end
local used, live = 0, {}
for i = 1, #stored, 2 do
    local at = tonumber(stored[i])
    if at >= current - span then
        live[#live + 1] = {at, tonumber(stored[i + 1])}
        used = used + tonumber(stored[i + 1])
    end
end
local over = used + weight - limit
if over > 0 and not forced then
    table.sort(live, function(a, b) return a[1] < b[1] end)
    for _, one in ipairs(live) do
        over = over - one[2]
        if over <= 0 then
            return {0, math.max(1, (one[1] + span + 1) * width - now)}
        end
    end
    return {0, -1}
end
for i = 1, #stored, 2 do
    if tonumber(stored[i]) < current - span then redis.call('HDEL', KEYS[1], stored[i]) end
end
if not forced then cell = current end
if cell >= current - span then
    local name = string.format('%.0f', cell)
    local sum = tonumber(redis.call('HGET', KEYS[1], name) or '0') + weight
    redis.call('HSET', KEYS[1], name, string.format('%.0f', math.max(0, sum)))
end
redis.call('PEXPIRE', KEYS[1], ttl)
return {-1, 0}
"""
