"""A process and its models: nobody waits for a silent endpoint, and models change in mid-run."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

from fanout.endpoint import BUNDLED, Secret
from fanout.engine.runtime import Runtime
from fanout.errors import LocalModelError
from fanout.providers.local.weights import require_bundled
from fanout.providers.openai_compatible import MODELS_S
from fanout.providers.script import Script
from fanout.providers.scripted_server import serving
from fanout.settings import ENVIRONMENT, Settings, described
from fanout.types import EndpointId, FailureKind, ModelRef, RunStatus
from fanout.workflows.definition import with_max_tokens
from tests.providers.local.test_weights import gguf
from tests.rig import free_port, trio

KEY = "sk-very-secret-0123456789"
CLOUD = EndpointId("cloud")


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    with Runtime(Settings(home=tmp_path / "home")) as opened:
        yield opened


@contextmanager
def silence() -> Iterator[str]:
    """The base URL of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


def heard(runtime: Runtime, endpoint: EndpointId = CLOUD) -> bool:
    return runtime.check(endpoint, wait_s=MODELS_S + 5) is not None


def wait_for_local(runtime: Runtime) -> None:
    """Until no model is being brought any more; what was loaded then answers."""
    deadline = monotonic() + 60
    while runtime.machine.coming is not None:
        assert monotonic() < deadline, runtime.machine.coming
        runtime.engine.call(_a_moment)


async def _a_moment() -> None:
    import anyio

    await anyio.sleep(0.02)


def test_nobody_who_draws_a_page_waits_for_a_silent_endpoint(runtime: Runtime) -> None:
    with silence() as url:
        for n in range(5):
            runtime.engine.endpoints.add(described(url, id=f"e{n}", default_model="m"))
        began = monotonic()
        for _ in range(3):
            assert len(runtime.offers()) == 6
            runtime.fitting_model()
        assert monotonic() - began < MODELS_S / 2


def test_a_refused_key_is_remembered_in_words_until_another_one_is_given(runtime: Runtime) -> None:
    with serving(Script(key=KEY, models=("a", "b"))) as server:
        book = runtime.engine.endpoints
        book.add(described(server.base_url, id=CLOUD), Secret("sk-wrong-one"))
        assert heard(runtime)
        listing = runtime.listing(CLOUD)
        assert listing is not None and listing.failure is not None
        assert listing.failure.kind is FailureKind.AUTH
        assert "sk-wrong-one" not in listing.failure.message
        book.change(book.get(CLOUD), Secret(KEY))
        assert heard(runtime)
        listing = runtime.listing(CLOUD)
        assert listing is not None and listing.failure is None
        assert listing.names == ("a", "b")
        assert book.get(CLOUD).default_model == "a"


def test_an_answer_to_an_old_question_does_not_replace_the_new_one(runtime: Runtime) -> None:
    """The old one is still on its way when the endpoint is removed and its id used again."""
    with silence() as url, serving(Script(models=("fresh",))) as server:
        runtime.engine.endpoints.add(described(url, id=CLOUD))
        assert runtime.listing(CLOUD) is None
        runtime.forget(CLOUD)
        runtime.engine.endpoints.add(described(server.base_url, id=CLOUD))
        assert heard(runtime)
        listing = runtime.listing(CLOUD)
        assert listing is not None and listing.names == ("fresh",)


def test_names_that_are_known_stay_when_the_server_goes_away(runtime: Runtime) -> None:
    port = free_port()
    with serving(Script(models=("a",)), port) as server:
        runtime.engine.endpoints.add(described(server.base_url, id=CLOUD))
        assert heard(runtime)
    assert ModelRef(endpoint=CLOUD, model="a") in {offer.ref for offer in runtime.offers()}
    assert heard(runtime)
    listing = runtime.listing(CLOUD)
    assert listing is not None and listing.failure is not None
    assert listing.failure.kind is FailureKind.CONNECTION
    assert ModelRef(endpoint=CLOUD, model="a") in {offer.ref for offer in runtime.offers()}


def test_an_endpoint_that_names_no_model_is_asked_for_its_first(tmp_path: Path) -> None:
    with serving(Script(models=("first", "second"))) as server:
        settings = Settings(home=tmp_path, base_url=server.base_url)
        with Runtime(settings) as runtime:
            assert runtime.chosen_model() == ModelRef(endpoint=ENVIRONMENT, model="first")


def test_what_fits_is_always_among_the_offers(tmp_path: Path) -> None:
    with silence() as url, Runtime(Settings(home=tmp_path, base_url=url)) as runtime:
        gone = ModelRef(endpoint=EndpointId("gone"), model="x")
        for last in (None, gone, ModelRef(endpoint=BUNDLED, model="an older one")):
            fitting = runtime.fitting_model(last)
            assert fitting in {offer.ref for offer in runtime.offers()}
        assert fitting.endpoint == BUNDLED, "a choice follows its endpoint to another model"


