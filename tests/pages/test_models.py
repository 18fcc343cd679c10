"""The models page as a script: endpoints come, are priced and go; local models; bad input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from components import session
from fanout.endpoint import BUNDLED
from fanout.engine.runtime import Runtime
from fanout.policies import EndpointPolicy
from fanout.providers.openai_compatible import MODELS_S
from fanout.providers.script import Script
from fanout.providers.scripted_server import ServerHandle, serving
from fanout.types import EndpointId, ModelRef
from tests.rig import free_port

SHELL = Path(__file__).resolve().parents[2] / "components" / "shell.py"
KEY = "sk-very-secret-0123456789"
MINE = EndpointId("mine")


@pytest.fixture(autouse=True)
def runtime() -> Iterator[Runtime]:
    """The app's own, in the FANOUT_HOME of this test."""
    opened = session.runtime()
    opened.usual_ports = {free_port(): "Ollama", free_port(): "LM Studio"}
    yield opened
    session.close_runtime()


@pytest.fixture
def server() -> Iterator[ServerHandle]:
    with serving(Script(key=KEY, models=("alpha", "beta"))) as handle:
        yield handle


def opened() -> AppTest:
    app = AppTest.from_file(SHELL, default_timeout=30).run()
    return drawn(app.switch_page("../pages/models.py").run())


def drawn(app: AppTest) -> AppTest:
    assert not app.exception
    return app


def add(app: AppTest, url: str, **typed: str) -> AppTest:
    for field, text in {"url": url, **typed}.items():
        app.text_input(key=f"new_{field}").set_value(text)
    return drawn(app.button(key="add_endpoint_button").click().run())


def heard(app: AppTest, endpoint: EndpointId = MINE) -> AppTest:
    """The page once that endpoint has said something, if only that it isn't there."""
    session.runtime().check(endpoint, wait_s=MODELS_S + 5)
    return drawn(app.run())


def said(app: AppTest) -> str:
    texts = [
        element.value
        for element in (*app.header, *app.markdown, *app.caption, *app.error, *app.warning)
    ]
    return "\n".join(texts).replace("\\", "")


def kept(home: Path) -> str:
    """All that was written into FANOUT_HOME."""
    files = [path for path in home.rglob("*") if path.is_file()]
    return "\n".join(path.read_text("utf-8", errors="replace") for path in files)


def test_an_endpoint_is_added_and_its_key_is_nowhere_but_in_memory(
    server: ServerHandle, fanout_home: Path
) -> None:
    app = heard(add(opened(), server.base_url, name="Mine", key=KEY))
    assert "It answers, with 2 models." in said(app)
    assert "price unknown · 8 calls at once · key set" in said(app)
    assert app.selectbox(key="model-mine").options == ["alpha", "beta"]
    assert [app.text_input(key=f"new_{f}").value for f in ("url", "key", "name")] == ["", "", ""]
    assert KEY not in str(list(app.session_state.items()))
    (row,) = json.loads((fanout_home / "endpoints.json").read_text())
    assert (row["id"], row["base_url"]) == ("mine", server.base_url)
    assert KEY not in kept(fanout_home)


def test_an_embedding_model_may_be_named_and_is_kept(
    server: ServerHandle, fanout_home: Path
) -> None:
    app = add(opened(), server.base_url, name="Mine", key=KEY, embedding_model=" embed-1 ")
    assert session.runtime().engine.endpoints.get(MINE).embedding_model == "embed-1"
    assert app.text_input(key="new_embedding_model").value == ""
    (row,) = json.loads((fanout_home / "endpoints.json").read_text())
    assert row["embedding_model"] == "embed-1"


def test_a_refused_key_is_told_at_the_endpoint_and_typed_again_there(server: ServerHandle) -> None:
    app = heard(add(opened(), server.base_url, name="Mine", key="sk-wrong-one"))
    assert "Mine did not accept the key" in said(app)
    assert "Press Edit to type it" in said(app)
    assert "sk-wrong-one" not in said(app)
    app.text_input(key="edit-mine-key").set_value(f" {KEY} ")
    app = heard(drawn(app.button(key="edit-mine-save").click().run()))
    assert "It answers, with 2 models." in said(app)
    assert app.text_input(key="edit-mine-key").value == ""
    assert app.selectbox(key="model-mine").value == "alpha"


