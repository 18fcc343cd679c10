"""What pyproject.toml can't say: files that lie beside the package go along inside it."""

from pathlib import Path
from shutil import copyfile

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.errors import FileError

ROOT = Path(__file__).resolve().parent
BESIDE = {
    "shipped/workflows": ("workflows", "*.toml"),
    "shipped/library": ("library", "*"),
    "shipped/board": ("components/board", "*.[cj]s*"),
}
"""Folder in the package: the one that it is copied from, and which files of it."""


class WithShipped(build_py):
    def run(self) -> None:
        super().run()
        for inside, (beside, pattern) in BESIDE.items():
            folder = Path(self.build_lib) / "fanout" / inside
            folder.mkdir(parents=True, exist_ok=True)
            files = [file for file in (ROOT / beside).glob(pattern) if file.is_file()]
            if not files:
                raise FileError(f"{beside} holds nothing, and Fanout is of no use without it.")
            for file in files:
                copyfile(file, folder / file.name)


setup(packages=find_packages(include=["fanout*"]), cmdclass={"build_py": WithShipped})
