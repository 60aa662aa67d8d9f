"""Makes the tables of what the two SDKs need: what only flytekit brings, and what flyte asks for.

A Flyte 1 image installs flytekit, and with it flytekit's own dependencies. User code may import
those without listing them; on Flyte 2 such an import fails. The table is the closure of flytekit's
dependencies minus the closure of flyte's, read from the metadata of the distributions installed in
the environment that runs this script, which must hold both SDKs:

    python scripts/brought_packages.py            # writes the tables
    python scripts/brought_packages.py --check    # exit code 1 if a table is out of date

Each line of `brought_packages.tsv` is `import_name<TAB>distribution`. An import name is dotted where the first part is a
namespace shared by several distributions (`google.cloud.storage`), so it is to be matched as a
prefix at a dot: `google.cloud.storage.blob` belongs to `google.cloud.storage`.

The other table, `flyte_requirements.tsv`, is flyte's own `Requires-Dist` without extras, for pins of
an image that flyte cannot live with. Each line is `distribution<TAB>versions`.
"""

from __future__ import annotations

import argparse
import importlib.metadata as metadata
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FLYTEKIT = "1.16.31"
FLYTE = "2.12.1"
HEADER = f"# made by scripts/brought_packages.py from flytekit {FLYTEKIT} and flyte {FLYTE}\n"
FLYTE_HEADER = f"# made by scripts/brought_packages.py from flyte {FLYTE}\n"
DATA = Path(__file__).resolve().parent.parent / "src" / "rules" / "data"

PYTHON_VERSIONS = ("3.10", "3.11", "3.12", "3.13")
"""The Pythons whose markers count; a package needed on one of them is in the table."""

NOT_IMPORTED = frozenset({"test", "tests", "testing", "docs", "examples", "scripts", "benchmarks"})
"""Folders that some wheels install at the top by mistake: users have their own of these names."""

Closure = set[tuple[str, frozenset[str]]]


def marker_environment(python_version: str) -> dict[str, str]:
    """The marker variables of CPython on 64-bit Linux."""
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{python_version}.0",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{python_version}.0",
        "python_version": python_version,
        "sys_platform": "linux",
    }


def applies(requirement: Requirement, python_version: str, extras: frozenset[str]) -> bool:
    """Whether the requirement counts on this Python, when these extras were asked for."""
    if requirement.marker is None:
        return True
    environment = marker_environment(python_version)
    return any(requirement.marker.evaluate({**environment, "extra": extra}) for extra in (extras or {""}))


def needed_by(name: str, extras: frozenset[str], python_version: str) -> Iterator[tuple[str, frozenset[str]]]:
    """The direct dependencies of an installed distribution; none if it is not installed."""
    try:
        lines = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return
    for line in lines:
        requirement = Requirement(line)
        if applies(requirement, python_version, extras):
            yield canonicalize_name(requirement.name), frozenset(requirement.extras)


def closure(root: str, python_version: str) -> set[str]:
    """The names of all distributions that installing `root` brings, without `root` itself."""
    seen: Closure = set()
    waiting = [(root, frozenset[str]())]
    while waiting:
        item = waiting.pop()
        if item not in seen:
            seen.add(item)
            waiting.extend(needed_by(*item, python_version))
    return {name for name, _ in seen} - {root}


def brought_distributions() -> set[str]:
    """Distributions that flytekit brings and flyte does not, on any of the Pythons."""
    brought: set[str] = set()
    for version in PYTHON_VERSIONS:
        brought |= closure("flytekit", version) - closure("flyte", version) - {"flyte"}
    return brought


def python_files(distribution: metadata.Distribution) -> list[PurePosixPath]:
    """The importable files of an installed distribution, relative to site-packages."""
    files = [PurePosixPath(str(file)) for file in distribution.files or []]
    return [file for file in files if file.suffix in {".py", ".so"} and ".." not in file.parts]


