"""Times flyte-migrate against two programs that read the same files, and writes docs/benchmark.md.

usage: python scripts/bench.py CORPUS [--runs N] [--write]

CORPUS is a folder of source distributions that use Flyte, such as target/corpus, which scripts/corpus.py makes. The
release binary, `rg` (ripgrep) and `ruff` must be there: cargo build --release, and both programs on PATH.
Beside it stands a project in which few files name Flyte, as in most repositories: the standard library of the Python
that runs this script, with the smallest of the distributions. It is made in the folder `mixed` beside CORPUS.
Each program is run alternately with the others, so that a slow moment of the machine hits all of them.
"""

from __future__ import annotations

import argparse
import pathlib
import shutil
import statistics
import subprocess
import sys
import sysconfig
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
BINARY = REPOSITORY / "target" / "release" / "flyte-migrate"


HEAD = """# Benchmark

Median of {runs} runs each, warm file cache.
Made by `scripts/bench.py` on one machine with two cores; only the ratios are of interest.
"""

CORPUS = """
## Source distributions of Flyte itself

These sources name flytekit in three files out of four, so that nearly all of them are parsed, and three of the four
packages are parts of Flyte itself, whose own modules must be linked.
"""

MIXED = """
## A project in which few files name Flyte

Files that name nothing of Flyte are searched, but not parsed: here the standard library of Python, beside examples of
Flyte.
"""


def make_mixed(corpus: pathlib.Path) -> pathlib.Path:
    """The project in which few files name Flyte, beside the corpus."""
    mixed = corpus.resolve().parent / "mixed"
    shutil.rmtree(mixed, ignore_errors=True)
    smallest = min((path for path in corpus.iterdir() if path.is_dir()), key=python_bytes)
    shutil.copytree(smallest, mixed / smallest.name)
    library = pathlib.Path(sysconfig.get_path("stdlib"))
    for file in python_files(library):
        place = mixed / "library" / file.relative_to(library)
        if "site-packages" not in file.parts:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)
    return mixed


def python_files(folder: pathlib.Path) -> list[pathlib.Path]:
    """All Python files below a folder."""
    return [file for file in folder.rglob("*.py") if file.is_file()]


def python_bytes(folder: pathlib.Path) -> int:
    """How many bytes they hold."""
    return sum(file.stat().st_size for file in python_files(folder))


def commands(corpus: pathlib.Path) -> dict[str, list[str]]:
    """The programs by the name they have in the table."""
    return {
        "flyte-migrate --check": [str(BINARY), "--check", "--quiet", "--project", str(corpus), str(corpus)],
        "rg -l flytekit": ["rg", "-l", "flytekit", str(corpus)],
        "ruff check --no-cache --select AIR301": [
            "ruff", "check", "--no-cache", "--isolated", "--quiet", "--select", "AIR301", str(corpus),
        ],
    }


def run_once(command: list[str]) -> float:
    """Wall seconds of one run; the exit code does not matter, since findings are expected."""
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - start


def measure(corpus: pathlib.Path, runs: int) -> dict[str, list[float]]:
    """Seconds of each run by program, after one warm-up."""
    programs = commands(corpus)
    for command in programs.values():
        run_once(command)
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(runs):
        for name, command in programs.items():
            seconds[name].append(run_once(command))
    return seconds


def table(corpus: pathlib.Path, seconds: dict[str, list[float]]) -> str:
    """The result as Markdown."""
    ours = statistics.median(seconds["flyte-migrate --check"])
    lines = [
        f"{len(python_files(corpus)):,} Python files, {python_bytes(corpus) / 1e6:.1f} MB.",
        "",
        "| Program | Median | Fastest | Slowest | Against flyte-migrate |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, runs in seconds.items():
        median = statistics.median(runs)
        row = [f"`{name}`", *(f"{value * 1000:.0f} ms" for value in (median, min(runs), max(runs)))]
        lines.append("| " + " | ".join([*row, f"{median / ours:.2f}"]) + " |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measures, prints, and writes the table if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--write", action="store_true", help="write docs/benchmark.md")
    arguments = parser.parse_args()
    missing = [name for name in ("rg", "ruff") if shutil.which(name) is None]
    if not BINARY.exists():
        missing.append(str(BINARY))
    if missing:
        print(f"missing: {', '.join(missing)}", file=sys.stderr)
        return 2
    text = HEAD.format(runs=arguments.runs)
    for remark, corpus in ((CORPUS, arguments.corpus), (MIXED, make_mixed(arguments.corpus))):
        text += remark + "\n" + table(corpus, measure(corpus, arguments.runs))
    print(text, end="")
    if arguments.write:
        (REPOSITORY / "docs").mkdir(exist_ok=True)
        (REPOSITORY / "docs" / "benchmark.md").write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
