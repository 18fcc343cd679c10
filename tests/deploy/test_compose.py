"""compose.yaml, as far as it can be looked at without Docker: parts, mounts, secrets, settings."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from fanout.people import Membership
from fanout.settings import Settings
from fanout.settings_names import unknown_names
from fanout.settings_table import BY_NAME, SETTINGS

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "deploy" / "compose.yaml"
OURS = ("app1", "app2", "worker")
CONNECTIONS = 40
"""That one process may take of PostgreSQL: docs/sharing.md."""
DEFAULT = re.compile(r"\$\{(\w+):-([^}]*)\}")


def compose(written: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    """With what deploy/.env says, or else the defaults, for its ${NAME:-default}."""
    found: dict[str, Any] = _filled(yaml.safe_load(FILE.read_text("utf-8")), written)
    return found


def _filled(value: Any, written: Mapping[str, str]) -> Any:
    match value:
        case dict():
            return {key: _filled(each, written) for key, each in value.items()}
        case list():
            return [_filled(each, written) for each in value]
        case str():
            return DEFAULT.sub(lambda found: written.get(found[1]) or found[2], value)
        case _:
            return value


def services(written: Mapping[str, str] = MappingProxyType({})) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose(written)["services"]
    return found


def in_the_container(service: str, written: Mapping[str, str]) -> dict[str, str]:
    """Its environment, where deploy/.env says `written`: `environment` wins over `env_file`."""
    one = services(written)[service]
    assert one["env_file"] == [{"path": ".env", "required": False}]
    return {**written, **one["environment"]}


def environment(service: str) -> dict[str, str]:
    found: dict[str, str] = services()[service]["environment"]
    return found


def test_it_has_the_parts_that_the_page_promises() -> None:
    assert set(services()) == {*OURS, "proxy", "postgres", "redis"}
    assert all("image" in one or "build" in one for one in services().values())


def test_only_the_proxy_can_be_reached_from_outside() -> None:
    assert [name for name, one in services().items() if "ports" in one] == ["proxy"]
    assert compose()["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "redis"):
        assert services()[name]["networks"] == ["inside"]


def test_each_part_says_whether_it_is_well_and_waits_for_what_it_needs() -> None:
    for name, one in services().items():
        check: Any = one.get("healthcheck")
        if name in ("app1", "app2"):
            assert check is None, "the image has its own"
        elif name == "worker":
            assert check == {"disable": True}, "it serves no page to ask"
        else:
            assert check["test"][0] == "CMD" and check["retries"]
        for needed, how in one.get("depends_on", {}).items():
            assert needed in services() and how["condition"] == "service_healthy"
    for name in OURS:
        assert {"postgres", "redis"} <= set(services()[name]["depends_on"])


def test_the_proxy_starts_anew_with_an_app_whose_address_it_may_no_longer_know() -> None:
    needed = services()["proxy"]["depends_on"]
    assert {name for name, how in needed.items() if how.get("restart") is True} == {"app1", "app2"}


@pytest.mark.parametrize("name", [one.name for one in SETTINGS if not one.secret])
def test_what_is_written_into_the_env_file_reaches_the_apps_and_the_worker(name: str) -> None:
    for service in OURS:
        found = in_the_container(service, {name: "as written"})[name]
        held = name in ("FANOUT_HOME", "FANOUT_SHARED") or (
            name == "FANOUT_APP_WORKS" and service != "worker"
        )
        assert (found == "as written") is not held


def test_files_may_be_as_large_as_is_written() -> None:
    name = "STREAMLIT_SERVER_MAX_UPLOAD_SIZE"
    assert environment("app1")[name] == "20"
    assert in_the_container("app1", {"FANOUT_MAX_UPLOAD_MB": "40"})[name] == "40"


def test_what_is_written_into_the_env_file_decides_what_an_image_holds() -> None:
    args = services()["app1"]["build"]["args"]
    assert args == {"WEIGHTS": "0", "TRACES": "0"}
    assert services(dict.fromkeys(args, "1"))["app1"]["build"]["args"] == dict.fromkeys(args, "1")


def test_the_database_has_connections_for_all_that_the_page_lets_start() -> None:
    page = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    (workers,) = map(int, re.findall(r"--scale worker=(\d+)", page))
    command = services()["postgres"]["command"]
    assert command[:2] == ["postgres", "-c"]
    name, _, most = command[2].partition("=")
    assert name == "max_connections" and int(most) > (2 + workers) * CONNECTIONS
    sharing = (ROOT / "docs" / "sharing.md").read_text("utf-8")
    assert f"up to {CONNECTIONS} when it is busy" in " ".join(sharing.split())


def test_ours_run_with_as_few_rights_as_they_can() -> None:
    for name in OURS:
        one = services()[name]
        assert (one["read_only"], one["cap_drop"]) == (True, ["ALL"])
        assert one["security_opt"] == ["no-new-privileges:true"]
        assert one["volumes"] == ["home:/data"], "one key of people, one library for all"
        assert one["tmpfs"] == ["/tmp"]


def test_every_volume_network_and_secret_is_declared_and_used() -> None:
    whole = compose()
    mounted = [each for one in services().values() for each in one.get("volumes", ())]
    named = {each.partition(":")[0] for each in mounted if not each.startswith(".")}
    assert named == set(whole["volumes"])
    assert {each for one in services().values() for each in one["networks"]} == set(
        whole["networks"]
    )
    given = [each for one in services().values() for each in one.get("secrets", ())]
    names = {each if isinstance(each, str) else each["source"] for each in given}
    assert names == set(whole["secrets"])


def test_every_file_that_it_mounts_is_there() -> None:
    mounted = [each for one in services().values() for each in one.get("volumes", ())]
    files = [each.partition(":")[0] for each in mounted if each.startswith(".")]
    assert files
    for file in files:
        assert (FILE.parent / file).is_file(), file
    assert (FILE.parent / services()["app1"]["build"]["context"] / "Dockerfile").is_file()


def test_every_name_it_sets_is_a_setting_and_every_secret_a_file(tmp_path: Path) -> None:
    for service in OURS:
        env = environment(service)
        assert unknown_names(env) == ()
        for name, value in env.items():
            if name.endswith("_FILE"):
                assert BY_NAME[name.removesuffix("_FILE")].secret
                assert Path(value).name in services()[service]["secrets"]
            elif name in BY_NAME:
                assert not BY_NAME[name].secret or name == "FANOUT_REDIS_URL"
            else:
                assert name.startswith("STREAMLIT_")


def test_what_it_sets_is_understood(tmp_path: Path) -> None:
    written = {
        "database_url": "postgresql://fanout:abc@postgres:5432/fanout",
        "openai_api_key": "sk-x",
        "people_key": "ab" * 32,
    }
    for name, text in written.items():
        (tmp_path / name).write_text(text)
    env = {
        name: str(value).replace("/run/secrets", str(tmp_path))
        for name, value in environment("app1").items()
    }
    found = Settings.from_environment({**env, "FANOUT_HOME": str(tmp_path)})
    assert (found.shared, found.app_works) == (True, False)
    assert found.database == written["database_url"]
    assert found.people_key is not None
    assert found.membership == Membership()


def test_the_commands_that_it_gives_exist() -> None:
    from fanout.cli.main import _parser

    command = services()["worker"]["command"]
    assert command[:3] == ["python", "-m", "fanout"]
    assert _parser().parse_args(command[3:]).command


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files away")
def test_the_secrets_are_made_once_and_are_nobody_elses(tmp_path: Path) -> None:
    script = shutil.copy(ROOT / "deploy" / "secrets.sh", tmp_path)
    for _ in range(2):
        subprocess.run(["sh", script], check=True, capture_output=True)
    folder = tmp_path / "secrets"
    made = {path.name: path.read_text() for path in folder.iterdir()}
    assert {f"./secrets/{name}" for name in made} == {
        each["file"] for each in compose()["secrets"].values()
    }
    assert made["postgres_password"] in made["database_url"]
    assert re.fullmatch(r"[0-9a-f]{64}", made["people_key"])
    for path in (folder, *folder.iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path.name
    assert (folder / "people_key").stat().st_uid == 10001
    # Whoever has a database of their own writes its address there, and calls the script again.
    (folder / "database_url").write_text("postgresql://own:abc@db.example.com/own")
    subprocess.run(["sh", script], check=True, capture_output=True)
    made["database_url"] = "postgresql://own:abc@db.example.com/own"
    assert {path.name: path.read_text() for path in folder.iterdir()} == made


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no history here")
def test_secrets_and_settings_are_kept_out_of_the_history() -> None:
    for path in ("deploy/secrets/database_url", "deploy/.env", ".streamlit/secrets.toml"):
        command = ["git", "check-ignore", "--quiet", "--no-index", path]
        assert subprocess.run(command, cwd=ROOT).returncode == 0, path
