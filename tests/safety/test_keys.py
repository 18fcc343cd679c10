"""No key is found in anything that Fanout writes, however loudly its endpoint repeats it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.safety.echo import echoing
from tests.safety.keys import ENVIRONMENT, SECRETS
from tests.safety.looking import leaks, written_in

ROOT = Path(__file__).resolve().parents[2]
SEVERAL = """
import json, logging, sys
from fanout.cli.main import main
# Every library says all that it can.
logging.basicConfig(level="DEBUG")
for arguments in json.loads(sys.argv[1]):
    print(arguments, flush=True)
    try:
        print("status", main(arguments), flush=True)
    except SystemExit as end:
        print("exit", end.code, flush=True)
"""
FORMATS = ("json", "md", "html", "csv", "xlsx", "docx", "zip")


def commands(
    folder: Path, base_url: str, *several: list[str], **more: str
) -> list[tuple[str, bytes]]:
    """What these commands print, run one after the other in one process."""
    environment = {**os.environ, **ENVIRONMENT, "OPENAI_BASE_URL": base_url, **more}
    environment["FANOUT_HOME"] = str(folder / "home")
    done = subprocess.run(
        [sys.executable, "-c", SEVERAL, json.dumps(several)],
        cwd=ROOT, env=environment, capture_output=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return [("standard output", done.stdout), ("standard error", done.stderr)]


def test_the_commands_write_no_key_anywhere(tmp_path: Path) -> None:
    asked = ["run", "creative-trio", "--topic", "parrots", "--model", "plain"]
    files = tmp_path / "exports"
    files.mkdir()
    exports = [
        ["export", "last", "--format", each, "--output", str(files / f"run.{each}")]
        for each in FORMATS
    ]
    with echoing() as echo:
        said = commands(
            tmp_path, echo.base_url, asked, [*asked, "--json"],
            ["show", "last"], ["show", "last", "--json"], ["show", "last", "--events"],
            ["history", "--json"], ["replay", "last", "--speed", "0"], ["resume", "last"],
            *exports, FANOUT_DATABASE_URL="",
        )  # fmt: skip
        # The same where the record can't be opened, whose address holds a password.
        said += commands(tmp_path, echo.base_url, asked, ["history"])
    assert echo.heard == {SECRETS["key of the environment"]}
    output = said[0][1].decode()
    assert b"DEBUG:httpcore2" in said[1][1]
    # It did answer, and was quoted: what was struck out shows that there was something to find.
    assert "Whole: ***. Cut: ***. Coded: " in output
    assert "and the rest." in output
    assert len(list(files.iterdir())) == len(FORMATS)
    assert leaks(SECRETS, [*said, *written_in(tmp_path)]) == []


def test_a_leak_would_be_found(tmp_path: Path) -> None:
    key = SECRETS["key of the page"]
    (tmp_path / "a.bin").write_bytes(b"\0\1" + key.encode())
    (tmp_path / "b.txt").write_bytes(base64.b64encode(f"Bearer {key}".encode()))
    (tmp_path / "c.txt").write_bytes(key[::-1].encode())
    with zipfile.ZipFile(tmp_path / "d.docx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", f"<t>{key}</t>" * 9)
    found = leaks(SECRETS, written_in(tmp_path))
    assert {place.rpartition(" ")[2] for place in found} == {
        "a.bin", "b.txt", "c.txt", "d.docx:word/document.xml",
    }  # fmt: skip
