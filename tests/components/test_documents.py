"""The documents of the Run page: dropped, told about, listed, chosen, opened, removed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from components import session
from components.documents.intake import Intake
from components.documents.reader import text_pages
from components.documents.shelf import facts
from fanout.bounds import Bounds
from fanout.engine.runtime import Runtime
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import serving
from fanout.settings import Settings
from fanout.workflows.definition import Models, Moderation, Research
from tests.retrieval.sample_files import encrypted, pdf

SHELL = Path(__file__).resolve().parents[2] / "components" / "shell.py"
NOTE = b"The lighthouse keeper is paid 40 crowns a night."


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    """The app's own engine, asking a scripted endpoint."""
    with serving(Script(otherwise=Reply(text="Words [1]."), models=("scripted", "other"))) as at:
        monkeypatch.setenv("OPENAI_BASE_URL", at.base_url)
        monkeypatch.setenv("FANOUT_MODEL", "scripted")
        yield session.runtime()
        session.close_runtime()


def opened(workflow: str = "research", **query: str) -> AppTest:
    app = AppTest.from_file(SHELL, default_timeout=30)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    if not query:
        app.selectbox(key="workflow").set_value(workflow).run()
    assert not app.exception
    return app


def dropped(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    (field,) = app.file_uploader
    field.set_value([(name, data, "") for name, data in files]).run()
    intake: Intake = app.session_state["documents_intake"]
    intake.wait(20)
    app.run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    shown = (*app.markdown, *app.caption, *app.error, *app.warning)
    return "\n".join(element.value for element in shown).replace("\\", "")


def names(runtime: Runtime) -> list[str]:
    return [document.name for document in runtime.library.documents()]


def own(runtime: Runtime) -> list[str]:
    return [one.name for one in runtime.library.documents() if not one.sample]


def run_of(app: AppTest, topic: str = "What is the keeper paid?") -> Research:
    app.text_area(key="topic").set_value(topic)
    app.button(key="run").click().run()
    handle = session.runtime().engine.runs()[0]
    handle.wait(timeout_s=20)
    workflow = handle.workflow
    assert isinstance(workflow, Research)
    return workflow


def test_the_area_belongs_to_research_alone() -> None:
    assert not opened("creative-trio").file_uploader
    app = opened()
    assert len(app.file_uploader) == 1
    assert any("all 7 are searched" in expander.label for expander in app.expander)
    assert "member-handbook.md" in said(app) and "sample" in said(app)


def test_dropped_files_are_kept_once_whatever_is_clicked_afterwards(runtime: Runtime) -> None:
    app = dropped(opened(), ("keeper.txt", NOTE), ("lamp.md", b"# Lamp\n\nIt is cleaned."))
    assert sorted(own(runtime)) == ["keeper.txt", "lamp.md"]
    for _ in range(2):
        app.text_area(key="topic").set_value("another topic").run()
    assert sorted(own(runtime)) == ["keeper.txt", "lamp.md"]
    assert "Added keeper.txt, lamp.md." in said(app)
    app.button(key="documents_dismiss").click().run()
    assert "Added" not in said(app)


def test_each_bad_file_of_a_drop_is_told_and_the_others_are_kept(runtime: Runtime) -> None:
    app = dropped(
        opened(),
        ("empty.txt", b""),
        ("noise.bin", bytes(range(256))),
        ("scan.pdf", pdf(["", ""])),
        ("locked.pdf", encrypted(pdf(["hello"]), "password")),
        ("keeper.txt", NOTE),
        ("köln.txt", "Die Gebühr beträgt 12 Euro.".encode("cp1252")),
    )
    words = said(app)
    for part in (
        "empty.txt is empty", "noise.bin can't be read", "looks scanned", "encrypted",
        "Windows-1252 was assumed",
    ):  # fmt: skip
        assert part in words, part
    assert sorted(own(runtime)) == ["keeper.txt", "köln.txt"]


def test_the_same_file_again_is_already_here(runtime: Runtime) -> None:
    app = dropped(opened(), ("keeper.txt", NOTE))
    dropped(app, ("copy of keeper.txt", NOTE))
    assert "It is already here as keeper.txt" in said(app)
    assert own(runtime) == ["keeper.txt"]


def test_a_file_that_is_too_big_is_refused_by_its_size(runtime: Runtime) -> None:
    app = dropped(opened(), ("long.txt", b"word " * 10_200_000), ("keeper.txt", NOTE))
    assert "long.txt has 51 MB" in said(app) and own(runtime) == ["keeper.txt"]


def test_a_removed_document_comes_back_by_undo(runtime: Runtime) -> None:
    app = dropped(opened(), ("keeper.txt", NOTE))
    id = next(one.id for one in runtime.library.documents() if one.name == "keeper.txt")
    app.button(key=f"remove-{id}").click().run()
    assert "keeper.txt" not in names(runtime) and "Removed keeper.txt" in said(app)
    app.button(key="documents_undo").click().run()
    assert "keeper.txt" in names(runtime) and "Removed" not in said(app)


def test_samples_that_were_removed_can_be_brought_back(runtime: Runtime) -> None:
    app = opened()
    for document in runtime.library.documents():
        runtime.library.remove(document.id)
    app.run()
    assert "There are no documents yet" in said(app)
    app.button(key="documents_samples").click().run()
    assert len(names(runtime)) == 7


def test_documents_outlive_a_restart() -> None:
    dropped(opened(), ("keeper.txt", NOTE))
    session.close_runtime()
    assert "keeper.txt" in said(opened())


def test_a_run_searches_the_chosen_documents_and_its_address_brings_the_choice_back(
    runtime: Runtime,
) -> None:
    app = dropped(opened(), ("keeper.txt", NOTE))
    (id,) = (one.id for one in runtime.library.documents() if one.name == "keeper.txt")
    assert run_of(app).documents == ()
    app.multiselect(key="documents-research").set_value([id]).run()
    assert run_of(app).documents == (id,)
    handle = runtime.engine.runs()[0]
    found = {hit.passage.title for branch in handle.snapshot.branches for hit in branch.hits}
    assert found == {"keeper.txt"}
    again = opened(run=handle.id)
    assert again.multiselect(key="documents-research").value == [id]
    assert any("1 of 8 is searched" in expander.label for expander in again.expander)


def test_a_choice_of_documents_that_are_gone_is_told(runtime: Runtime) -> None:
    app = dropped(opened(), ("keeper.txt", NOTE))
    (id,) = (one.id for one in runtime.library.documents() if one.name == "keeper.txt")
    app.multiselect(key="documents-research").set_value([id]).run()
    app.button(key=f"remove-{id}").click().run()
    assert "are not here any more, so all are searched" in said(app)


def test_a_document_opens_as_plain_text(runtime: Runtime) -> None:
    evil = b"# Not a heading\n\n<img src=x onerror=alert(1)> **not bold**"
    app = dropped(opened(), ("evil.txt", evil))
    (id,) = (one.id for one in runtime.library.documents() if one.name == "evil.txt")
    app.button(key=f"open-{id}").click().run()
    (html,) = (block for block in app.get("html") if "heading" in block.proto.body)
    assert "&lt;img src=x" in html.proto.body and "<img" not in html.proto.body


def test_a_long_text_is_cut_into_parts_that_hold_all_of_it() -> None:
    text = " ".join(f"word{i}" for i in range(5000))
    pages = text_pages(text, 1000)
    assert all(len(page) <= 1000 for page in pages)
    assert " ".join(pages).split() == text.split()
    assert "".join(text_pages("x" * 2500, 1000)) == "x" * 2500
    assert text_pages("", 10) == [""]


def test_what_a_document_is_fits_on_a_line(runtime: Runtime) -> None:
    added = runtime.library.add("two.pdf", pdf(["One page.", "Another page."]))
    assert facts(added.document).startswith("pdf · 2 pages · ")


def test_reading_goes_on_off_the_page_and_once_stopped_keeps_nothing(runtime: Runtime) -> None:
    intake = Intake()
    intake.take(runtime, [("big.pdf", pdf(["The wind turns. " * 40] * 300))])
    (upload,) = intake.uploads
    assert intake.reading == (upload,), "the page waited for it"
    upload.stop()
    assert upload.wait(20)
    assert upload.state == "refused" and "was stopped" in upload.message
    assert "big.pdf" not in names(runtime)


@pytest.mark.usefixtures("runtime")
def test_a_rule_and_early_stop_travel_into_the_run_and_back() -> None:
    app = opened("moderation")
    assert not [field for field in app.number_input if field.key == "k-moderation"]
    app.selectbox(key="rule-moderation").set_value("k_of_n").run()
    app.number_input(key="k-moderation").set_value(2).run()
    app.selectbox(key="early_stop-moderation").set_value("never").run()
    app.text_area(key="topic").set_value("Some text.")
    app.button(key="run").click().run()
    handle = session.runtime().engine.runs()[0]
    assert isinstance(handle.workflow, Moderation)
    vote = handle.workflow.vote
    assert (vote.rule, vote.k, vote.early_stop) == ("k_of_n", 2, "never")
    handle.wait(timeout_s=20)
    again = opened(run=handle.id)
    assert again.selectbox(key="rule-moderation").value == "k_of_n"
    assert again.number_input(key="k-moderation").value == 2
    assert again.selectbox(key="early_stop-moderation").value == "never"


@pytest.mark.usefixtures("runtime")
def test_more_votes_than_voters_is_a_problem_in_words() -> None:
    app = opened("moderation")
    app.selectbox(key="rule-moderation").set_value("k_of_n").run()
    app.number_input(key="k-moderation").set_value(9).run()
    assert "only 5 will vote" in said(app)


@pytest.mark.usefixtures("runtime")
def test_models_are_chosen_from_all_offers_and_travel_with_the_run() -> None:
    app = opened("models")
    assert "at the temperatures 0.2, 0.7, 1.1" in said(app)
    field = app.multiselect(key="models-models")
    named = [option for option in field.options if "at 127.0.0.1" in option]
    assert len(named) == 2
    field.set_value(["environment/scripted", "environment/other"]).run()
    assert "at the temperatures" not in said(app)
    app.text_area(key="topic").set_value("rain")
    app.button(key="run").click().run()
    handle = session.runtime().engine.runs()[0]
    assert isinstance(handle.workflow, Models)
    assert [b.plan.model.model for b in handle.snapshot.branches] == ["scripted", "other"]
    handle.wait(timeout_s=20)
    value = opened(run=handle.id).multiselect(key="models-models").value
    assert value == ["environment/scripted", "environment/other"]


@pytest.mark.usefixtures("runtime")
def test_a_branch_is_asked_as_often_as_the_editor_says() -> None:
    app = opened("reasoning")
    app.session_state["edit_branches"] = True
    app.run()
    (times,) = [field for field in app.number_input if field.label == "Times"][:1]
    times.set_value(3).run()
    assert "7 branches" in said(app)


def test_files_past_a_bound_are_refused_unread_and_the_others_are_kept(tmp_path: Path) -> None:
    bounds = Bounds(upload_bytes=2000, documents=6)
    with Runtime(Settings(home=tmp_path / "bounded", bounds=bounds)) as runtime:
        intake = Intake()
        texts = [(f"{number}.txt", f"Text {number}.".encode()) for number in range(9)]
        intake.take(runtime, [("large.txt", b"x" * 2001), *texts])
        intake.wait(20)
        states = [upload.state for upload in intake.uploads]
        assert "FANOUT_MAX_UPLOAD_MB" in intake.uploads[0].message
        assert "Remove some first" in intake.uploads[-1].message
        assert sum(not each.sample for each in runtime.library.documents()) == 6
    assert states == ["refused", *["kept"] * 6, *["refused"] * 3]
