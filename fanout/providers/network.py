"""Where people's endpoints may lie: in shared mode only on the public internet, or on a list.

A server that fetches what a visitor names can be sent to the machines beside it: a metadata
service, a database, the router. So a name is resolved once, every address behind it is judged, and
the connection goes to the very address that was judged: no second lookup can answer otherwise. TLS
still verifies the name. Proxies of the environment, which would resolve on their own, are left out,
and redirects are never followed.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

import anyio
import httpcore2
import httpx2

from fanout.providers.problems import AddressRefused

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, as the system's resolver finds them."""
Option = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_6TO4 = IPv6Network("2002::/16")
_SPECIAL = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"))
"""Protocol assignments and 6to4 relays, which not every Python counts among the special ones."""
_CONNECT_S = 10.0


async def system_resolve(host: str, port: int) -> Sequence[str]:
    """As the operating system resolves it; raises socket.gaierror."""
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(address[0] for *_, address in found))


class Network:
    """Which hosts may be asked. `allowed` names hosts, or host:port, that may be besides."""

    def __init__(
        self,
        allowed: Iterable[str] = (),
        *,
        resolve: Resolve = system_resolve,
        inner: httpcore2.AsyncNetworkBackend | None = None,
    ) -> None:
        self._allowed = frozenset(map(_listed, allowed))
        self._resolve = resolve
        self._inner = inner

    def transport(
        self, limits: httpx2.Limits, verify: ssl.SSLContext | bool = True
    ) -> httpx2.AsyncHTTPTransport:
        """One that connects only where this network allows."""
        transport = httpx2.AsyncHTTPTransport(limits=limits, verify=verify)
        pool = getattr(transport, "_pool", None)
        usual = getattr(pool, "_network_backend", None)
        # There is no public way in; without this one nothing may be asked at all.
        if pool is None or not isinstance(usual, httpcore2.AsyncNetworkBackend):
            raise AddressRefused("this httpx2 can't be kept to checked addresses")
        pool._network_backend = self.backend(usual)
        return transport

    def backend(self, usual: httpcore2.AsyncNetworkBackend) -> httpcore2.AsyncNetworkBackend:
        return _Pinned(self, self._inner or usual)

    async def checked(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses to connect to; AddressRefused if even one of them is not allowed.

        A public name with one private address among its answers is a trap and no mirror.
        """
        name = _normal_host(host)
        listed = not self._allowed.isdisjoint(((name, None), (name, port)))
        found = tuple(dict.fromkeys(await self._resolve(name, port)))
        if not found or not (listed or all(is_public(address) for address in found)):
            raise AddressRefused(f"{host} is not public")
        return found


class _Pinned(httpcore2.AsyncNetworkBackend):
    """Connects to the addresses that were checked, and never to a name."""

    def __init__(self, network: Network, inner: httpcore2.AsyncNetworkBackend) -> None:
        self._network = network
        self._inner = inner

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the backend's own signature
        local_address: str | None = None,
        socket_options: Iterable[Option] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        ends_s = anyio.current_time() + (_CONNECT_S if timeout is None else timeout)
        try:
            with anyio.fail_after(ends_s - anyio.current_time()):
                addresses = await self._network.checked(host, port)
        except TimeoutError as slow:
            raise httpcore2.ConnectTimeout from slow
        problem: Exception = httpcore2.ConnectError("no address")
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            # One address that swallows everything must not use up the time of the next.
            share_s = max(0.1, (ends_s - anyio.current_time()) / left)
            try:
                return await self._inner.connect_tcp(
                    address, port, share_s, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as failed:
                problem = failed
        raise problem

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109
        socket_options: Iterable[Option] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        raise AddressRefused("a socket of this machine")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


def is_public(text: str) -> bool:
    """Whether an address is one of the open internet, however it is wrapped."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        inner = _wrapped(address)
        if inner is not None:
            return is_public(str(inner))
        if address.scope_id or address not in _GLOBAL_UNICAST or address in _6TO4:
            return False
    elif any(address in special for special in _SPECIAL):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _wrapped(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a gateway or the system would make of it."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64 or int(address) >> 32 == 0:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _listed(entry: str) -> tuple[str, int | None]:
    """Host and port of an entry, its host written as hosts are compared."""
    parts = urlsplit(f"//{entry}")
    return _normal_host(parts.hostname or ""), parts.port


def _normal_host(host: str) -> str:
    """Lower case, ASCII, without brackets or the dot at the end."""
    plain = host.strip("[]").rstrip(".")
    if ":" in plain:
        return plain.lower()
    return httpx2.URL(f"http://{plain}").raw_host.decode("ascii").lower()
