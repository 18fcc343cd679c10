"""Endpoints that a visitor names: only public addresses, and the connection goes where was looked.

The servers are real ones on loopback. "Public" addresses are reached through a backend that
connects to loopback instead and keeps a list of the addresses it was told to connect to.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpcore2
import httpx2
import pytest
import trustme
import uvicorn
from httpcore2 import AnyIOBackend, AsyncNetworkBackend, AsyncNetworkStream

from fanout.endpoint import Endpoint, Secret
from fanout.engine.runtime import Runtime
from fanout.errors import LocalModelError, ProviderError
from fanout.providers.network import Network, is_public, system_resolve
from fanout.providers.openai_compatible import OpenAICompatible
from fanout.providers.problems import AddressRefused
from fanout.providers.script import Fault, Reply
from fanout.providers.scripted_app import Ledger, scripted_app
from fanout.providers.scripted_server import ServerHandle, serving
from fanout.settings import ENVIRONMENT, Settings
from fanout.types import EndpointId, FailureKind, ModelRef
from tests.providers.asking import KEY, chat, endpoint, failure_of_asking, one, told

PUBLIC = "93.184.215.14"
ANSWER = one(Reply(text="Yes."))


class Dial(AsyncNetworkBackend):
    """Connects to loopback whatever address it is given; some addresses are down."""

    def __init__(self, port: int = 0, down: Sequence[str] = ()) -> None:
        self.dialled: list[str] = []
        self._port = port
        self._down = down
        self._real = AnyIOBackend()

    async def connect_tcp(
        self, host: str, port: int, *arguments: object, **named: object
    ) -> AsyncNetworkStream:
        self.dialled.append(host)
        if host in self._down:
            raise httpcore2.ConnectError("down")
        return await self._real.connect_tcp("127.0.0.1", self._port or port)


class Resolver:
    """Answers one lookup after the other; the last answer stays."""

    def __init__(self, *answers: str | Sequence[str]) -> None:
        self._answers = [[each] if isinstance(each, str) else list(each) for each in answers]
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self._answers[min(len(self.asked), len(self._answers)) - 1]


async def as_numbers(host: str, port: int) -> Sequence[str]:
    """What the system's resolver makes of an address in its many spellings, without asking it:
    the guard of these tests would take them for names."""
    if host == "localhost":
        return await system_resolve(host, port)
    return [host if ":" in host else socket.inet_ntoa(socket.inet_aton(host))]


@pytest.fixture(scope="module")
def server() -> Iterator[ServerHandle]:
    """One for all tests that don't count its requests from nothing."""
    with serving(ANSWER) as handle:
        yield handle


def port_of(base_url: str) -> int:
    return urlsplit(base_url).port or 0


def at(host: str, base_url: str) -> Endpoint:
    return endpoint(f"http://{host}:{port_of(base_url)}/v1")


