"""What is installed is what was locked: by hash, from no named place, under licences that fit."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from fanout.cli.main import main
from fanout.inventory import normal, packages, read_lock

ROOT = Path(__file__).resolve().parents[1]
PIN = re.compile(r"^([\w.-]+)(?:\[[\w,]+\])?==([^\s;]+)", re.MULTILINE)
PAIRS = [
    ("requirements", 60),
    ("requirements-model", 2),
    ("requirements-dev", 60),
    ("requirements-trace", 6),
]
COPYLEFT = re.compile(r"(?<![A-Za-z])A?GPL|\bGNU (?:Affero )?General|unknown|SSPL|BUSL", re.I)


@pytest.mark.parametrize(("name", "least"), PAIRS)
def test_each_lock_has_every_pin_with_its_hashes(name: str, least: int) -> None:
    locked = {each.name: each for each in read_lock((ROOT / f"{name}.lock").read_text("utf-8"))}
    pins = PIN.findall((ROOT / f"{name}.txt").read_text("utf-8"))
    assert pins and len(locked) >= least
    stale = [pin for pin in pins if normal(pin[0]) not in locked]
    stale += [
        pin for pin in pins if normal(pin[0]) in locked and locked[normal(pin[0])].version != pin[1]
    ]
    assert not stale, "python3 run.py lock writes the locks anew"
    assert all(each.hashes for each in locked.values())


@pytest.mark.parametrize(("name", "least"), PAIRS)
def test_a_lock_holds_nothing_but_pins_and_hashes(name: str, least: int) -> None:
    text = (ROOT / f"{name}.lock").read_text("utf-8")
    assert text.count("==") - text.count("== '") == len(read_lock(text)), "a line that wasn't read"
    assert "//" not in text, "an address stands in it"
    assert not re.search(r"^(?:-|\S+ @)", text, re.MULTILINE)


def test_the_development_lock_agrees_with_the_one_that_is_shipped() -> None:
    core, dev = (
        {each.name: each.version for each in read_lock((ROOT / name).read_text("utf-8"))}
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert {name for name in core.keys() & dev.keys() if core[name] != dev[name]} == set()


def test_the_list_of_licences_is_up_to_date_and_none_of_them_is_copyleft() -> None:
    shown = dict(
        re.findall(r"^\| ([\w.-]+) \| (.+) \|$", (ROOT / "docs/licences.md").read_text(), re.M)
    )
    for package in packages():
        version, licence = shown[package.name].split(" | ")
        if package.installed:
            assert (package.name, version) == (package.name, package.version)
            assert licence.partition(" (only where")[0] == package.licence
    assert not [row for row in shown.items() if COPYLEFT.search(row[1])]
    # Known and fit: a library of its own, used as it is.
    assert sorted(name for name, row in shown.items() if "LGPL" in row) == [
        "psycopg",
        "psycopg-binary",
    ]


def test_the_sbom_is_cyclonedx_and_names_what_is_installed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["sbom"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5")
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", document["serialNumber"])
    by_name = {each["name"]: each for each in document["components"]}
    openai = by_name["openai"]
    assert openai["purl"] == f"pkg:pypi/openai@{openai['version']}"
    assert openai["licenses"] == [{"expression": "Apache-2.0"}]
    assert all(re.fullmatch(r"[0-9a-f]{64}", each["value"]) for each in openai["properties"])
    assert "pytest" not in by_name, "what only tests need is not part of it"
    refs = {each["bom-ref"] for each in document["components"]}
    assert len(refs) == len(document["components"])
    for each in document["dependencies"]:
        assert set(each["dependsOn"]) <= refs
    edges = {each["ref"]: each["dependsOn"] for each in document["dependencies"]}
    assert by_name["httpx2"]["purl"] in edges[openai["purl"]]


def test_the_licences_are_printed_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sbom", "--format", "licences"]) == 0
    out = capsys.readouterr().out
    assert "| streamlit | " in out
    assert "unknown" not in out
