"""What is handed on as a package is whole: also a wheel that is made from an sdist."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("fanout", "workflows", "library", "components/board")
FILES = ("setup.py", "pyproject.toml", "MANIFEST.in", "requirements.txt", "README.md", "LICENSE")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Its own folder, so that no build leaves anything in the real one."""
    pytest.importorskip("setuptools")
    made = tmp_path / "source"
    for folder in FOLDERS:
        left_out = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, made / folder, ignore=left_out)
    for file in FILES:
        shutil.copyfile(ROOT / file, made / file)
    return made


def setup(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "setup.py", "-q", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
    )


def test_what_is_built_from_an_sdist_has_all_that_is_shipped(source: Path, tmp_path: Path) -> None:
    ran = setup(source, "sdist", "--dist-dir", str(tmp_path / "dist"))
    assert ran.returncode == 0, ran.stderr
    (packed,) = (tmp_path / "dist").glob("*.tar.gz")
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    built = tmp_path / "built"
    ran = setup(unpacked, "build_py", "--build-lib", str(built))
    assert ran.returncode == 0, ran.stderr
    ran = subprocess.run(
        [sys.executable, "-m", "fanout", "workflows"], cwd=built, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    for shipped, beside in (("workflows", "*.toml"), ("library", "*"), ("board", "*.[cj]s*")):
        there = ROOT / ("components/board" if shipped == "board" else shipped)
        names = {path.name for path in there.glob(beside) if path.is_file()}
        assert names and names <= {
            path.name for path in (built / "fanout/shipped" / shipped).iterdir()
        }
    assert all(
        f"\n{path.stem} " in f"\n{ran.stdout}" for path in (ROOT / "workflows").glob("*.toml")
    )


def test_nothing_is_built_where_a_folder_that_is_shipped_holds_nothing(source: Path) -> None:
    shutil.rmtree(source / "workflows")
    ran = setup(source, "build_py", "--build-lib", str(source / "built"))
    assert ran.returncode != 0
    assert "workflows holds nothing" in ran.stderr
