"""What a worker writes where nobody sits before it: batches by their ids, their titles nowhere."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

import pytest

from fanout.batch.naming import without_titles
from fanout.batches import Batch, BatchState
from fanout.types import BatchId, EndpointId, ModelRef
from tests.cli.batch_desk import ROOT, desk
from tests.rig import free_port

TITLE = "words-of-a-person"


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_title_of_a_batch_is_in_a_workers_log(form: str, tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        file = tmp_path / f"{TITLE}.csv"
        file.write_text("topic\nrain\nfog\n", "utf-8")
        begun = here.batch(str(file), "--detach")
        assert begun.returncode == 0, begun.stderr
        listed = here.fanout("batches").stdout
        assert TITLE in listed
        elsewhere = {
            **os.environ,
            **here.environment,
            # Not the endpoint that the batch is meant for, so there is something to say of it.
            "OPENAI_BASE_URL": f"http://127.0.0.1:{free_port()}/v1",
            "FANOUT_LOG": form,
            "FANOUT_LOG_LEVEL": "info",
        }
        with Popen(
            [sys.executable, "-m", "fanout", "worker"],
            cwd=ROOT, env=elsewhere, stdin=DEVNULL, stderr=PIPE, text=True,
        ) as worker:  # fmt: skip
            assert worker.stderr is not None
            lines: list[str] = []
            for line in worker.stderr:
                lines.append(line)
                told = "".join(lines)
                if "left to others" in told and ", running: " in told:
                    break
            worker.send_signal(signal.SIGTERM)
            lines += worker.stderr
    said = "".join(lines)
    assert TITLE not in said
    assert re.search(r"The batch [\w-]+ asks", said)
    if form == "json":
        logged = [json.loads(line) for line in lines]
        assert {"warning", "info"} == {one["level"] for one in logged}
        assert any("Leaving" in one["message"] for one in logged)
    else:
        assert "Leaving" in said


def batch(title: str) -> Batch:
    return Batch(
        id=BatchId("b1"), title=title, workflow="trio", definition={}, state=BatchState.RUNNING,
        model=ModelRef(endpoint=EndpointId("here"), model="m"),
    )  # fmt: skip


def test_titles_give_way_to_ids_and_one_that_is_not_known_any_more_to_no_name() -> None:
    one = batch('My "quoted" plans')
    (known,) = without_titles([f'The batch "{one.title}" waits: Here failed.'], [one])
    assert known == "The batch b1 waits: Here failed."
    (unknown,) = without_titles(['The batch "Gone" waits: Here failed.'], [one])
    assert "Gone" not in unknown
    assert without_titles(["The database is away."], [one]) == ("The database is away.",)