PRIVATE = [
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "198.18.0.1", "192.0.2.1", "192.0.0.8", "192.88.99.1"),
    *("224.0.0.1", "224.0.1.1", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::7f00:1", "64:ff9b::7f00:1"),
    *("64:ff9b:1::a00:1", "2002:7f00:1::", "2002:808:808::1", "2001:0:808:808::1", "2001:db8::1"),
    *("localhost", "2130706433", "0x7f000001", "", "8.8.8.8.", "8.8.8.8%eth0"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_of_the_open_internet_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", PUBLIC, "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_what_is_of_the_open_internet_is_public(address: str) -> None:
    assert is_public(address)


async def test_a_public_endpoint_answers_and_the_address_checked_is_the_one_connected_to() -> None:
    with serving(ANSWER) as server:
        dial, resolver = Dial(), Resolver(PUBLIC)
        network = Network(resolve=resolver, inner=dial)
        provider = OpenAICompatible(at("models.example", server.base_url), Secret(KEY), network)
        assert (await told(provider, chat()))[0] == "Yes."
        await provider.aclose()
    assert (resolver.asked, dial.dialled) == (["models.example"], [PUBLIC])
    assert server.requests[0].headers["host"].startswith("models.example:")


NAMES = ["localhost", "127.0.0.1", "127.1", "2130706433", "0x7f.1", "[::1]"]


@pytest.mark.parametrize("host", [*NAMES, "localhost.", "LOCALHOST", "[::ffff:127.0.0.1]"])
async def test_this_machine_is_not_asked_however_it_is_written(
    host: str, server: ServerHandle
) -> None:
    before = server.connections
    for allowed in ((), ("elsewhere.example", "localhost:1")):
        network = Network(allowed, resolve=as_numbers)
        provider = OpenAICompatible(at(host, server.base_url), Secret(KEY), network)
        failure = await failure_of_asking(provider, chat())
        with pytest.raises(ProviderError, match="private address"):
            await provider.models()
        with pytest.raises(ProviderError, match="private address"):
            await provider.embed("m", ["text"])
        await provider.aclose()
    assert server.connections == before
    assert (failure.kind, failure.retryable) == (FailureKind.CONNECTION, False)
    assert "FANOUT_ALLOWED_HOSTS" in failure.message
    assert "Acme AI" in failure.message


async def test_an_address_in_octal_is_not_even_an_address() -> None:
    with serving(ANSWER) as server:
        provider = OpenAICompatible(at("0177.0.0.1", server.base_url), None, Network())
        assert (await failure_of_asking(provider, chat())).kind is FailureKind.CONNECTION
        assert server.connections == 0


async def test_a_name_that_answers_otherwise_the_second_time_gains_nothing() -> None:
    """DNS rebinding: public while it is looked at, loopback when the connection is made."""
    with serving(ANSWER) as server:
        resolver, dial = Resolver(PUBLIC, "127.0.0.1"), Dial()
        network = Network(resolve=resolver, inner=dial)
        target = at("rebind.example", server.base_url)
        for _ in range(2):
            provider = OpenAICompatible(target, None, network)
            if not dial.dialled:
                assert (await told(provider, chat()))[0] == "Yes."
            else:
                assert "private address" in (await failure_of_asking(provider, chat())).message
            await provider.aclose()
    # One lookup per connection, and no connection to what the second one said.
    assert len(resolver.asked) == 2
    assert dial.dialled == [PUBLIC]


@pytest.mark.parametrize("second", ["127.0.0.1", "::1", "169.254.169.254", "fd00::1"])
async def test_one_private_address_among_public_ones_is_a_trap(second: str) -> None:
    dial = Dial()
    network = Network(resolve=Resolver([PUBLIC, second]), inner=dial)
    provider = OpenAICompatible(endpoint("http://two.example/v1"), None, network)
    assert "private address" in (await failure_of_asking(provider, chat())).message
    assert dial.dialled == []


async def test_a_name_without_any_address_is_refused() -> None:
    with pytest.raises(AddressRefused):
        await Network(resolve=Resolver(())).checked("nowhere.example", 443)


async def test_an_address_that_is_down_leaves_the_next_one_to_answer() -> None:
    with serving(ANSWER) as server:
        dial = Dial(down=["2606:4700::1"])
        network = Network(resolve=Resolver(["2606:4700::1", PUBLIC]), inner=dial)
        provider = OpenAICompatible(at("two.example", server.base_url), None, network)
        assert (await told(provider, chat()))[0] == "Yes."
        await provider.aclose()
    assert dial.dialled == ["2606:4700::1", PUBLIC]


async def test_a_redirect_to_this_machine_is_not_followed() -> None:
    with serving(ANSWER) as inside, serving(one(Reply(fault=Fault.REDIRECT))) as outside:
        network = Network(resolve=Resolver(PUBLIC), inner=Dial())
        provider = OpenAICompatible(at("models.example", outside.base_url), Secret(KEY), network)
        failure = await failure_of_asking(provider, chat())
        await provider.aclose()
        assert "redirect" in failure.message
        assert (len(outside.requests), inside.connections) == (1, 0)


@pytest.mark.parametrize(
    ("entry", "host", "let_in"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1:{port}", "127.0.0.1", True),
        ("127.0.0.1:1", "127.0.0.1", False),
        ("LOCALHOST.", "localhost", True),
        ("localhost", "127.0.0.1", False),
        ("127.0.0.1", "localhost", False),
        ("[::ffff:127.0.0.1]:{port}", "[::ffff:127.0.0.1]", True),
        ("xn--bcher-kva.example", "bücher.example", True),
        ("Bücher.Example", "xn--bcher-kva.example.", True),
        ("example", "models.example", False),
    ],
)
async def test_a_host_on_the_list_is_asked_wherever_it_lies(
    entry: str, host: str, let_in: bool, server: ServerHandle
) -> None:
    network = Network([entry.format(port=port_of(server.base_url))], resolve=Resolver("127.0.0.1"))
    provider = OpenAICompatible(at(host, server.base_url), None, network)
    if let_in:
        assert (await told(provider, chat()))[0] == "Yes."
    else:
        assert "private address" in (await failure_of_asking(provider, chat())).message
    await provider.aclose()


async def test_a_proxy_of_the_environment_does_not_go_round_the_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving(ANSWER) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.base_url.removesuffix("/v1"))
        dial = Dial(down=[PUBLIC])
        network = Network(resolve=Resolver(PUBLIC), inner=dial)
        provider = OpenAICompatible(endpoint("http://models.example/v1"), None, network)
        await failure_of_asking(provider, chat())
        await provider.aclose()
        assert (dial.dialled, proxy.connections) == ([PUBLIC], 0)


@contextmanager
def over_tls(folder: Path, *names: str) -> Iterator[tuple[int, Path]]:
    """A scripted server with a certificate for these names: its port, and who vouches for it."""
    authority = trustme.CA()
    own = authority.issue_cert(*names)
    key, chain, trusted = folder / "key.pem", folder / "chain.pem", folder / "trusted.pem"
    own.private_key_pem.write_to_path(str(key))
    chain.write_bytes(b"".join(part.bytes() for part in own.cert_chain_pems))
    authority.cert_pem.write_to_path(str(trusted))
    config = uvicorn.Config(
        scripted_app(ANSWER, Ledger()), ws="none", lifespan="off", log_level="critical",
        ssl_keyfile=str(key), ssl_certfile=str(chain),
    )  # fmt: skip
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        yield listener.getsockname()[1], trusted
        server.should_exit = server.force_exit = True
        thread.join(10)


async def test_a_certificate_is_held_against_the_name_and_not_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with over_tls(tmp_path, "models.example", PUBLIC) as (port, trusted):
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        network = Network(resolve=Resolver(PUBLIC), inner=Dial(port))
        right = OpenAICompatible(endpoint("https://models.example/v1"), Secret(KEY), network)
        assert (await told(right, chat()))[0] == "Yes."
        # The certificate is also good for the address, but nobody asked for that.
        wrong = OpenAICompatible(endpoint("https://other.example/v1"), Secret(KEY), network)
        assert "certificate" in (await failure_of_asking(wrong, chat())).message
        await right.aclose()
        await wrong.aclose()


def test_the_way_in_that_httpx_does_not_promise_is_still_there() -> None:
    """The backend hangs on a private attribute: where it goes, nothing may be asked any more."""
    transport = Network().transport(httpx2.Limits())
    assert not isinstance(
        transport._pool._network_backend, AnyIOBackend | httpcore2.AsyncMockBackend
    )
    fresh = httpx2.AsyncHTTPTransport()
    assert isinstance(fresh._pool._network_backend, AsyncNetworkBackend)


async def test_a_socket_file_is_no_way_out() -> None:
    with pytest.raises(AddressRefused):
        await Network().backend(AnyIOBackend()).connect_unix_socket("/run/docker.sock")


async def test_the_systems_resolver_is_asked_unless_another_is_given() -> None:
    assert "127.0.0.1" in await system_resolve("localhost", 80)
    with pytest.raises(AddressRefused):
        await Network().checked("localhost", 80)
    assert "127.0.0.1" in await Network(["localhost"]).checked("localhost", 80)


OWN = EndpointId("own")


def test_in_shared_mode_only_whoever_runs_it_may_name_this_machine(tmp_path: Path) -> None:
    with serving(ANSWER) as server:
        env = {"FANOUT_SHARED": "1", "FANOUT_HOME": str(tmp_path)}
        named = Settings.from_environment({**env, "OPENAI_BASE_URL": server.base_url})
        with Runtime(named) as runtime:
            runtime.engine.endpoints.put(Endpoint(id=OWN, name="Own", base_url=server.base_url))
            assert runtime.check(ENVIRONMENT, wait_s=5) is not None
            own = runtime.check(OWN, wait_s=5)
            listing = runtime.listing(ENVIRONMENT)
            assert listing is not None and listing.names
            assert own is not None and own.failure is not None
            assert "private address" in own.failure.message
            runtime.usual_ports = {port_of(server.base_url): "Here"}
            assert runtime.found_servers(fresh=True) == ()
            with pytest.raises(LocalModelError, match="FANOUT_MODEL"):
                runtime.use_local_model("someone/model-GGUF")


def test_alone_on_ones_machine_loopback_may_be_asked(tmp_path: Path) -> None:
    with serving(ANSWER) as server, Runtime(Settings(home=tmp_path)) as runtime:
        runtime.engine.endpoints.put(Endpoint(id=OWN, name="Own", base_url=server.base_url))
        listing = runtime.check(OWN, wait_s=5)
        assert listing is not None and listing.names
        runtime.usual_ports = {port_of(server.base_url): "Here"}
        assert len(runtime.found_servers(fresh=True)) == 1
        assert runtime.engine.endpoints.provider(ModelRef(endpoint=OWN, model="")) is not None
