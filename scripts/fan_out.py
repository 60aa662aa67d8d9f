"""Times a workflow of four sleeping tasks as it is migrated with and without parallelism, and writes docs/fan-out.md.

usage: python scripts/fan_out.py BINARY [--runs N] [--seconds S] [--write]

BINARY is flyte-migrate. `flyte` must be on PATH or beside the Python that runs this, as in target/sdk-venv.
Both forms run alternately under `flyte run --local`, so that a slow moment of the machine hits both.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent

WORKFLOW = '''\
import time

from flytekit import task, workflow


@task
def rest(n: int) -> int:
    time.sleep({seconds})
    return n


@task
def total(a: int, b: int, c: int, d: int) -> int:
    return a + b + c + d


@workflow
def pipeline(n: int = 1) -> int:
    return total(a=rest(n=n), b=rest(n=n), c=rest(n=n), d=rest(n=n))
'''

FORMS = {"parallel": [], "sequential": ["--parallelism", "sequential"]}


def migrated(folder: pathlib.Path, binary: str, seconds: float, arguments: list[str]) -> pathlib.Path:
    """The workflow, migrated in a folder of its own."""
    folder.mkdir()
    module = folder / "flow.py"
    module.write_text(WORKFLOW.format(seconds=seconds))
    command = [binary, "--write", "--quiet", "--project", ".", *arguments]
    subprocess.run(command, cwd=folder, check=True)
    return module


def run_once(module: pathlib.Path) -> float:
    """Wall seconds of one run, with the start of the SDK."""
    path = os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ["PATH"]])
    start = time.perf_counter()
    subprocess.run(
        ["flyte", "run", "--local", module.name, "pipeline"],
        cwd=module.parent,
        env={**os.environ, "PATH": path},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - start


def table(taken: dict[str, list[float]], seconds: float) -> str:
    """The page of the documentation."""
    medians = {form: statistics.median(times) for form, times in taken.items()}
    runs = len(taken["parallel"])
    rows = [f"| {form} | {medians[form]:.2f} | {min(times):.2f} | {max(times):.2f} |" for form, times in taken.items()]
    return "\n".join(
        [
            "# Fan-out",
            "",
            f"A workflow calls a task four times that sleeps for {seconds:g} seconds, and hands the results to a fifth.",
            "It is migrated as usual and with `--parallelism sequential`, and run with `flyte run --local`.",
            f"Wall seconds of {runs} alternating runs, the start of the SDK among them:",
            "",
            "| Form | Median | Least | Most |",
            "|---|---|---|---|",
            *rows,
            "",
            f"Sequential takes {medians['sequential'] / medians['parallel']:.1f} times as long.",
            "",
            "`scripts/fan_out.py` writes this page.",
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    binary = str(pathlib.Path(arguments.binary).resolve())
    with tempfile.TemporaryDirectory() as scratch:
        modules = {
            form: migrated(pathlib.Path(scratch) / form, binary, arguments.seconds, options)
            for form, options in FORMS.items()
        }
        taken: dict[str, list[float]] = {form: [] for form in FORMS}
        for _ in range(arguments.runs):
            for form, module in modules.items():
                taken[form].append(run_once(module))
    page = table(taken, arguments.seconds)
    if arguments.write:
        (REPOSITORY / "docs" / "fan-out.md").write_text(page)
    print(page)


if __name__ == "__main__":
    main()
