"""Runs cases under one of the SDKs and tells what they give: before the migration flytekit, behind it flyte.

    python run_cases.py flytekit|flyte LIST.json

`LIST.json` is a list of `[NAME, FOLDER]`. Each folder holds a module `main` with `CALLS`, a list of a name and inputs
by keyword: `[("pipeline", {"n": 3})]`. Under flytekit an entity is called; under flyte it runs in local mode, through
the controller, as `flyte run --local` would run it. Then the module runs as `__main__`, if it asks for that. All cases
run in one process, because loading an SDK takes longest. One JSON line per case goes to standard output: `{"case",
"results", "printed", "error"}`, where a result is the text of a value (files as what they hold), and what is printed
are the lines that begin with `RESULT`. A module that has `EVENTS` gets them into the line as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import importlib
import io
import json
import os
import runpy
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

SECONDS = 120


def main() -> int:
    sdk, cases = sys.argv[1], json.loads(Path(sys.argv[2]).read_text())
    os.environ["FLYTE_LOCAL_CACHE_ENABLED"] = "false"
    report = os.fdopen(os.dup(1), "w")
    silence()
    prepare(sdk)
    signal.signal(signal.SIGALRM, give_up)
    for name, folder in cases:
        before = set(sys.modules)
        signal.alarm(SECONDS)
        outcome = run(sdk, folder)
        signal.alarm(0)
        print(json.dumps({"case": name, **outcome}), file=report, flush=True)
        sys.path.remove(folder)
        # Modules of the case, so that the next one finds its own; those of libraries stay.
        for module in set(sys.modules) - before:
            if str(getattr(sys.modules[module], "__file__", None) or "").startswith(folder):
                del sys.modules[module]
    report.close()
    # Threads of an SDK that wait for something do not hold the result back.
    os._exit(0)


def prepare(sdk: str) -> None:
    """Loads the SDK; files are uploaded only below `flyte.init()`, which `flyte run` calls as well."""
    module = importlib.import_module(sdk)
    if sdk == "flyte":
        module.init()


def give_up(*_: Any) -> None:
    """A case that waits forever fails."""
    raise TimeoutError(f"longer than {SECONDS} seconds")


def silence() -> None:
    """What tasks and SDKs print does not belong to the report."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)


def run(sdk: str, folder: str) -> dict[str, Any]:
    """The results of all calls, and what the module prints as a program."""
    sys.path.insert(0, folder)
    os.chdir(folder)
    printed = io.StringIO()
    try:
        module = importlib.import_module("main")
        results = [result(sdk, getattr(module, name), inputs) for name, inputs in module.CALLS]
        if "__main__" in Path("main.py").read_text():
            forget_launch_plans(sdk)
            with contextlib.redirect_stdout(printed):
                runpy.run_path("main.py", run_name="__main__")
    except BaseException:
        return {"results": [], "printed": [], "error": traceback.format_exc()}
    lines = [line for line in printed.getvalue().splitlines() if line.startswith("RESULT")]
    outcome = {"results": results, "printed": lines, "error": None}
    return outcome | ({"events": module.EVENTS} if hasattr(module, "EVENTS") else {})


def forget_launch_plans(sdk: str) -> None:
    """flytekit refuses launch plans of the same names, which the module makes once more when it runs."""
    if sdk == "flytekit":
        from flytekit.core.launch_plan import LaunchPlan

        LaunchPlan.CACHE.clear()


def result(sdk: str, entity: Any, inputs: dict[str, Any]) -> str:
    """The text of what an entity gives; `fails` if it raises and has an input of that name."""
    try:
        return text(called(sdk, entity, inputs))
    except Exception:
        if "fails" in inputs:
            return "fails"
        raise


def called(sdk: str, entity: Any, inputs: dict[str, Any]) -> Any:
    """What an entity gives."""
    if sdk == "flytekit":
        value = entity(**inputs)
        value = asyncio.run(value) if asyncio.iscoroutine(value) else value
        # A named tuple of one field holds the value that Flyte 2 gives alone.
        return value[0] if isinstance(value, tuple) and len(value) == 1 else value
    import flyte

    outputs = tuple(flyte.with_runcontext(mode="local").run(entity, **inputs).outputs())
    return outputs[0] if len(outputs) == 1 else outputs


def text(value: Any) -> str:
    """The value as text, alike for both SDKs."""
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(map(text, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{text(key)}: {text(value[key])}" for key in sorted(value, key=repr)) + "}"
    if type(value).__name__ in ("FlyteFile", "File"):
        download = getattr(value, "download_sync", None) or value.download
        return f"file {Path(download()).read_bytes()!r}"
    if dataclasses.is_dataclass(value):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return f"{type(value).__name__}{text(fields)}"
    return repr(value)


if __name__ == "__main__":
    sys.exit(main())
