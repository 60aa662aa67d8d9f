#!/usr/bin/env python3
"""Checks src/rules/data/plugins.tsv: the successors of flytekit's plugins are there and are plugins of flyte.

    python scripts/plugins.py

Each `flyteplugins-*` of the table is fetched with pip, without its dependencies, into a temporary
folder. It must require `flyte` and bring a module of its own below `flyteplugins`. Whether it does the
same as the plugin of flytekit is for a person to read; the script prints what both say of themselves.

Not part of the tests: it asks the package index about each of them.
"""

from __future__ import annotations

import email
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

TABLE = Path(__file__).resolve().parent.parent / "src" / "rules" / "data" / "plugins.tsv"


def rows() -> list[tuple[str, str]]:
    """The plugins of flytekit with their successors."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    cells = [line.split("\t") for line in lines if not line.startswith("#")]
    return [(plugin, successor) for plugin, successor in cells]


def form_problems(table: list[tuple[str, str]]) -> list[str]:
    """What is wrong with the table itself."""
    names = [plugin for plugin, _ in table]
    problems = [] if names == sorted(set(names)) else ["the rows are not sorted, or one is there twice"]
    for plugin, successor in table:
        if not plugin.startswith("flytekitplugins-"):
            problems.append(f"{plugin} is no plugin of flytekit")
        if successor != "none" and not successor.startswith("flyteplugins-"):
            problems.append(f"{successor} is no plugin of flyte")
    return problems


def fetch(distribution: str, folder: Path) -> Path:
    """The newest wheel of a distribution."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*pip, "--dest", str(folder), distribution], check=True)
    return next(folder.glob(f"{distribution.replace('-', '_')}-*.whl"))


def described(wheel: Path) -> tuple[str, list[str], bool]:
    """The summary, the requirements, and whether there is a module below `flyteplugins`."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = next(name for name in names if name.endswith(".dist-info/METADATA"))
        message = email.message_from_bytes(archive.read(metadata))
    has_module = any(name.startswith("flyteplugins/") and name.endswith("/__init__.py") for name in names)
    return message["Summary"] or "", message.get_all("Requires-Dist") or [], has_module


def requires_flyte(requirements: list[str]) -> bool:
    """Whether `flyte` itself is among the requirements."""
    return any(text.split(";")[0].split("[")[0].split("=")[0].strip(" <>~!") == "flyte" for text in requirements)


def main() -> int:
    """Prints each pair; 1 if a successor is not what the table says."""
    table = rows()
    problems = form_problems(table)
    with tempfile.TemporaryDirectory() as folder:
        for plugin, successor in table:
            if successor == "none":
                continue
            summary, requirements, has_module = described(fetch(successor, Path(folder)))
            print(f"{plugin} -> {successor}: {summary}")
            if not requires_flyte(requirements):
                problems.append(f"{successor} does not require flyte")
            if not has_module:
                problems.append(f"{successor} has no module below flyteplugins")
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
