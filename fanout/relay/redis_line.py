"""Redis' PUBLISH and SUBSCRIBE as a line: texts of any length, and no load on the database."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from redis import Redis
from redis.client import PubSub
from redis.exceptions import RedisError

from fanout.errors import SettingsError
from fanout.relay.line import WAIT_S, Ear, Lost

LONGEST = 1_000_000
CHECK_S = 10
"""A line on which nothing came for so long is asked whether it is still there."""


class RedisLine:
    """Implements `line.Line`."""

    name = "Redis"
    longest = LONGEST

    def __init__(self, url: str) -> None:
        """SettingsError for what is no address."""
        try:
            self._redis = Redis.from_url(
                url.strip(),
                socket_timeout=WAIT_S,
                socket_connect_timeout=WAIT_S,
                socket_keepalive=True,
                health_check_interval=CHECK_S,
                decode_responses=True,
            )
        except ValueError:
            # Its text may hold a password.
            raise SettingsError(
                "FANOUT_REDIS_URL is no address of a Redis server. It looks like "
                "redis://:password@host:6379/0."
            ) from None

    def ear(self, addresses: Sequence[str]) -> Ear:
        listening = self._redis.pubsub(  # type: ignore[no-untyped-call]
            ignore_subscribe_messages=True
        )
        try:
            listening.subscribe(*(_channel(address) for address in addresses))
        except (RedisError, OSError) as error:
            listening.close()
            raise Lost(type(error).__name__) from None
        return _Ear(listening)

    def send(self, texts: Sequence[tuple[str, str]]) -> None:
        try:
            with self._redis.pipeline(transaction=False) as pipeline:
                for to, text in texts:
                    pipeline.publish(_channel(to), text)
                pipeline.execute()
        except (RedisError, OSError) as error:
            raise Lost(type(error).__name__) from None

    def close(self) -> None:
        self._redis.close()


class _Ear:
    def __init__(self, listening: PubSub) -> None:
        self._listening = listening

    def hear(self, timeout_s: float) -> Sequence[str]:
        until = monotonic() + timeout_s
        try:
            # Of what is there already nothing is waited for; a subscription answers as well.
            while (left := until - monotonic()) > 0:
                message = self._listening.get_message(timeout=left)
                if message is not None:
                    return (str(message["data"]),)
        except (RedisError, OSError, ValueError) as error:
            # The last is what a socket says that was closed meanwhile.
            raise Lost(type(error).__name__) from None
        return ()

    def close(self) -> None:
        self._listening.close()


def _channel(address: str) -> str:
    return f"fanout:relay:{address}"