@pytest.mark.parametrize(
    ("url", "key", "message"),
    [
        ("", "", "The base URL is missing"),
        ("nonsense", "", "The base URL is no web address"),
        ("localhost:11434/v1", "", "The base URL is no web address"),
        ("https://me:pass@example.com/v1", "", "holds a user or password"),
        ("https://example.com/v1?key=abc", "", "goes on after a ?"),
        ("https://example.com/v1", "sk bad", "The API key holds characters that no key has"),
        ("https://example.com/v1", "sk-naïve", "The API key holds characters that no key has"),
    ],
)
def test_what_cannot_be_used_is_said_and_stays_typed(url: str, key: str, message: str) -> None:
    app = add(opened(), url, key=key, name="Mine")
    assert message in said(app)
    typed = [app.text_input(key=f"new_{f}").value for f in ("url", "key", "name")]
    assert typed == [url, key, "Mine"]
    assert MINE not in session.runtime().engine.endpoints


def test_an_endpoint_that_is_not_there_is_added_and_told() -> None:
    port = free_port()
    app = heard(add(opened(), f"http://127.0.0.1:{port}/v1", name="Mine", model="typed"))
    assert f"Nothing answers at 127.0.0.1:{port}" in said(app)
    assert app.selectbox(key="model-mine").value == "typed"


def test_odd_names_are_shown_as_they_are_and_names_are_taken_once(server: ServerHandle) -> None:
    odd = "**<b>Mine</b>** [x](http://a) $a$ 🦊"
    app = add(opened(), server.base_url, name=odd)
    assert odd in said(app)
    app = add(app, f"http://127.0.0.1:{free_port()}/v1", name=odd.upper())
    assert "There is an endpoint named" in said(app)
    app = add(app, server.base_url.replace("127.0.0.1", "localhost"), name="")
    assert "has this address already" in said(app)
    app = add(app, server.base_url, name="A second key")
    assert "A second key" in said(app)


def test_an_own_price_is_shown_and_half_a_price_is_not_taken(server: ServerHandle) -> None:
    app = opened()
    app.number_input(key="new-input").set_value(0.25)
    app = add(app, server.base_url, name="Mine", key=KEY)
    assert "A price needs both numbers" in said(app)
    app.number_input(key="new-output").set_value(2.0)
    app = heard(add(app, server.base_url, name="Mine", key=KEY))
    assert "$0.25 in, $2 out per million tokens" in said(app)
    for part in ("input", "output"):
        app.number_input(key=f"edit-mine-{part}").set_value(0.0)
    app = drawn(app.button(key="edit-mine-save").click().run())
    assert "free · 8 calls" in said(app)
    for part in ("input", "output"):
        app.number_input(key=f"edit-mine-{part}").set_value(None)
    app = drawn(app.button(key="edit-mine-save").click().run())
    assert "price unknown" in said(app)


def test_limits_and_policies_of_an_endpoint_are_set_kept_and_left_to_others_again(
    server: ServerHandle, fanout_home: Path
) -> None:
    app = heard(add(opened(), server.base_url, name="Mine", key=KEY))
    typed: dict[str, float] = {
        "requests_per_minute": 60, "tokens_per_minute": 90_000, "first_token_s": 0.0,
        "attempts": 2, "circuit_failures": 0, "circuit_s": 5.0,
    }  # fmt: skip
    for field, number in typed.items():
        app.number_input(key=f"edit-mine-{field}").set_value(number)
    app.selectbox(key="edit-mine-hedging").set_value("once")
    app.selectbox(key="edit-mine-prefix").set_value("off")
    app = drawn(app.button(key="edit-mine-save").click().run())
    book = session.runtime().engine.endpoints
    set_ = EndpointPolicy(hedging=False, prefix="off", **typed)  # type: ignore[arg-type]
    assert book.get(MINE).policy == set_
    assert (
        "60 requests a minute · 90,000 tokens a minute · no limit to the first word · 2 attempts"
    ) in said(app)
    (row,) = json.loads((fanout_home / "endpoints.json").read_text())
    assert row["policy"]["requests_per_minute"] == 60
    for field in typed:
        app.number_input(key=f"edit-mine-{field}").set_value(None)
    app.selectbox(key="edit-mine-hedging").set_value("unset")
    app.selectbox(key="edit-mine-prefix").set_value("unset")
    app = drawn(app.button(key="edit-mine-save").click().run())
    assert book.get(MINE).policy == EndpointPolicy()


