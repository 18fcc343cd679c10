"""`python -m fanout run`: one run, from the arguments to the exit status."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from fanout.cli.documents import ids_of
from fanout.cli.edits import edited
from fanout.cli.progress import Progress, print_results
from fanout.endpoint import Endpoint
from fanout.engine.handle import RunHandle
from fanout.engine.runtime import Runtime
from fanout.record import event_record, run_record
from fanout.settings import Settings, checked_url
from fanout.snapshot import Snapshot
from fanout.types import ModelRef, RunStatus
from fanout.workflows.definition import Workflow, with_max_tokens
from fanout.workflows.library import load_all, load_file

EXIT_STATUS = {
    RunStatus.SUCCEEDED: 0,
    RunStatus.PARTIAL: 3,
    RunStatus.FAILED: 1,
    RunStatus.STOPPED: 130,
    RunStatus.INTERRUPTED: 1,
    RunStatus.RUNNING: 1,
}


def run_command(options: argparse.Namespace) -> int:
    """Run a workflow and print what the options ask for."""
    workflow = edited(chosen_workflow(options.workflow), options)
    if options.max_tokens is not None:
        workflow = with_max_tokens(workflow, options.max_tokens)
    topic = _topic(options.topic)
    settings = Settings.from_environment(environment_of(options))
    with Runtime(settings) as runtime:
        if options.documents:
            found = ids_of(runtime.library, options.documents)
            workflow = workflow.model_copy(update={"documents": found})
        model = runtime.chosen_model()
        for problem in runtime.problems:
            print(f"fanout: {problem}", file=sys.stderr)
        handle = runtime.engine.start(workflow, topic, model)
        stop_on_signals(handle)
        about = _about(runtime.engine.endpoints.get(model.endpoint), model)
        snapshot = show_run(handle, options, about)
        if runtime.store.kept and not (options.json or options.events):
            print(f"Kept as {handle.id}", file=sys.stderr)
    say_what_is_not_kept(runtime, handle)
    return EXIT_STATUS[snapshot.status]


def say_what_is_not_kept(runtime: Runtime, handle: RunHandle) -> None:
    """After the record was closed: what of this run a later `show` will not find."""
    scribe = runtime.engine.scribe
    if handle.outdated:
        print(
            "fanout: another process of Fanout went on with this run at the same time; what came "
            "here is not kept. `python -m fanout show` prints what is.",
            file=sys.stderr,
        )
    elif scribe is not None and scribe.problem:
        print(f"fanout: this run could not be kept: {scribe.problem}", file=sys.stderr)


def show_run(handle: RunHandle, options: argparse.Namespace, about: str) -> Snapshot:
    """Print a run while it goes on, or at its end, as the options ask for; how it ended."""
    if options.events:
        for event in handle.follow():
            print(json.dumps(event_record(event), ensure_ascii=False), flush=True)
    elif options.json:
        snapshot = handle.wait()
        print(json.dumps(run_record(snapshot, handle.now_s()), ensure_ascii=False))
    else:
        Progress(handle, about, sys.stderr).show()
        print_results(handle.snapshot, sys.stdout)
    return handle.snapshot


def _about(endpoint: Endpoint, model: ModelRef) -> str:
    return endpoint.name if model.model in endpoint.name else f"{model.model} at {endpoint.name}"


def chosen_workflow(name: str) -> Workflow:
    """A shipped one, one of the user's own, or the one in a file."""
    if name.endswith(".toml"):
        return load_file(Path(name))
    return load_all(Settings.usable()[0].home).get(name)


def _topic(text: str) -> str:
    if text != "-":
        return text
    return sys.stdin.buffer.read().decode("utf-8", errors="replace")


def environment_of(options: argparse.Namespace) -> dict[str, str]:
    """The options win over the environment; whoever gives a base URL here also gave the key."""
    environment = dict(os.environ)
    if options.base_url:
        environment["OPENAI_BASE_URL"] = checked_url(options.base_url, "--base-url")
    if options.model:
        environment["FANOUT_MODEL"] = options.model
    return environment


def stop_on_signals(handle: RunHandle) -> None:
    """The first signal stops the run and keeps its text; a second one ends the process at once."""

    def stop(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        handle.stop()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
