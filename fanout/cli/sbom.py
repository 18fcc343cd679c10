"""`python -m fanout sbom`: what Fanout is made of, for whoever has to answer for it."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from uuid import NAMESPACE_URL, uuid5

from fanout.inventory import Package, packages

LICENCES_HEAD = """\
# Licences

Written by `python -m fanout sbom --format licences > docs/licences.md`; Fanout itself is under
Apache-2.0. Every package that `requirements.lock` and `requirements-model.lock` install, with what
it says of its own licence. Packages under the LGPL are used as they are, as libraries of their own
that can be replaced.

| package | version | licence |
| --- | --- | --- |
"""


def sbom_command(options: Namespace) -> int:
    """Print it; 0, as nothing can go wrong that is not a bug."""
    if options.format == "licences":
        sys.stdout.write(licences(packages()))
    else:
        json.dump(cyclonedx(packages(), datetime.now(UTC)), sys.stdout, indent=2)
        sys.stdout.write("\n")
    return 0


def licences(found: Sequence[Package]) -> str:
    rows = (
        f"| {each.name} | {each.version} | {each.licence or 'unknown'}{_only_where(each)} |\n"
        for each in found
    )
    return LICENCES_HEAD + "".join(rows)


def cyclonedx(found: Sequence[Package], now: datetime) -> dict[str, object]:
    """A CycloneDX 1.5 document of what is installed.

    Source: https://cyclonedx.org/docs/1.5/json/
    """
    here = [each for each in found if each.installed]
    purls = {each.name: each.purl for each in here}
    contents = uuid5(NAMESPACE_URL, "\n".join(sorted(purls.values())))
    own = f"fanout@{_version()}"
    needs = [{"ref": own, "dependsOn": sorted(purls.values())}]
    needs += [
        {"ref": each.purl, "dependsOn": [purls[name] for name in each.needs if name in purls]}
        for each in here
    ]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{contents}",
        "version": 1,
        "metadata": {
            "timestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tools": {"components": [_application(own)]},
            "component": _application(own) | {"licenses": [{"license": {"id": "Apache-2.0"}}]},
        },
        "components": [_component(each) for each in here],
        "dependencies": needs,
    }


def _application(own: str) -> dict[str, object]:
    return {"type": "application", "bom-ref": own, "name": "fanout", "version": _version()}


def _component(each: Package) -> dict[str, object]:
    component: dict[str, object] = {
        "type": "library",
        "bom-ref": each.purl,
        "name": each.name,
        "version": each.version,
        "purl": each.purl,
    }
    if each.licence:
        named = {"license": {"name": each.licence}}
        component["licenses"] = [{"expression": each.licence} if each.spdx else named]
    if each.hashes:
        # Of every file that may be installed: which one it was is nowhere written down.
        component["properties"] = [
            {"name": "fanout:locked:sha256", "value": value} for value in each.hashes
        ]
    return component


def _only_where(each: Package) -> str:
    return f" (only where {each.where.replace('|', ' ')})" if each.where else ""


def _version() -> str:
    try:
        return metadata.version("fanout")
    except metadata.PackageNotFoundError:
        return "0.1.0"
