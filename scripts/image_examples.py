"""Collects the Flyte 2 examples in the documentation that packages on PyPI carry.

    python scripts/image_examples.py FOLDER

The packages are downloaded once. Neither flyte nor its plugins publish a source distribution of version
2, so what is taken are the fenced Python blocks of READMEs, skills and docstrings that have to do with
images. Each block that parses becomes a file of its own, in one folder for each package.
"""

from __future__ import annotations

import ast
import dataclasses
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import textwrap
import zipfile
from collections.abc import Iterator
from pathlib import Path

FENCE = re.compile(r"^(?P<indent>[ \t]*)```(?:python|py)\b[^\n]*\n(?P<code>.*?)^[ \t]*```", re.DOTALL | re.MULTILINE)
IMAGE = re.compile(r"\bImage\s*\.\s*from_|\.with_\w+\(")
TEXTS = (".md", ".mdx", ".rst", ".py", "METADATA")


@dataclasses.dataclass(frozen=True)
class Package:
    """A package, and whether its source distribution is meant."""

    name: str
    version: str
    is_source: bool = False


PACKAGES = (
    Package("flyte", "2.12.1"),
    Package("flyte-skills", "0.1.0", is_source=True),
    Package("flyteplugins-codegen", "2.12.1"),
    Package("flyteplugins-dbt", "2.12.1"),
    Package("flyteplugins-hitl", "2.12.1"),
    Package("flyteplugins-lance", "2.12.1"),
    Package("flyteplugins-papermill", "2.12.1"),
    Package("flyteplugins-slurm", "2.12.1"),
    Package("flyteplugins-snowflake", "2.12.1"),
)


def download(package: Package, folder: Path) -> Path:
    """Lets pip fetch the archive."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    source = ["--no-binary", package.name] if package.is_source else ["--only-binary", package.name]
    wanted = f"{package.name}=={package.version}"
    subprocess.run([*command, *source, wanted, "--dest", str(folder)], check=True)
    return next(path for path in folder.iterdir() if path.suffix in {".whl", ".gz"})


def texts(archive: Path) -> Iterator[str]:
    """The texts in an archive, in the order of their names."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as members:
            for name in sorted(members.namelist()):
                if name.endswith(TEXTS):
                    yield members.read(name).decode("utf-8", "replace")
        return
    with tarfile.open(archive) as members:
        for member in sorted(members.getmembers(), key=lambda member: member.name):
            file = members.extractfile(member) if member.name.endswith(TEXTS) else None
            if file is not None:
                yield file.read().decode("utf-8", "replace")


def blocks(text: str) -> Iterator[str]:
    """The fenced blocks of Python that name images and parse."""
    for match in FENCE.finditer(text):
        code = textwrap.dedent(match["code"])
        if not IMAGE.search(code):
            continue
        # Documentation leaves out what every reader knows.
        if not re.search(r"^(import flyte\b|from flyte\b)", code, re.MULTILINE):
            code = "import flyte\n" + code
        try:
            ast.parse(code)
        except SyntaxError:
            continue
        yield code


def collect(package: Package, folder: Path) -> None:
    """Writes the examples of one package, unless they are there."""
    place = folder / f"{package.name}-{package.version}"
    if place.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        archive = download(package, Path(scratch))
        unpacked = Path(scratch) / "examples"
        unpacked.mkdir()
        # The same page may be in a package twice.
        found = dict.fromkeys(block for text in texts(archive) for block in blocks(text))
        for number, code in enumerate(found, start=1):
            (unpacked / f"example_{number:03}.py").write_text(code, encoding="utf-8")
        shutil.move(unpacked, place)


def main() -> None:
    """Collects the examples of all packages and prints their folders."""
    folder = Path(sys.argv[1])
    for package in PACKAGES:
        collect(package, folder)
        print(f"{package.name}-{package.version}")


if __name__ == "__main__":
    main()
