"""A script read from a TOML file, checked field by field.

models = ["scripted"]

[[rule]]
prompt = "joke"
[[rule.reply]]
status = 429
retry_after = "1"
[[rule.reply]]
text = "Why did the branch leave?"
tokens_per_s = 60
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fanout.errors import DefinitionError
from fanout.providers.script import DEFAULT_MODEL, Fault, Reply, Rule, Script


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Reply(_Strict):
    text: str | None = None
    reasoning: str = ""
    first_token_s: float = Field(default=0.0, ge=0, le=3600)
    tokens_per_s: float | None = Field(default=None, gt=0)
    pieces_per_write: int = Field(default=1, ge=1)
    piece_chars: int = Field(default=0, ge=0)
    fault: Fault | None = None
    fault_after: int = Field(default=3, ge=0)
    status: int = Field(default=200, ge=200, le=599)
    code: str = ""
    message: str = ""
    retry_after: str = ""
    headers: dict[str, str] = {}
    cached_tokens: int = Field(default=0, ge=0)

    def value(self) -> Reply:
        return Reply(**{name: getattr(self, name) for name in _Reply.model_fields})


class _Rule(_Strict):
    prompt: str = ""
    model: str = ""
    reply: tuple[_Reply, ...] = Field(min_length=1)

    def value(self) -> Rule:
        replies = tuple(reply.value() for reply in self.reply)
        return Rule(prompt=self.prompt, model=self.model, replies=replies)


class _ScriptFile(_Strict):
    rule: tuple[_Rule, ...] = ()
    otherwise: _Reply = _Reply()
    models: tuple[str, ...] = Field(default=(DEFAULT_MODEL,), min_length=1)
    rejects: frozenset[str] = frozenset()
    rejects_forms: frozenset[str] = frozenset()
    embeddings: bool = True
    key: str = ""
    caches_from: int = Field(default=0, ge=0)


def load_script(path: Path) -> Script:
    """The script in a TOML file; DefinitionError names the file and the field that is wrong."""
    try:
        read = _ScriptFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as problem:
        raise DefinitionError(f"{path.name} can't be read: {problem.strerror}.") from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise DefinitionError(f"{path.name} is not valid TOML: {problem}.") from problem
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise DefinitionError(f"{path.name}, field {field}: {first['msg']}.") from problem
    return Script(
        rules=tuple(rule.value() for rule in read.rule),
        otherwise=read.otherwise.value(),
        models=read.models,
        rejects=read.rejects,
        rejects_forms=read.rejects_forms,
        embeddings=read.embeddings,
        key=read.key,
        caches_from=read.caches_from,
    )
