"""The workflows that can be chosen: one TOML file each, its name being the file's name."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fanout import shipped_files
from fanout.errors import DefinitionError, InputError
from fanout.workflows.definition import Workflow
from fanout.workflows.parsing import parse
from fanout.workflows.user_workflows import UserWorkflows

SHIPPED = shipped_files.shipped("workflows")
_ORDER = (
    "creative-trio", "perspectives", "review", "report", "questions",
    "moderation", "judges", "reasoning", "research", "models",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    workflows: tuple[Workflow, ...]
    problems: tuple[str, ...] = ()
    """One message per file that can't be used; the other files are not affected."""

    def get(self, name: str) -> Workflow:
        """The workflow of that name; InputError, naming those there are, if there is none."""
        for workflow in self.workflows:
            if workflow.name == name:
                return workflow
        names = ", ".join(workflow.name for workflow in self.workflows)
        raise InputError(f'There is no workflow "{name}". There are: {names}.')


def load_file(path: Path) -> Workflow:
    """One workflow; DefinitionError, naming the file, if it can't be used."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DefinitionError(f"{path.name} is not TOML: {error}") from None
    except OSError as error:
        raise DefinitionError(f"{path.name} can't be read: {error.strerror}") from None
    return parse(data, name=path.stem, source=path.name)


def load(folder: Path = SHIPPED) -> Library:
    """Every workflow of a folder, the shipped ones in their own order, others by name."""
    workflows: list[Workflow] = []
    problems: list[str] = []
    for path in sorted(folder.glob("*.toml"), key=_place):
        try:
            workflows.append(load_file(path))
        except DefinitionError as error:
            problems.append(str(error))
    return Library(workflows=tuple(workflows), problems=tuple(problems))


@cache
def shipped() -> Library:
    """The shipped workflows, read once."""
    return load(SHIPPED)


def user_workflows(home: Path) -> UserWorkflows:
    """The ones that people made; none may take the name of a shipped one."""
    return UserWorkflows(home, {path.stem for path in SHIPPED.glob("*.toml")})


def load_all(home: Path) -> Library:
    """The shipped workflows, then the user's own as they are now in FANOUT_HOME."""
    stored = user_workflows(home).all()
    return Library(
        workflows=(*shipped().workflows, *(s.workflow for s in stored if s.workflow is not None)),
        problems=(*shipped().problems, *(s.problem for s in stored if s.problem)),
    )


def _place(path: Path) -> tuple[int, str]:
    known = path.stem in _ORDER
    return (_ORDER.index(path.stem) if known else len(_ORDER), path.stem)
