"""Serializes every task of migrated files and plans their deployment, without a cluster.

    python serialize.py [--root DIR] FILE...
    python serialize.py --list LIST.json

Each file is loaded under flyte on its own, as `flyte deploy FILE` would load it. What would fail at
deployment fails here: environments of the same name, environments that depend on each other in a
circle, and tasks or triggers that have no wire form. One JSON line per file goes to standard output,
`{"file", "environments", "tasks", "triggers", "error"}`; the exit code is 1 if a file has an error.
`--root` is the folder that imports start from, else each file's own folder. `LIST.json` is a list of
`[ROOT, FILE]`: many folders in one go, because starting the SDK takes most of the time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from compare import Tree, clear_registries, fresh_namespace, load_error, prepare_side, quiet_environment


def serialize_task(task: Any, root: Path) -> None:
    """Brings one task and its triggers into the form that goes over the wire."""
    from flyte._internal.runtime.task_serde import translate_task_to_wire
    from flyte._internal.runtime.trigger_serde import to_task_trigger
    from flyte.models import SerializationContext

    context = SerializationContext(version="1", root_dir=root, image_cache=configured_image(task))
    wire = translate_task_to_wire(task, context)
    wire.SerializeToString()
    inputs = wire.task_template.interface.inputs
    for trigger in task.triggers:
        asyncio.run(to_task_trigger(trigger, task.name, inputs, []))


def configured_image(task: Any) -> Any:
    """For an image that is taken by its name from the configuration: any address does here."""
    from flyte._internal.image_cache import ImageCache

    if getattr(task.image, "_ref_name", None) is None:
        return None
    return ImageCache(image_lookup={task.parent_env_name: "example.com/configured:1"})


def check_loaded(root: Path) -> dict[str, int]:
    """Plans the deployment of all environments that are loaded, and serializes their tasks."""
    import flyte
    from flyte._deploy import plan_deploy
    from flyte._environment import list_loaded_environments

    flyte.init(root_dir=root)
    environments = list(list_loaded_environments())
    plan_deploy(*environments)
    tasks = [task for environment in environments for task in getattr(environment, "tasks", {}).values()]
    for task in tasks:
        serialize_task(task, root)
    return {
        "environments": len(environments),
        "tasks": len(tasks),
        "triggers": sum(len(task.triggers) for task in tasks),
    }


def check_file(file: Path, root: Path | None) -> dict[str, Any]:
    """The result of one file, with the error if there is one."""
    tree = Tree((root or file.parent).resolve(), [file.resolve()])
    result: dict[str, Any] = {"file": str(file), "environments": 0, "tasks": 0, "triggers": 0}
    clear_registries()
    with fresh_namespace(tree):
        error = load_error(tree, tree.files[0])
        if error is None:
            try:
                result.update(check_loaded(tree.root))
            except Exception as problem:  # noqa: BLE001 - the other files are still to be done
                error = f"{type(problem).__name__}: {problem}"
    return {**result, "error": error}


def enter_quiet_environment(home: str) -> None:
    """Takes the user's configuration away before the SDK is imported."""
    quiet = quiet_environment(home)
    os.environ.clear()
    os.environ.update(quiet)
    os.chdir(home)


def check_files(files: list[tuple[Path | None, Path]], out: Any) -> int:
    """Checks all files, each with its root, in this process; 1 if one has an error."""
    failed = 0
    for root, file in files:
        result = check_file(file, root)
        failed |= int(result["error"] is not None)
        out.write(json.dumps(result, default=str) + "\n")
        out.flush()
    return failed


def named_files(options: argparse.Namespace) -> list[tuple[Path | None, Path]]:
    """The files of the command line and of the list, each with its root."""
    root = options.root.resolve() if options.root else None
    files: list[tuple[Path | None, Path]] = [(root, file.resolve()) for file in options.files]
    if options.list:
        rows = json.loads(options.list.read_text(encoding="utf-8"))
        files += [(Path(folder).resolve(), Path(file).resolve()) for folder, file in rows]
    return files


def main() -> int:
    """Checks the files that are named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--root", type=Path, help="the folder that imports start from")
    parser.add_argument("--list", type=Path, help="a JSON list of [ROOT, FILE]")
    options = parser.parse_args()
    files = named_files(options)
    folder = Path.cwd()
    with tempfile.TemporaryDirectory() as home, os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        # What the modules and the SDK print must not stand between the results.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        enter_quiet_environment(home)
        prepare_side()
        try:
            return check_files(files, out)
        finally:
            os.chdir(folder)


if __name__ == "__main__":
    sys.exit(main())