def test_a_wrong_environment_is_told_and_the_bundled_model_answers(tmp_path: Path) -> None:
    environment = {
        "OPENAI_BASE_URL": "nonsense",
        "OPENAI_API_KEY": KEY,
        "FANOUT_HOME": str(tmp_path),
    }
    with Runtime.from_environment(environment) as runtime:
        assert [p for p in runtime.problems if "OPENAI_BASE_URL" in p] == runtime.problems != []
        assert runtime.chosen_model().endpoint == BUNDLED
        assert ENVIRONMENT not in runtime.engine.endpoints


def test_servers_of_this_machine_are_found_once_and_again_when_asked(runtime: Runtime) -> None:
    port = free_port()
    runtime.usual_ports = {port: "Ollama"}
    assert runtime.found_servers() == ()
    with serving(Script(models=("a",)), port):
        assert runtime.found_servers() == (), "remembered"
        (found,) = runtime.found_servers(fresh=True)
    assert (found.name, found.models) == ("Ollama", ("a",))


@pytest.mark.parametrize("setting", ["/no/such.gguf", "no model at all", "hf:not/a/model"])
def test_a_local_model_that_cannot_be_is_refused_at_once(runtime: Runtime, setting: str) -> None:
    before = runtime.local
    with pytest.raises(LocalModelError):
        runtime.use_local_model(setting)
    assert runtime.local is before
    assert (runtime.machine.coming, runtime.machine.held) == (None, 1)


@pytest.mark.model
def test_a_hub_that_cannot_be_reached_is_told_and_the_old_model_stays(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    before = runtime.local
    runtime.use_local_model("owner/name-GGUF")
    wait_for_local(runtime)
    assert "Can't reach 127.0.0.1" in runtime.machine.problem
    assert runtime.local is before
    assert runtime.machine.bundled


@pytest.mark.model
def test_a_download_can_be_given_up(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    with silence() as url:
        monkeypatch.setenv("HF_ENDPOINT", url.removesuffix("/v1"))
        runtime.use_local_model("owner/name-GGUF")
        assert runtime.machine.coming is not None
        runtime.keep_local_model()
        assert (runtime.machine.problem, runtime.machine.held) == ("", 1)


@pytest.mark.model
def test_weights_that_cannot_be_loaded_leave_the_old_model_answering(
    runtime: Runtime, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(gguf(**{"general.name": "Damaged"}))
    runtime.use_local_model(str(damaged))
    wait_for_local(runtime)
    assert "can't load Damaged" in runtime.machine.problem
    assert runtime.chosen_model().model == "smollm2-135m-instruct"
    assert runtime.machine.held == 1


@pytest.mark.model
def test_the_model_can_be_changed_in_mid_run(runtime: Runtime, tmp_path: Path) -> None:
    """The run ends with the model it began with, which then is gone; the next run has the new."""
    copy = tmp_path / "another.gguf"
    copy.symlink_to(require_bundled())
    old = runtime.local
    began_with = runtime.chosen_model()
    run = runtime.engine.start(with_max_tokens(trio(), 150), "rain", began_with)
    events = run.follow()
    next(event for event in events if type(event).__name__ == "BranchWrote")
    pid = old.pid
    assert pid is not None
    runtime.use_local_model(str(copy))
    wait_for_local(runtime)
    assert runtime.local is not old
    assert not run.snapshot.status.finished, "it was no change in mid-run"
    snapshot = run.wait(timeout_s=120)
    assert snapshot.status is RunStatus.SUCCEEDED
    assert {call.plan.model for call in snapshot.calls} == {began_with}
    deadline = monotonic() + 20
    while runtime.machine.held > 1:
        assert monotonic() < deadline, "the old model was not closed"
        runtime.engine.call(_a_moment)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert runtime.fitting_model(began_with).model == "another"
    assert runtime.offers()[0].label == runtime.local.endpoint.name != old.endpoint.name
    late = runtime.engine.start(trio(("joke",)), "rain", began_with).wait(timeout_s=60)
    failure = late.branches[0].failure
    assert failure is not None and "isn't loaded any more" in failure.message


@pytest.mark.model
def test_closing_ends_a_model_that_no_run_ever_asked(tmp_path: Path) -> None:
    with Runtime(Settings(home=tmp_path)) as runtime:
        runtime.engine.call(runtime.machine.warm_up)
        pid = runtime.local.pid
        assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
