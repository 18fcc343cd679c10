"""The house style, held by reading the sources: docstrings, sizes, names, values, settings."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from components import palette

ROOT = Path(__file__).resolve().parent.parent
HIDDEN_BUT_OURS = {".streamlit", ".ci", ".gitignore"}
MOST_LINES = 400
MOST_LINES_OF_A_PAGE = 150
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
OTHER_DATACLASSES = {
    "fanout/providers/scripted_app.py:Ledger",  # counts as requests come and go
    "fanout/engine/endpoints.py:_Entry",  # its provider is made on first need
    "fanout/kernel/attempt.py:_Deadline",  # remembers which deadline it handed out
    "fanout/providers/local/provider.py:_Line",  # a private pair, told by position
}

REGISTRY = re.compile(r"(?:pypi|pythonhosted|npmjs|crates|debian|ubuntu)\.(?:org|com|io|net)\b")
SECRET = re.compile(
    r"\bsk-(?:proj-|ant-)?[A-Za-z0-9]{24,}|\bAKIA[0-9A-Z]{16}|\bhf_[A-Za-z0-9]{30,}"
    r"|\bgh[pousr]_[A-Za-z0-9]{30,}|-----BEGIN [A-Z ]*PRIVATE KEY"
)
UNFINISHED = re.compile(r"\b(?:TO|FIX|X)" r"(?:DO|ME|XX)\b")


def files(*endings: str) -> Iterator[Path]:
    """Our own files: no environment, cache or run data, all of which live in hidden folders."""
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        hidden = any(part.startswith(".") and part not in HIDDEN_BUT_OURS for part in parts)
        ours = path.is_file() and not hidden and "__pycache__" not in parts
        if ours and (not endings or path.suffix in endings):
            yield path


def problems(check: Callable[[str], list[str]], paths: Iterator[Path]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}: {problem}"
        for path in paths
        for problem in check(path.read_text("utf-8", errors="replace"))
    ]


def no_claim(source: str) -> list[str]:
    docstring = ast.get_docstring(ast.parse(source))
    if not docstring:
        return ["the module has no docstring"]
    first = docstring.splitlines()[0]
    return [] if first.endswith(".") else [f"its first line is no sentence: {first}"]


def too_long(source: str) -> list[str]:
    count = len(source.splitlines())
    return [f"{count} lines"] if count > MOST_LINES else []


def too_long_for_a_page(source: str) -> list[str]:
    count = len(source.splitlines())
    return [f"{count} lines"] if count > MOST_LINES_OF_A_PAGE else []


def changeable_dataclasses(source: str) -> list[str]:
    """Names of dataclasses that are not frozen, slotted and keyword-only."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            for decorator in node.decorator_list:
                call = decorator if isinstance(decorator, ast.Call) else None
                if ast.unparse(call.func if call else decorator).endswith("dataclass"):
                    given = {k.arg: ast.unparse(k.value) for k in call.keywords} if call else {}
                    if any(given.get(k) != "True" for k in ("frozen", "slots", "kw_only")):
                        found.append(node.name)
    return found


def unfinished(source: str) -> list[str]:
    return [f"unfinished: {found}" for found in UNFINISHED.findall(source)]


def registries(source: str) -> list[str]:
    return [f"names the registry {found}" for found in REGISTRY.findall(source)]


def secrets(source: str) -> list[str]:
    return ["holds what looks like a secret"] if SECRET.search(source) else []


def loose_settings(source: str) -> list[str]:
    config = tomllib.loads(source)
    wanted: list[tuple[str, str, object]] = [
        ("runner", "postScriptGC", False),
        ("server", "fileWatcherType", "none"),
        ("server", "address", "localhost"),
        ("browser", "gatherUsageStats", False),
        ("client", "showErrorDetails", "type"),
        ("client", "toolbarMode", "viewer"),
    ]
    return [
        f"{section}.{key} is not {value!r}"
        for section, key, value in wanted
        if config.get(section, {}).get(key) != value
    ]


def says_nothing(stem: str) -> bool:
    return not NAMES_THAT_SAY_NOTHING.isdisjoint(stem.split("_"))


