"""README keeps its word: its commands exist and run, its links lead somewhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from fanout.cli.main import _parser
from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import serving
from fanout.workflows.library import shipped

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```\n(.*?)```", README, re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line.startswith("python")]
OURS = [line for line in COMMANDS if line.startswith("python -m fanout ")]


def test_every_fanout_command_in_it_is_understood() -> None:
    assert len(OURS) >= 5
    for line in OURS:
        assert _parser().parse_args(shlex.split(line.split(" > ")[0])[3:]).command, line


FILES = ("run.json", "topics.csv", "results.xlsx")
GOES_ON = re.compile("serve-model|fanout worker")
"""Until it is told to end."""
TRIAL = "batch topics.csv --workflow review --yes --trial"


@pytest.mark.parametrize("line", [line for line in OURS if not GOES_ON.search(line)])
def test_every_fanout_command_in_it_runs(
    line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = line.split(" > ")[0]
    earlier = []
    if "batch" in said:
        earlier = [["-m", "fanout", *shlex.split(TRIAL)]] if "last" in said else []
    elif " last" in said or "import" in said or "history" in said:
        earlier = [["-m", "fanout", "run", "review", "--topic", "remote work"]]
    if "import" in said:
        earlier.append(
            ["-m", "fanout", "export", "last", "--format", "json", "--output", "run.json"]
        )
    vote = Rule(prompt="Policy:", replies=(Reply(text='{"reason": "Kept.", "verdict": "allow"}'),))
    script = Script(rules=(vote,), otherwise=Reply(text="Fine words."), models=("m",))
    monkeypatch.setenv("FANOUT_HOME", str(tmp_path))
    topics = "".join(f"topic {number}\n" for number in range(5))
    (tmp_path / "topics.csv").write_text(f"topic\n{topics}", "utf-8")
    with serving(script) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        arguments = [
            server.base_url if argument.startswith("http://localhost") else argument
            for argument in shlex.split(said)[1:]
        ]
        for command in (*earlier, arguments):
            done = subprocess.run(
                [sys.executable, *(str(tmp_path / a) if a in FILES else a for a in command)],
                cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
    # What a doctor finds depends on the machine; 3 are warnings.
    assert done.returncode in ((0, 3) if "doctor" in said else (0,)), done.stderr
    assert done.stdout


@pytest.mark.model
def test_the_main_job_runs_on_the_model_of_this_machine() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fanout", "run", "creative-trio", "--topic", "remote work"],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for heading in ("## Joke", "## Story", "## Poem", "## Synthesis of 3 of 3"):
        assert len(done.stdout.split(heading)[1].split("##")[0].split()) >= 3, heading
    assert "free" in done.stdout


def test_its_set_up_commands_are_those_of_run_py() -> None:
    assert "python3 run.py" in COMMANDS
    assert "python3 run.py test" in COMMANDS


def test_its_links_and_pictures_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def test_it_lists_every_shipped_workflow() -> None:
    for workflow in shipped().workflows:
        assert f"| `{workflow.name}` |" in README