def module_path(file: PurePosixPath) -> tuple[str, ...]:
    """`a/b/__init__.py` → (a, b), `a/c.cpython-311.so` → (a, c)."""
    stem = file.name.split(".")[0]
    return file.parts[:-1] if stem == "__init__" else (*file.parts[:-1], stem)


class Ownership:
    """Which installed distributions have files under each folder of site-packages."""

    def __init__(self) -> None:
        self.owners: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
        for distribution in metadata.distributions():
            name = canonicalize_name(distribution.metadata["Name"])
            for file in python_files(distribution):
                path = module_path(file)
                for depth in range(1, len(path) + 1):
                    self.owners[path[:depth]].add(name)

    def is_alone(self, path: tuple[str, ...]) -> bool:
        """Whether only one distribution puts files there: then the folder names it."""
        return len(self.owners[path]) == 1


def import_name(path: tuple[str, ...], packages: set[tuple[str, ...]], ownership: Ownership) -> str:
    """The shortest dotted prefix of a module that stands for its distribution alone."""
    for depth in range(1, len(path) + 1):
        prefix = path[:depth]
        if ownership.is_alone(prefix) and (prefix in packages or not has_package_below(prefix, packages)):
            return ".".join(prefix)
    return ".".join(path)


def has_package_below(prefix: tuple[str, ...], packages: set[tuple[str, ...]]) -> bool:
    """Whether a regular package lies below: then `prefix` is only a namespace."""
    return any(package[: len(prefix)] == prefix and package != prefix for package in packages)


def import_names(name: str, ownership: Ownership) -> set[str]:
    """The public import names of an installed distribution."""
    files = python_files(metadata.distribution(name))
    packages = {file.parts[:-1] for file in files if file.name == "__init__.py"}
    names = {import_name(module_path(file), packages, ownership) for file in files if module_path(file)}
    return {found for found in names if is_public(found)}


def is_public(name: str) -> bool:
    """Whether users import it: no private part, and not a test folder installed by mistake."""
    parts = name.split(".")
    return parts[0] not in NOT_IMPORTED and not any(part.startswith("_") for part in parts)


def table() -> str:
    """The text of the table."""
    ownership = Ownership()
    rows = []
    for name in sorted(brought_distributions()):
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            # Needed on another Python only: its files cannot be read here.
            print(f"not installed here, left out: {name}", file=sys.stderr)
            continue
        label = distribution.metadata["Name"].replace("_", "-")
        rows += [f"{found}\t{label}\n" for found in import_names(name, ownership)]
    return HEADER + "".join(sorted(rows))


def flyte_requirements() -> str:
    """The text of the table of what flyte itself asks for."""
    requirements = [Requirement(line) for line in metadata.requires("flyte") or []]
    rows = {
        f"{canonicalize_name(requirement.name)}\t{requirement.specifier}\n"
        for requirement in requirements
        if requirement.specifier and any(applies(requirement, version, frozenset()) for version in PYTHON_VERSIONS)
    }
    return FLYTE_HEADER + "".join(sorted(rows))


def require_versions() -> None:
    """The tables are only right for the two versions in its header."""
    for name, wanted in (("flytekit", FLYTEKIT), ("flyte", FLYTE)):
        if (found := metadata.version(name)) != wanted:
            raise SystemExit(f"{name} {wanted} is needed, found {found}")


def is_out_of_date(path: Path, text: str) -> bool:
    """Whether a table is not what it should be; says so."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    print(f"{path} is out of date", file=sys.stderr)
    return True


def main() -> int:
    """Writes the tables, or compares them with `--check`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 if out of date")
    parser.add_argument("--output", type=Path, default=DATA, help="the folder of the tables")
    options = parser.parse_args()
    require_versions()
    texts = {"brought_packages.tsv": table(), "flyte_requirements.tsv": flyte_requirements()}
    if options.check:
        return int(any([is_out_of_date(options.output / name, text) for name, text in texts.items()]))
    for name, text in texts.items():
        (options.output / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
