"""docs/deploy.md keeps its word: what it names exists, and its settings are understood."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

from fanout.cli.main import _parser
from fanout.settings_names import unknown_names
from fanout.settings_table import BY_NAME

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "deploy.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL)


def test_every_command_of_ours_is_understood() -> None:
    commands = re.findall(r"python -m fanout ([a-z][\w -]*?)(?=[`#\n]|\s{2})", PAGE)
    assert len(commands) >= 4
    for command in commands:
        assert _parser().parse_args(command.split()).command


def test_every_name_in_it_is_a_setting() -> None:
    names = set(re.findall(r"\bFANOUT_[A-Z_]+\b", PAGE))
    assert len(names) >= 6 and unknown_names(names) == ()


def test_every_file_and_link_in_it_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[\w-]+)?\)", PAGE)
    files = re.findall(r"\bdeploy/(?!secrets\b(?!\.sh)|\.env)[\w./@-]*\w", PAGE)
    files += re.findall(r"requirements[\w-]*\.(?:txt|lock)", PAGE)
    assert links and files
    for link in links:
        assert (ROOT / "docs" / link).exists(), link
    for file in files:
        assert (ROOT / file).exists(), file


def test_its_toml_can_be_read_and_names_settings() -> None:
    tables = [tomllib.loads(text) for kind, text in BLOCKS if kind == "toml"]
    assert tables
    for table in tables:
        assert unknown_names(table) == ()


def test_a_section_that_it_points_at_is_there() -> None:
    sharing = (ROOT / "docs" / "sharing.md").read_text("utf-8")
    for section in re.findall(r"sharing\.md#([\w-]+)", PAGE):
        heads = re.findall(r"^## (.+)$", sharing, re.MULTILINE)
        assert section in {head.lower().replace(" ", "-") for head in heads}


def test_every_lock_is_installed_by_its_hashes_and_in_the_image_too() -> None:
    image = " ".join((ROOT / "Dockerfile").read_text("utf-8").split())
    for name in ("requirements.lock", "requirements-model.lock", "requirements-trace.lock"):
        assert re.search(rf"pip install --only-binary :all: .*--require-hashes -r {name}", PAGE)
        assert re.search(rf"--require-hashes (\\ )?-r {name}", image)


def test_its_shell_can_be_read() -> None:
    scripts = [text for kind, text in BLOCKS if kind == "sh"]
    assert len(scripts) >= 6
    for script in scripts:
        done = subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True)
        assert (done.returncode, done.stderr) == (0, ""), script


def test_what_an_operator_writes_for_compose_reaches_somebody() -> None:
    (script,) = [text for kind, text in BLOCKS if kind == "sh" and "cat > deploy/.env" in text]
    written = re.findall(r"^([A-Z_]+)=", script, re.MULTILINE)
    compose = (ROOT / "deploy" / "compose.yaml").read_text("utf-8")
    assert len(written) >= 5
    for name in written:
        known = name in BY_NAME and not BY_NAME[name].secret
        assert known or f"${{{name}:-" in compose, name
