"""Times flyte-migrate against two programs that read the same files, and writes docs/benchmark.md.

usage: python scripts/bench.py CORPUS [--runs N] [--write]

CORPUS is a folder of Python sources, such as target/corpus, which scripts/corpus.py makes. The release binary, `rg`
(ripgrep) and `ruff` must be there: cargo build --release, and both programs on PATH.
Each program is run alternately with the others, so that a slow moment of the machine hits all of them.
"""

from __future__ import annotations

import argparse
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
BINARY = REPOSITORY / "target" / "release" / "flyte-migrate"


REMARK = """
These sources name flytekit in three files out of four, so that nearly all of them are parsed, and three of the four
packages are parts of Flyte itself, whose own modules must be linked.
In a project most files name nothing of Flyte and are not parsed at all.
"""


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
    files = list(corpus.rglob("*.py"))
    size = sum(file.stat().st_size for file in files)
    ours = statistics.median(seconds["flyte-migrate --check"])
    lines = [
        "# Benchmark",
        "",
        f"{len(files):,} Python files, {size / 1e6:.1f} MB, warm file cache; median of {len(ours_runs(seconds))} runs each.",
        "Made by `scripts/bench.py` on one machine with two cores; only the ratios are of interest.",
        "",
        "| Program | Median | Fastest | Slowest | Against flyte-migrate |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, runs in seconds.items():
        median = statistics.median(runs)
        row = [f"`{name}`", *(f"{value * 1000:.0f} ms" for value in (median, min(runs), max(runs)))]
        lines.append("| " + " | ".join([*row, f"{median / ours:.2f}"]) + " |")
    return "\n".join(lines) + "\n" + REMARK


def ours_runs(seconds: dict[str, list[float]]) -> list[float]:
    """The runs of our own program."""
    return seconds["flyte-migrate --check"]


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
    text = table(arguments.corpus, measure(arguments.corpus, arguments.runs))
    print(text, end="")
    if arguments.write:
        (REPOSITORY / "docs").mkdir(exist_ok=True)
        (REPOSITORY / "docs" / "benchmark.md").write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
