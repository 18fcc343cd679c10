"""What a person's view remembers from run to run, and when what they added is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fanout.batches import NewBatch, Row
from fanout.engine.runtime import Runtime
from fanout.engine.visitors import GONE_S
from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import ServerHandle, serving
from fanout.settings import Settings
from fanout.types import ModelRef
from fanout.workflows.library import shipped
from tests.shared.test_apart import ADA, MODEL, PAIR, added, view

SCRIPT = Script(
    rules=(Rule(prompt="unhurried", replies=(Reply(text="word " * 400, tokens_per_s=40),)),),
    rejects_forms=frozenset({"json_schema"}),
)


@pytest.fixture
def endpoint() -> Iterator[ServerHandle]:
    with serving(SCRIPT) as server:
        yield server


@pytest.fixture
def whole(fanout_home: Path, endpoint: ServerHandle) -> Iterator[Runtime]:
    url = endpoint.base_url
    hosts = ("127.0.0.1",)
    with Runtime(
        Settings(home=fanout_home, base_url=url, model="scripted", shared=True, allowed_hosts=hosts)
    ) as whole:
        yield whole


def test_what_was_added_is_forgotten_after_signing_out_once_no_run_needs_it(
    whole: Runtime, endpoint: ServerHandle
) -> None:
    ada = view(whole, ADA)
    assert whole.visitors is not None
    mine = added(ada, endpoint.base_url)
    handle = ada.engine.start(PAIR, "unhurried", ModelRef(endpoint=mine, model="scripted"))
    whole.visitors.sign_out(ADA)
    assert mine in ada.engine.endpoints
    handle.stop()
    handle.wait(10)
    whole.visitors.sign_out(ADA)
    assert mine not in ada.engine.endpoints


def test_what_was_added_stays_for_as_long_as_a_batch_of_theirs_goes_on(
    whole: Runtime, endpoint: ServerHandle
) -> None:
    ada = view(whole, ADA)
    assert whole.visitors is not None
    mine = added(ada, endpoint.base_url)
    model = ModelRef(endpoint=mine, model="scripted")
    new = NewBatch(title="Rain", workflow="pair", definition={}, model=model)
    batch = ada.store.batches.create(new, [Row(number=1, topic="rain")])
    ada.store.batches.resume(batch)
    whole.visitors.sign_out(ADA)
    assert mine in ada.engine.endpoints
    ada.store.batches.pause(batch)
    whole.visitors.sign_out(ADA)
    assert mine not in ada.engine.endpoints


def test_who_comes_back_after_half_an_hour_finds_no_key_of_theirs(
    whole: Runtime, endpoint: ServerHandle
) -> None:
    ada = view(whole, ADA)
    mine = added(ada, endpoint.base_url)
    assert mine in view(whole, ADA).engine.endpoints
    ada.seen -= GONE_S
    assert mine not in view(whole, ADA).engine.endpoints


def test_what_a_persons_first_run_learnt_about_a_model_their_next_one_knows(
    whole: Runtime, endpoint: ServerHandle
) -> None:
    def refused() -> int:
        """How many calls of one more run were asked in a form that this endpoint refuses."""
        before = len(endpoint.requests)
        view(whole, ADA).engine.start(shipped().get("moderation"), "A text.", MODEL).wait(20)
        forms = [seen.body.get("response_format") for seen in endpoint.requests[before:]]
        return sum(isinstance(form, dict) and form.get("type") == "json_schema" for form in forms)

    assert refused() > 0
    assert refused() == 0
