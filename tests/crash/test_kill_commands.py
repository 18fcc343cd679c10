"""`python -m fanout run` killed for real, then `show`, `history` and `resume` in new processes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import ServerHandle, serving

ROOT = Path(__file__).resolve().parents[2]
STORY = "Once there was a branch that wrote with care and at length. " * 4
TEXTS = {"joke": "All three, in one piece.", "story": STORY, "poem": STORY * 2}
SCRIPT = Script(
    rules=(
        Rule(prompt="[Joke]", replies=(Reply(text="Together.", tokens_per_s=10),)),
        *(
            Rule(prompt=word, replies=(Reply(text=text, tokens_per_s=40),))
            for word, text in TEXTS.items()
        ),
    )
)
ENDS = "branch_finished"


def fanout(server: ServerHandle, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "fanout", *arguments],
        cwd=ROOT,
        env={**os.environ, "OPENAI_BASE_URL": server.base_url, "FANOUT_MODEL": "scripted"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen[str]) -> dict[str, object]:
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    record: dict[str, object] = json.loads(out)
    return record


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """What `--events` had printed when it was killed."""

    events: list[dict[str, object]]

    @property
    def run_id(self) -> str:
        return str(self.events[0]["run_id"])

    @property
    def ended(self) -> list[dict[str, object]]:
        return [event for event in self.events if event["event"] == ENDS]

    def text(self, branch: object) -> str:
        mine = [e for e in self.events if e["event"] == "branch_wrote" and e["id"] == branch]
        return "".join(str(event["text"]) for event in mine)


def killed(server: ServerHandle, topic: str, after_s: float, sees_end: bool) -> Killed:
    """Runs until so long after its first line, or until the first branch has ended."""
    process = fanout(server, "run", "creative-trio", "--topic", topic, "--events")
    assert process.stdout is not None
    lines = [process.stdout.readline()]
    end = threading.Timer(60 if sees_end else after_s, process.send_signal, [signal.SIGKILL])
    end.start()
    for line in process.stdout:
        lines.append(line)
        if sees_end and ENDS in line:
            process.kill()
            break
    lines += process.stdout.readlines()
    process.stdout.close()
    end.cancel()
    process.stdout = None
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGKILL
    whole = [line for line in lines if line.endswith("\n")]
    return Killed(events=[json.loads(line) for line in whole])


def branches(record: dict[str, object]) -> dict[str, dict[str, object]]:
    found = record["branches"]
    assert isinstance(found, list)
    return {branch["id"]: branch for branch in found}


def test_what_a_killed_command_had_printed_as_ended_is_shown_and_resumed() -> None:
    dice = random.Random(7)
    with serving(SCRIPT) as server:
        deaths = [
            killed(server, f"rain-{number}-", dice.uniform(0.0, 2.2), number % 2 == 0)
            for number in range(5)
        ]
        for death in deaths:
            check(server, death)


def check(server: ServerHandle, death: Killed) -> None:
    shown = said(fanout(server, "show", death.run_id, "--json"))
    assert shown["status"] == "interrupted"
    there = branches(shown)
    for event in death.ended:
        branch = there[str(event["id"])]
        assert (branch["status"], branch["text"]) == ("done", death.text(event["id"]))
    before = len(server.requests)
    resumed = said(fanout(server, "resume", death.run_id, "--json"))
    assert resumed["status"] == "succeeded"
    missing = [name for name, branch in there.items() if branch["status"] != "done"]
    assert len(server.requests) - before == len(missing) + 1
    after = branches(resumed)
    for name, branch in there.items():
        if name not in missing:
            assert after[name]["text"] == branch["text"]
    assert all(branch["status"] == "done" for branch in after.values())