def test_the_model_of_this_machine_has_policies_but_no_key_price_or_rates() -> None:
    app = opened()
    app.number_input(key="edit-local-attempts").set_value(1)
    app = drawn(app.button(key="edit-local-save").click().run())
    assert session.runtime().engine.endpoints.get(BUNDLED).policy == EndpointPolicy(attempts=1)
    keys = {str(f.key) for f in (*app.number_input, *app.text_input)}
    unfit = ("key", "input", "slots", "requests_per_minute", "tokens_per_minute")
    assert not keys & {f"edit-local-{field}" for field in unfit}


def test_runs_ask_what_is_in_use_and_fall_back_when_it_is_removed(server: ServerHandle) -> None:
    app = heard(add(opened(), server.base_url, name="Mine", key=KEY))
    app.selectbox(key="model-mine").set_value("beta").run()
    app = drawn(app.button(key="use-mine").click().run())
    assert "Your runs ask beta at Mine" in said(app)
    other = opened()
    assert "Your runs ask SmolLM2 135M" in said(other), "another session chooses for itself"
    drawn(app.switch_page("../pages/run.py").run())
    assert app.selectbox(key="model").value == ModelRef(endpoint=MINE, model="beta")
    drawn(other.run())
    drawn(other.button(key="remove-mine").click().run())
    drawn(app.run())
    fallen_back = app.selectbox(key="model").value
    assert fallen_back is not None and fallen_back.endpoint == BUNDLED
    assert MINE not in session.runtime().engine.endpoints


def test_a_server_that_runs_here_is_offered_with_its_models(runtime: Runtime) -> None:
    with serving(Script(models=("qwen3:4b", "llama3.2:3b"))) as found:
        port = int(found.base_url.removesuffix("/v1").rpartition(":")[2])
        runtime.usual_ports = {port: "Ollama"}
        app = opened()
        assert "2 models: llama3.2:3b, qwen3:4b" in said(app)
        app = drawn(app.button(key=f"add-found-{port}").click().run())
        app = heard(app, EndpointId("ollama"))
        assert "No other model server answers here" in said(app)
        assert app.selectbox(key="model-ollama").options == ["llama3.2:3b", "qwen3:4b"]
        assert "free · 8 calls at once" in said(app)


def test_a_local_model_that_cannot_be_is_said_and_stays_typed() -> None:
    app = opened()
    assert "**SmolLM2 135M** · real, small, free" in said(app)
    for setting, message in (
        ("/no/such.gguf", "There is no model file such.gguf"),
        ("what is this", "names no local model"),
        ("", "Type the path of a .gguf file or a Hub name first"),
    ):
        app.text_input(key="local_setting").set_value(setting)
        app = drawn(app.button(key="load_local").click().run())
        assert message in said(app)
        assert app.text_input(key="local_setting").value == setting
    assert session.runtime().machine.bundled


def test_a_model_of_ones_own_is_not_called_small_and_can_be_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session.close_runtime()
    monkeypatch.setenv("FANOUT_MODEL", "/no/large.gguf")
    app = opened()
    assert "real, free" in said(app) and "small" not in said(app)
    assert "There is no model file large.gguf" in said(app)
    assert {"again_local", "bundled_local"} <= {button.key for button in app.button}


def test_a_home_that_cannot_be_written_is_told_and_everything_works(
    server: ServerHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.close_runtime()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FANOUT_HOME", str(tmp_path / "file" / "home"))
    app = add(opened(), server.base_url, name="Mine", key=KEY)
    assert "FANOUT_HOME" in said(app)
    assert "could not be kept" in said(app)
    app = heard(app)
    assert "It answers, with 2 models." in said(app)
    app = drawn(app.button(key="remove-mine").click().run())
    assert "Mine is removed, but FANOUT_HOME can't be written" in said(app)
    assert MINE not in session.runtime().engine.endpoints