def contrast(one: str, other: str) -> float:
    """The ratio of two #rrggbb colours, by WCAG 2.2's definition of relative luminance."""

    def luminance(colour: str) -> float:
        channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        red, green, blue = (
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_every_module_opens_with_a_claim() -> None:
    assert problems(no_claim, files(".py")) == []


def test_no_file_is_longer_than_one_idea() -> None:
    assert problems(too_long, files(".py", ".js", ".css")) == []


def test_pages_are_short_scripts() -> None:
    assert problems(too_long_for_a_page, iter((ROOT / "pages").glob("*.py"))) == []


def test_values_are_frozen_slotted_and_keyword_only() -> None:
    inside = (path for path in files(".py") if path.is_relative_to(ROOT / "fanout"))
    found = {
        f"{path.relative_to(ROOT).as_posix()}:{name}"
        for path in inside
        for name in changeable_dataclasses(path.read_text("utf-8"))
    }
    assert found == OTHER_DATACLASSES


def test_every_file_is_named_after_its_idea() -> None:
    assert [p.relative_to(ROOT) for p in files() if says_nothing(p.stem.lower())] == []


def test_nothing_is_left_unfinished() -> None:
    assert problems(unfinished, files(".py", ".js", ".css", ".toml", ".md")) == []


def test_no_file_names_a_package_registry() -> None:
    assert problems(registries, files()) == []


def test_no_file_holds_a_secret() -> None:
    assert problems(secrets, files()) == []


def test_streamlit_is_set_up_to_be_quick_private_and_discreet() -> None:
    assert loose_settings((ROOT / ".streamlit/config.toml").read_text("utf-8")) == []


@pytest.mark.parametrize("base", ["light", "dark"])
def test_text_of_the_theme_reaches_a_contrast_of_4_5(base: str) -> None:
    theme = tomllib.loads((ROOT / ".streamlit/config.toml").read_text("utf-8"))["theme"][base]
    texts = (
        "textColor",
        "linkColor",
        "grayTextColor",
        "greenTextColor",
        "orangeTextColor",
        "redTextColor",
    )
    grounds = (theme["backgroundColor"], theme["secondaryBackgroundColor"])
    for text in texts:
        assert min(contrast(theme[text], ground) for ground in grounds) >= 4.5, text
    assert contrast("#ffffff", theme["primaryColor"]) >= 4.5, "white text of a primary button"


def test_charts_of_streamlit_wear_the_colours_of_the_branches() -> None:
    theme = tomllib.loads((ROOT / ".streamlit/config.toml").read_text("utf-8"))["theme"]
    assert tuple(theme["light"]["chartCategoricalColors"]) == palette.LIGHT
    assert tuple(theme["dark"]["chartCategoricalColors"]) == palette.DARK


@pytest.mark.parametrize(
    ("check", "bad", "good"),
    [
        (no_claim, "import os\n", '"""It does one thing."""\n'),
        (no_claim, '"""It does one thing"""\n', '"""One.\n\nWhy."""\n'),
        (too_long, "x\n" * 401, "x\n" * 400),
        (too_long_for_a_page, "x\n" * 151, "x\n" * 150),
        (
            changeable_dataclasses,
            "@dataclass\nclass A: ...\n",
            "@dataclass(frozen=True, slots=True, kw_only=True)\nclass A: ...\n",
        ),
        (
            changeable_dataclasses,
            "@dataclasses.dataclass(frozen=True, slots=True)\nclass A: ...\n",
            "class A: ...\n",
        ),
        (unfinished, "# TO" + "DO later\n", "# today\n"),
        (registries, "https://pypi" + ".org/simple\n", "pip install nh3\n"),
        (secrets, "key = 'sk-" + "a1" * 12 + "'\n", "key = 'sk-test'\n"),
        (secrets, "-----BEGIN " + "PRIVATE KEY-----\n", "a private key\n"),
        (
            loose_settings,
            "[runner]\npostScriptGC = true\n",
            (ROOT / ".streamlit/config.toml").read_text(),
        ),
    ],
)
def test_each_check_tells_bad_from_good(
    check: Callable[[str], list[str]], bad: str, good: str
) -> None:
    assert check(bad)
    assert not check(good)


def test_a_name_that_says_nothing_is_noticed() -> None:
    assert says_nothing("text_utils")
    assert not says_nothing("text_pieces")
