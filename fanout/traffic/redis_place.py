"""Redis as the place that processes share: two scripts, each of them one step."""

from __future__ import annotations

from pyrate_limiter import Decision, Rate, RedisStateStore, StateAlgorithm, StateStore
from redis import Redis
from redis.exceptions import RedisError

from fanout.errors import SettingsError
from fanout.traffic.lane import OutOfReach, wall_ms
from fanout.traffic.window import State

WAIT_S = 1.0
OUT = "Redis (FANOUT_REDIS_URL) does not answer, so limits hold for this process only"
_PAUSE = """
local until_ms, now_ms = tonumber(ARGV[1]), tonumber(ARGV[2])
if until_ms > tonumber(redis.call('GET', KEYS[1]) or '0') then
    redis.call('SET', KEYS[1], ARGV[1], 'PX', math.max(1, until_ms - now_ms))
end
"""


class RedisPlace:
    """Implements `lane.Place`."""

    name = "Redis"

    def __init__(self, url: str) -> None:
        try:
            self._redis = Redis.from_url(
                url, socket_timeout=WAIT_S, socket_connect_timeout=WAIT_S, decode_responses=True
            )
        except ValueError:
            # Its text may hold a password.
            raise SettingsError(
                "FANOUT_REDIS_URL is no address of a Redis server. It looks like "
                "redis://:password@host:6379/0. Without it, limits hold per process."
            ) from None
        self._pause = self._redis.register_script(_PAUSE)

    def store(self, key: str) -> StateStore:
        return _Store(self._redis, key)

    def paused_until_ms(self, key: str) -> int:
        try:
            return int(str(self._redis.get(f"{key}:pause") or 0))
        except RedisError:
            raise OutOfReach(OUT) from None

    def pause(self, key: str, until_ms: int) -> None:
        try:
            self._pause(keys=[f"{key}:pause"], args=[until_ms, wall_ms()])
        except RedisError:
            raise OutOfReach(OUT) from None

    def lift(self, key: str) -> None:
        try:
            self._redis.delete(f"{key}:pause")
        except RedisError:
            raise OutOfReach(OUT) from None

    def close(self) -> None:
        self._redis.close()


class _Store(RedisStateStore):
    def check(
        self, algorithm: StateAlgorithm, rates: list[Rate], now: int, weight: int
    ) -> Decision:
        try:
            decision = super().check(algorithm, rates, now, weight)  # type: ignore[no-untyped-call]
        except RedisError:
            raise OutOfReach(OUT) from None
        assert isinstance(decision, Decision)
        return decision

    def read(self, algorithm: StateAlgorithm, rates: list[Rate]) -> State:
        raise NotImplementedError("what is left is told by the one who takes")
