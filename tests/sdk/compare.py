"""Proves, by running both SDKs, that a migration changed no task's image and no task's settings.

    python compare.py PAIRS.json [--report FILE] [--strict]

`PAIRS.json` is a list of `{"name": ..., "flyte1": PATH, "flyte2": PATH, "modules": [...]}`: the same
folder or file before and after. `modules` (relative paths, all `*.py` of the folder if left out)
limits what is loaded; `"layer_order": "source"` accepts layers in the order of the keywords.

Every tree before is loaded in one process under flytekit, every tree after in another one under
flyte; each process prints what it found as JSON lines (`--side flyte1|flyte2`). This process then
compares task by task, with the equivalences that the mapping of images settles and no others. It
shares nothing with the Rust tool but the tables under `src/rules/data`.

The report is one JSON object on standard output; the exit code is 1 if anything differs. With
`--strict` it is also 1 if a module could not be loaded before, so that nothing was proven for it.
Packages that are missing from the environment are replaced by stand-ins on both sides.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import dataclasses
import datetime
import functools
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import io
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import types
from abc import ABCMeta
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

Json = dict[str, Any]

HERE = Path(__file__).resolve().parent
DATA = HERE.parent.parent / "src" / "rules" / "data"
RUNNING_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
BOTH_PLATFORMS = ["linux/amd64", "linux/arm64"]
NVIDIA = "/usr/local/nvidia/lib64"
"""What flytekit's Dockerfile puts in front of the user's `LD_LIBRARY_PATH`, and flyte's does not."""
FLYTE1_PACKAGES = frozenset({"flytekit", "union", "unionai", "union-runtime"})
FLYTE1_BASE = re.compile(r"(^|/)flyteorg/flytekit:.*?py(\d+\.\d+)")
FLYTE2_BASE = re.compile(r"^ghcr\.io/flyteorg/flyte:py(\d+\.\d+)-v")
SDK_NAMES = frozenset({"flyte", "flytekit", "union"})
"""A stand-in for one of these would hide tasks."""
IMAGE_TEMPLATE = re.compile(
    r"\{\{\s*\.images?\.([\w-]+)(?:\.fqn\s*\}\}:\{\{\s*\.images?\.\1\.version)?\s*\}\}", re.IGNORECASE
)
"""Fully qualified name and version of one image of the configuration, or the image as a whole."""
MODULE_SECONDS = 120


# --- Tables -------------------------------------------------------------------------------------


def read_table(name: str) -> dict[str, str]:
    """A two-column table of the Rust tool; comment lines begin with `#`."""
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return {row[0]: row[1] for row in rows}


@dataclasses.dataclass(frozen=True)
class Tables:
    """What the mapping may add or rename."""

    brought: dict[str, str]
    """Import name → distribution that a Flyte 1 image held because flytekit needs it."""
    plugins: dict[str, str]
    """Flyte 1 plugin → its Flyte 2 successor."""

    @classmethod
    def read(cls) -> Tables:
        """Reads both tables."""
        plugins = {old: new for old, new in read_table("plugins.tsv").items() if new != "none"}
        return cls(read_table("brought_packages.tsv"), plugins)

    def brought_names(self) -> set[str]:
        """The canonical names of the distributions."""
        return {canonicalize_name(name) for name in self.brought.values()}

    def distribution_of(self, module: str) -> str | None:
        """The distribution that a dotted import needs, if it is one that flytekit brought."""
        parts = module.split(".")
        for length in range(len(parts), 0, -1):
            if name := self.brought.get(".".join(parts[:length])):
                return canonicalize_name(name)
        return None


# --- Stand-ins for packages that are not installed ------------------------------------------------


class FakeMeta(ABCMeta):
    """Makes a stand-in class answer to any attribute, call, subscript or operator."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return fake_class(name, cls.__module__)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls.__dict__.get("is_stand_in") and decorates(args, kwargs):
            return args[0]
        return super().__call__(*args, **kwargs)

    def __getitem__(cls, _: Any) -> Any:
        return cls

    def __iter__(cls) -> Iterator[Any]:
        return iter(())


def decorates(args: tuple[Any, ...], kwargs: Json) -> bool:
    """Whether a call looks like the use of a decorator: then the function is handed back."""
    return len(args) == 1 and not kwargs and isinstance(args[0], (types.FunctionType, type))


class Fake(metaclass=FakeMeta):
    """An object that accepts everything."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Takes any arguments."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return fake_class(name, type(self).__module__)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return args[0] if decorates(args, kwargs) else Fake()

    def __getitem__(self, _: Any) -> Any:
        return Fake()

    def __setitem__(self, key: Any, value: Any) -> None:
        """Takes any item."""

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return True

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        """Lets exceptions through."""

    def __fspath__(self) -> str:
        return "stand-in"


def fake_operator(self: Any, *_: Any) -> Any:
    """Any operator on a stand-in gives a stand-in."""
    return Fake()


for _operator in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "mod", "pow", "or", "and"):
    setattr(Fake, f"__{_operator}__", fake_operator)


def fake_class(name: str, module: str) -> type:
    """A stand-in class, so that it also serves as a base class and in annotations."""
    return FakeMeta(name, (Fake,), {"is_stand_in": True, "__module__": module})


class FakeModule(types.ModuleType):
    """A stand-in module."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = fake_class(name, self.__name__)
        setattr(self, name, found)
        return found


class FakeFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds what no other finder found, but never a module of the SDKs or of an installed package."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Answers for a missing top-level package and for everything below one.

        Only imports of the tree's own modules count: installed packages try for optional ones, and
        must go on without them. But who finds a stand-in loaded may ask for any part of it.
        """
        parent_name, _, _ = name.rpartition(".")
        parent = sys.modules.get(parent_name)
        if not isinstance(parent, FakeModule):
            if name in SDK_NAMES or self.tree.relative(importing_file()) is None:
                return None
            # A namespace (`google.cloud`) may be there without this part of it.
            if parent_name and getattr(parent, "__file__", None) is not None:
                return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: Any) -> types.ModuleType:
        """An empty stand-in."""
        return FakeModule(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Has nothing to run."""


def importing_file() -> str:
    """The file whose import statement is being carried out."""
    frame = sys._getframe(2)
    while frame.f_back is not None and "importlib" in frame.f_code.co_filename:
        frame = frame.f_back
    return frame.f_code.co_filename


# --- Loading a tree ------------------------------------------------------------------------------


@functools.cache
def resolved(path: str) -> Path:
    """A path without symbolic links; remembered, because it is asked for each loaded module."""
    return Path(path).resolve()


@dataclasses.dataclass(frozen=True)
class Tree:
    """The modules of one side of a pair."""

    root: Path
    files: list[Path]

    @classmethod
    def of(cls, path: Path, modules: list[str] | None) -> Tree:
        """A file is its folder with one module; a folder has those named, or all."""
        path = path.resolve()
        if path.is_file():
            return cls(path.parent, [path])
        named = [module_file(path, module) for module in modules or []]
        return cls(path, named or sorted(python_files(path)))

    def relative(self, file: Path | str) -> str | None:
        """A file's path from the root, None if it lies elsewhere or is an installed package's."""
        try:
            path = resolved(str(file)).relative_to(self.root)
        except ValueError:
            return None
        return None if "site-packages" in path.parts else path.as_posix()

    def search_path(self, file: Path) -> list[str]:
        """Where imports are looked up: the root, its `src`, the folder of a file outside packages."""
        own = [] if (file.parent / "__init__.py").exists() else [file.parent]
        places = [self.root, self.root / "src", *own]
        return list(dict.fromkeys(str(place) for place in places if place.is_dir()))


def python_files(root: Path) -> Iterator[Path]:
    """All Python files that are not hidden and not those of installed packages."""
    left_out = {"__pycache__", "site-packages", "node_modules"}
    for file in root.rglob("*.py"):
        parts = file.relative_to(root).parts
        if not left_out.intersection(parts) and not any(part.startswith(".") for part in parts):
            yield file


def module_file(root: Path, module: str) -> Path:
    """`a/b.py` or `a.b`."""
    return root / (module if module.endswith(".py") else module.replace(".", "/") + ".py")


def dotted_name(relative: str) -> str:
    """The name a module is imported by: `src/` does not belong to it, nor does `__init__`."""
    parts = list(PurePosixPath(relative).with_suffix("").parts)
    if parts[0] == "src" and len(parts) > 1:
        parts = parts[1:]
    if parts[-1] == "__init__" and len(parts) > 1:
        parts = parts[:-1]
    return ".".join(parts)


class TooLong(BaseException):
    """A module that does not come to an end; not caught by the module's own `except Exception`."""


@contextlib.contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Stops a module that hangs, where the system has alarms."""

    def stop(*_: Any) -> None:
        raise TooLong(f"not loaded after {seconds} seconds")

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def fresh_namespace(tree: Tree) -> Iterator[None]:
    """Puts back what loading a tree changes: modules, search path, environment, folder."""
    modules, path, environment = set(sys.modules), list(sys.path), dict(os.environ)
    folder, finder = Path.cwd(), FakeFinder(tree)
    os.chdir(tree.root)
    sys.meta_path.append(finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        os.chdir(folder)
        forget_modules(lambda name, module: name not in modules and is_disposable(module, tree))
        sys.path[:] = path
        os.environ.clear()
        os.environ.update(environment)
        importlib.invalidate_caches()


def forget_modules(unwanted: Callable[[str, Any], bool]) -> None:
    """Removes modules from the table of loaded ones."""
    # All are judged first: the path of a nested namespace package is looked up through its parent.
    names = [name for name, module in list(sys.modules.items()) if unwanted(name, module)]
    for name in names:
        del sys.modules[name]


def is_disposable(module: Any, tree: Tree) -> bool:
    """The tree's own modules, its namespace packages and the stand-ins; not the real packages."""
    file = getattr(module, "__file__", None)
    if file is None:
        places = [str(place) for place in getattr(module, "__path__", [])]
        return isinstance(module, FakeModule) or any(tree.relative(place) is not None for place in places)
    return tree.relative(file) is not None


def forget_siblings(tree: Tree, file: Path) -> None:
    """Two folders may each hold an `images.py` that their scripts import by its bare name."""
    kept = set(tree.search_path(file))

    def unwanted(name: str, module: Any) -> bool:
        place = getattr(module, "__file__", None)
        if "." in name or place is None or tree.relative(place) is None:
            return False
        return Path(place).name != "__init__.py" and str(Path(place).parent) not in kept

    forget_modules(unwanted)


def load_module(tree: Tree, file: Path) -> None:
    """Imports one file under its dotted name, unless another file has imported it already."""
    relative = tree.relative(file) or file.name
    name = dotted_name(relative)
    sys.path[:0] = [place for place in tree.search_path(file) if place not in sys.path]
    forget_siblings(tree, file)
    loaded = sys.modules.get(name)
    if loaded is not None and tree.relative(getattr(loaded, "__file__", None) or "/") == relative:
        return
    if loaded is None and importable(name, file):
        importlib.import_module(name)
        return
    load_by_path(f"loaded_{name}" if loaded is not None else name, file)


def importable(name: str, file: Path) -> bool:
    """Whether the ordinary import of this name gives this file."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return False
    return spec is not None and spec.origin is not None and Path(spec.origin).resolve() == file


def load_by_path(name: str, file: Path) -> None:
    """Loads a script whose name cannot be imported, or is taken by another module."""
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"no loader for {file}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


def load_tree(tree: Tree) -> tuple[dict[str, str | None], dict[str, Json]]:
    """Loads every module: their errors, and the facts about each and what they loaded of the tree."""
    errors: dict[str, str | None] = {}
    facts: dict[str, Json] = {}
    for file in tree.files:
        relative = tree.relative(file) or file.name
        errors[relative] = load_error(tree, file)
        for path in {relative, *loaded_files(tree)} - facts.keys():
            facts[path] = module_facts(tree.root / path, path)
    return errors, facts


def loaded_files(tree: Tree) -> set[str]:
    """The tree's files that are loaded now."""
    places = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    found = {tree.relative(place) for place in places if place}
    return {path for path in found if path is not None}


def load_error(tree: Tree, file: Path) -> str | None:
    """Loads a module with its output swallowed; the error's text if it fails."""
    silence = io.StringIO()
    arguments, sys.argv = sys.argv, [str(file)]
    try:
        with (
            contextlib.redirect_stdout(silence),
            contextlib.redirect_stderr(silence),
            time_limit(MODULE_SECONDS),
        ):
            load_module(tree, file)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a module may also end in sys.exit
        return f"{type(error).__name__}: {error}"
    finally:
        sys.argv = arguments
    return None


# --- What a module's text says ---------------------------------------------------------------------


def module_facts(file: Path, relative: str) -> Json:
    """The imports a module makes and whether it runs pip, from its text."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return {"imports": [], "runs_pip": False}
    imports = sorted(set(required_imports(tree.body, dotted_package(relative))))
    return {"imports": imports, "runs_pip": runs_pip(tree)}


def dotted_package(relative: str) -> list[str]:
    """The package that relative imports of a module start from."""
    parts = dotted_name(relative).split(".")
    return parts if relative.endswith("__init__.py") else parts[:-1]


def required_imports(body: Iterable[ast.AST], package: list[str]) -> Iterator[str]:
    """Dotted names a module cannot do without: not those for type checkers or behind a guard."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from names_imported_from(node, package)
        elif not is_guard(node):
            yield from required_imports(ast.iter_child_nodes(node), package)


def names_imported_from(node: ast.ImportFrom, package: list[str]) -> Iterator[str]:
    """`from a import b` needs `a`, and `a.b` if that is a module."""
    start = package[: len(package) - node.level + 1] if node.level else []
    base = ".".join([*start, *([node.module] if node.module else [])])
    for alias in node.names:
        yield f"{base}.{alias.name}".strip(".")


def is_guard(node: ast.AST) -> bool:
    """`if TYPE_CHECKING:` and `try: ... except ImportError:`."""
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in ast.unparse(node.test)
    if isinstance(node, ast.Try):
        caught = " ".join(ast.unparse(handler.type) if handler.type else "" for handler in node.handlers)
        return "ImportError" in caught or "ModuleNotFoundError" in caught
    return False


def runs_pip(tree: ast.AST) -> bool:
    """Whether a string of the module outside of lists of packages names pip."""
    strings = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return any(isinstance(text, str) and mentions_pip(text) for text in strings)


def mentions_pip(command: str) -> bool:
    """A command that needs pip to be there."""
    return bool(re.search(r"""(^|[\s/'"])pip3?([\s'"]|$)|\s-mpip\s""", command) or "spacy download" in command)


# --- Finding the tasks -----------------------------------------------------------------------------


@dataclasses.dataclass
class Found:
    """A task or workflow with the function that it was made of."""

    function: Callable[..., Any]
    describe: Callable[[], Json]

    def origin(self) -> tuple[str, str, str, int]:
        """File, module, name and line of the user's function, below well-behaved decorators."""
        function = inspect.unwrap(self.function)
        code = function.__code__
        return code.co_filename, function.__module__, function.__name__, code.co_firstlineno


def keyed(found: list[Found], tree: Tree) -> dict[str, Json]:
    """`file.py::function` → description; a name that occurs again in a file gets `#2`."""
    described: dict[str, Json] = {}
    seen: Counter[str] = Counter()
    loaded_as: dict[str, str] = {}
    for item in sorted(found, key=lambda item: item.origin()[3]):
        file, module, name, _ = item.origin()
        relative = tree.relative(file)
        # A file that was loaded under two names counts once.
        if relative is None or loaded_as.setdefault(relative, module) != module:
            continue
        key = f"{relative}::{name}"
        seen[key] += 1
        described[key if seen[key] == 1 else f"{key}#{seen[key]}"] = {
            **described_or_error(item),
            "file": relative,
        }
    return described


def described_or_error(item: Found) -> Json:
    """A description; one bad task must not hide the others."""
    try:
        return item.describe()
    except Exception as error:  # noqa: BLE001 - reported for this task
        return {"error": f"{type(error).__name__}: {error}"}


def has_code(function: Any) -> bool:
    """Whether it is a Python function below its decorators."""
    return callable(function) and hasattr(inspect.unwrap(function), "__code__")


def flytekit_entities(root: Path) -> tuple[list[Found], list[Found]]:
    """The tasks and workflows that flytekit has registered since it was last cleared."""
    from flytekit.core.context_manager import FlyteEntities
    from flytekit.core.python_function_task import PythonFunctionTask
    from flytekit.core.workflow import PythonFunctionWorkflow

    tasks, workflows = [], []
    for entity in FlyteEntities.entities:
        if isinstance(entity, PythonFunctionTask) and has_code(entity.task_function):
            tasks.append(Found(entity.task_function, lambda task=entity: describe_flyte1_task(task, root)))
        elif isinstance(entity, PythonFunctionWorkflow) and has_code(entity.function):
            workflows.append(Found(entity.function, lambda flow=entity: describe_workflow(flow)))
    return tasks, workflows


def flyte_entities(root: Path) -> list[Found]:
    """The tasks of all Flyte 2 environments."""
    from flyte._environment import list_loaded_environments

    found = []
    for environment in list_loaded_environments():
        for task in getattr(environment, "tasks", {}).values():
            function = getattr(task, "func", None)
            if has_code(function):
                found.append(Found(function, lambda task=task: describe_flyte2_task(task, root)))
    return found


def clear_registries() -> None:
    """Forgets what the tree before this one has declared."""
    if flytekit_context := sys.modules.get("flytekit.core.context_manager"):
        flytekit_context.FlyteEntities.entities.clear()
    if launch_plans := sys.modules.get("flytekit.core.launch_plan"):
        launch_plans.LaunchPlan.CACHE.clear()
    if flyte_environment := sys.modules.get("flyte._environment"):
        flyte_environment.list_loaded_environments().clear()


# --- Flyte 1: from flytekit's objects to a description ---------------------------------------------


def remember_given_fields() -> None:
    """Makes every ImageSpec know which fields its author gave: the defaults are filled in."""
    from flytekit.image_spec.image_spec import ImageSpec

    construct, update = ImageSpec.__init__, ImageSpec._update_attribute
    fields = [field.name for field in dataclasses.fields(ImageSpec)]

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        self._given = {*fields[: len(args)], *kwargs}
        construct(self, *args, **kwargs)

    def update_attribute(self: Any, name: str, values: Any) -> Any:
        result = update(self, name, values)
        result._given = {*self._given, name}
        return result

    ImageSpec.__init__ = init
    ImageSpec._update_attribute = update_attribute


def describe_flyte1_task(task: Any, root: Path) -> Json:
    """A flytekit task in the common form."""
    metadata = task.metadata
    return {
        "sdk": "flytekit",
        "image": describe_flyte1_image(task._container_image, root),
        "resources": describe_flyte1_resources(task),
        "env_vars": {str(key): str(value) for key, value in (task.environment or {}).items()},
        "secrets": describe_secrets(task.security_context.secrets if task.security_context else None),
        "retries": metadata.retries,
        "timeout": seconds(metadata.timeout),
        "interruptible": bool(metadata.interruptible),
        "cache": describe_flyte1_cache(metadata),
        # An eager workflow always has a deck; that is no wish of its author.
        "report": not task.disable_deck and not metadata.is_eager,
        "plugin": plugin_name(task.task_config),
        "pod_template": describe_flyte1_pod(task),
        "docs": given_docs(task, task.docs.short_description if task.docs else None),
        "reused": actor_policy(task.task_config),
    }


def describe_secrets(secrets: Any) -> list[list[str | None]]:
    """Group, key and environment variable of each secret; where it is a file may change."""
    found = [secrets] if secrets and not isinstance(secrets, (list, tuple)) else secrets or []
    return sorted((describe_secret(secret) for secret in found), key=str)


def describe_secret(secret: Any) -> list[str | None]:
    """A secret of either SDK; Flyte 1 had its own way to find one that names no variable."""
    if isinstance(secret, str):
        return [None, secret, secret_variable([secret])]
    if hasattr(secret, "mount_requirement"):
        is_file = secret.mount_requirement.name == "FILE"
        variable = None if is_file else secret.env_var or secret_variable([secret.group, secret.key])
    else:
        variable = secret.as_env_var
    return [secret.group, secret.key, variable]


def secret_variable(names: list[str | None]) -> str:
    """The variable of a secret: its names in capitals, what may not stand in a variable replaced."""
    name = re.sub(r"[^A-Z0-9]", "_", "_".join(filter(None, names)).upper())
    return f"_{name}" if name[:1].isdigit() else name


def describe_flyte1_pod(task: Any) -> Any:
    """The pod template, its name in the cluster, or one that holds only the labels of the task."""
    metadata = task.metadata
    if task.pod_template is not None:
        return describe_pod(task.pod_template)
    labels, annotations = getattr(metadata, "labels", None), getattr(metadata, "annotations", None)
    if labels or annotations:
        return {"name": "primary", "labels": labels, "annotations": annotations, "spec": {"containers": []}}
    return metadata.pod_template_name or None


def describe_pod(template: Any) -> Any:
    """A pod template of either SDK."""
    if template is None or isinstance(template, str):
        return template
    from kubernetes.client import ApiClient

    spec = ApiClient().sanitize_for_serialization(template.pod_spec) if template.pod_spec else None
    return {
        "name": template.primary_container_name,
        "labels": template.labels,
        "annotations": template.annotations,
        "spec": spec or {"containers": []},
    }


def given_docs(task: Any, text: str | None) -> str | None:
    """The documentation, unless the SDK may have made it of the docstring."""
    function = getattr(task, "task_function", None) or getattr(task, "func", None)
    return None if getattr(function, "__doc__", None) else text or None


def plugin_name(config: Any) -> str | None:
    """The class of a plugin's configuration; actors become environments and are not plugins."""
    name = type(config).__name__
    return None if config is None or "Actor" in name else name


def seconds(timeout: Any) -> float | None:
    """A timeout in seconds, None if there is none."""
    timeout = getattr(timeout, "max_runtime", timeout)
    if isinstance(timeout, datetime.timedelta):
        timeout = timeout.total_seconds()
    return float(timeout) if timeout else None


CRON_NAMES = {
    **dict.fromkeys(("hourly", "hours"), "0 * * * *"),
    **dict.fromkeys(("daily", "days"), "0 0 * * *"),
    **dict.fromkeys(("weekly", "weeks"), "0 0 * * 0"),
    **dict.fromkeys(("monthly", "months"), "0 0 1 * *"),
    **dict.fromkeys(("yearly", "years", "annually"), "0 0 1 1 *"),
}
"""What flytekit calls schedules; `@daily` means the same as `daily`."""


def describe_workflow(workflow: Any) -> Json:
    """A flytekit workflow: all there is to compare is its launch plans."""
    from flytekit.core.context_manager import FlyteEntities
    from flytekit.core.launch_plan import LaunchPlan

    plans = [plan for plan in FlyteEntities.entities if isinstance(plan, LaunchPlan)]
    own = [plan for plan in plans if plan.workflow is workflow and plan.name != workflow.name]
    return {"sdk": "flytekit", "workflow": True, "triggers": sorted(map(describe_plan, own), key=str)}


def describe_plan(plan: Any) -> Json:
    """A launch plan in the common form of triggers."""
    schedule = plan.schedule
    inputs = {key: repr(value) for key, value in plan.saved_inputs.items()}
    if schedule and schedule.kickoff_time_input_arg:
        inputs[schedule.kickoff_time_input_arg] = "trigger time"
    return {
        "name": plan.name,
        "schedule": describe_flyte1_schedule(schedule),
        "inputs": inputs,
        "active": bool(plan.should_auto_activate),
        "overwrite_cache": bool(plan.overwrite_cache),
        "parallel": plan.max_parallelism or None,
        "labels": plan.labels.values if plan.labels else {},
        "annotations": plan.annotations.values if plan.annotations else {},
    }


def describe_flyte1_schedule(schedule: Any) -> Any:
    """The five fields of cron, or minutes."""
    if schedule is None:
        return None
    if schedule.cron_schedule:
        text = schedule.cron_schedule.schedule
        return CRON_NAMES.get(text.lower().removeprefix("@"), text)
    rate = schedule.rate
    return rate.value * {0: 1, 1: 60, 2: 1440}[rate.unit]


def describe_trigger(trigger: Any) -> Json:
    """A trigger of a Flyte 2 task."""
    from flyte import Cron, TriggerTime

    automation = trigger.automation
    schedule = automation and (
        automation.expression if isinstance(automation, Cron) else automation.interval_minutes
    )
    return {
        "name": trigger.name,
        "schedule": schedule,
        "inputs": {
            key: "trigger time" if value is TriggerTime else repr(value)
            for key, value in (trigger.inputs or {}).items()
        },
        "active": trigger.auto_activate,
        "overwrite_cache": trigger.overwrite_cache,
        "parallel": trigger.max_action_concurrency,
        "labels": dict(trigger.labels or {}),
        "annotations": dict(trigger.annotations or {}),
    }


def describe_flyte1_cache(metadata: Any) -> Json | None:
    """Flyte 1's cache settings, None if off."""
    if not metadata.cache:
        return None
    return {
        "version": metadata.cache_version,
        "serialize": bool(metadata.cache_serialize),
        "ignored_inputs": sorted(metadata.cache_ignore_input_vars or ()),
    }


def describe_flyte1_resources(task: Any) -> Json:
    """Requests and limits by kind, and what flytekit keeps beside them."""
    names = {"cpu": "cpu", "mem": "memory", "gpu": "gpu", "ephemeral_storage": "disk"}
    given = {"requests": task.resources.requests, "limits": task.resources.limits}
    result: Json = {
        side: {
            new: quantity(value)
            for old, new in names.items()
            if (value := getattr(item, old, None)) is not None
        }
        for side, item in given.items()
    }
    accelerator = task.accelerator.to_flyte_idl() if task.accelerator is not None else None
    shared = task.shared_memory
    return {
        **result,
        "device": accelerator.device if accelerator else None,
        "partition": (accelerator.partition_size or None) if accelerator else None,
        "shm": "auto" if shared is True else (quantity(shared) if shared else None),
    }


def quantity(value: Any) -> str:
    """A Kubernetes quantity as a plain number, so that `1000m`, `1` and `"1"` are one value."""
    text = str(value)
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(m|[kKMGTPE]i?)?", text)
    if not match:
        return text
    powers = {"k": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
    suffix = match[2] or ""
    try:
        number = Decimal(match[1])
    except InvalidOperation:
        return text
    if suffix == "m":
        return format((number / 1000).normalize(), "f")
    base = 1024 if suffix.endswith("i") else 1000
    power = powers.get(suffix[:1].replace("K", "k"), 0)
    return format((number * base**power).normalize(), "f")


def describe_flyte1_image(image: Any, root: Path) -> Json:
    """The image of a flytekit task: nothing, a string, a spec, or something that cannot be right."""
    from flytekit.image_spec.image_spec import ImageSpec

    if image is None:
        return {"kind": "none"}
    if isinstance(image, ImageSpec):
        return describe_spec(image, root)
    if not isinstance(image, str):
        return {"kind": f"not an image: {type(image).__module__}.{type(image).__name__}"}
    if template := IMAGE_TEMPLATE.fullmatch(image):
        return {"kind": "ref", "name": template[1]}
    return {"kind": "string", **string_base(image)}


def string_base(uri: str) -> Json:
    """A Flyte 1 base image is Flyte 2's Debian base of the same Python; any other stays."""
    match = FLYTE1_BASE.search(uri)
    return {"kind": "debian", "base": None, "pythons": [match[2]], **EMPTY} if match else {"base": uri}


EMPTY: Json = {
    "name": None,
    "registry": None,
    "base_names": [],
    "base_registries": [],
    "platforms": None,
    "layers": [],
    "unsupported": {},
    "registry_secret": False,
}
"""An image without anything on its base."""


def describe_spec(spec: Any, root: Path) -> Json:
    """An ImageSpec with the specs that it is based on, from the innermost outwards."""
    from flytekit.image_spec.image_spec import ImageSpec

    levels = [spec]
    while isinstance(levels[0].base_image, ImageSpec):
        levels.insert(0, levels[0].base_image)
    base = levels[0].base_image
    if spec.builder == "noop":
        return {"kind": "string", "base": base}
    found = string_base(base) if base else {"kind": "debian", "base": None, "pythons": []}
    found.setdefault("kind", "foreign")
    return {
        **found,
        "name": spec_name(spec),
        "registry": spec.registry,
        "base_names": [spec_name(level) for level in levels[:-1]],
        "base_registries": [level.registry for level in levels[:-1]],
        "pythons": accepted_pythons(levels, found.get("pythons", [])),
        "platforms": spec_platforms(spec),
        "layers": [layer for index, level in enumerate(levels) for layer in spec_layers(level, index, root)],
        "unsupported": {name: value for level in levels for name, value in unsupported_fields(level)},
        "registry_secret": bool(spec.registry_config),
    }


def spec_name(spec: Any) -> str | None:
    """A spec's name, None for the default."""
    return None if spec.name == "flytekit" else spec.name


def accepted_pythons(levels: list[Any], of_the_base: list[str]) -> list[str]:
    """The spec's own Python; else the base spec's, the base image's, or the one that runs this."""
    versions = [".".join(level.python_version.split(".")[:2]) for level in levels if level.python_version]
    if levels[-1].python_version:
        return versions[-1:]
    return [*versions[-1:], *(of_the_base or [RUNNING_PYTHON])]


def spec_platforms(spec: Any) -> list[str] | None:
    """The platforms that were asked for, None if flytekit filled in its default."""
    fields = len(dataclasses.fields(spec))
    # A spec made by `dataclasses.replace` got every field, so nothing is known about this one.
    is_known = len(spec._given) < fields
    if spec.platform == "linux/amd64" and not (is_known and "platform" in spec._given):
        return None
    return sorted(part.strip() for part in spec.platform.split(","))


def unsupported_fields(spec: Any) -> Iterator[tuple[str, Any]]:
    """Fields whose effect would be lost: a migrated image must not come from a spec with one."""
    for name in ("cuda", "cudnn", "entrypoint", "python_exec", "runtime_packages"):
        if value := getattr(spec, name):
            yield name, str(value)


def spec_layers(spec: Any, level: int, root: Path) -> Iterator[Json]:
    """What one spec puts on its base, in the order of Flyte 1's build."""
    packages, options = split_options(spec.packages or [])
    index = {
        "index_url": spec.pip_index or options["index_url"],
        "extra_index_urls": [*(spec.pip_extra_index_url or []), *options["extra_index_urls"]],
        "extra_args": spec.pip_extra_args,
        "pre": options["pre"],
        "secrets": bool(spec.pip_secret_mounts),
        "level": level,
    }
    if spec.apt_packages:
        yield {"op": "apt", "packages": list(spec.apt_packages)}
    if spec.conda_packages:
        yield {
            "op": "conda",
            "words": [word.strip("'") for text in spec.conda_packages for word in text.split()],
            "channels": channels_of(spec.conda_channels or []),
            "python": spec.python_version,
        }
    if spec.env:
        yield {"op": "env", "vars": {str(key): str(value) for key, value in spec.env.items()}, "bad": []}
    if spec.requirements:
        yield {"op": "requirements", **requirements_of(spec.requirements, root), **index}
    yield {"op": "pip", "packages": packages, "options": options["other"], **index}
    for source, target in spec_copies(spec):
        yield {"op": "copy", "src": clean_path(source, root), "dst": target}
    if spec.commands:
        yield {"op": "commands", "commands": list(spec.commands)}


def channels_of(listed: list[str]) -> list[str]:
    """The channels in the order in which Flyte 1 names them, each once."""
    return list(dict.fromkeys(["conda-forge", *listed]))


def split_options(packages: list[str]) -> tuple[list[str], Json]:
    """Elements of `packages` that are options of a requirements file, apart from the rest."""
    kept: list[str] = []
    options: Json = {"index_url": None, "extra_index_urls": [], "pre": False, "other": []}
    # They are lines of a requirements file.
    lines = [line.strip() for package in packages for line in package.splitlines()]
    for package in (line for line in lines if line and not line.startswith("#")):
        name, _, value = (
            re.sub(r"\s+", " ", package.strip())
            .replace("=", " ", int(package.startswith("--")))
            .partition(" ")
        )
        if not name.startswith("-"):
            kept.append(package)
        elif name in {"-i", "--index-url"}:
            options["index_url"] = value.strip()
        elif name == "--extra-index-url":
            options["extra_index_urls"].append(value.strip())
        elif name == "--pre" and value:
            kept.append(value)
            options["pre"] = True
        elif name != "--pre":
            options["other"].append(package)
    return kept, options


def spec_copies(spec: Any) -> Iterator[tuple[str, str]]:
    """Files that Flyte 1 puts into the image, all below `/root`."""
    if spec.source_root and getattr(spec.source_copy_mode, "name", "") != "NO_COPY":
        yield spec.source_root, "/root"
    for path in spec.copy or []:
        yield path, f"/root/{PurePosixPath(path)}"


def requirements_of(path: str, root: Path) -> Json:
    """A requirements file, or the project file beside a lock."""
    kinds = {"poetry.lock": "poetry", "uv.lock": "uv"}
    kind = kinds.get(Path(path).name, "requirements")
    file = path if kind == "requirements" else str(Path(path).with_name("pyproject.toml"))
    return {"kind": kind, "file": clean_path(file, root), **listed_packages(file, root, kind)}


def listed_packages(file: str, root: Path, kind: str) -> Json:
    """The lines of a requirements file, None where the file is missing or of another kind."""
    path = root / file
    if kind != "requirements" or not path.is_file():
        return {"lines": None}
    return {"lines": path.read_text(encoding="utf-8").splitlines()}


def clean_path(path: Any, root: Path) -> str:
    """A path from the root, without `./`."""
    text = os.path.normpath(os.path.join(root, str(path)))
    return PurePosixPath(os.path.relpath(text, root)).as_posix()


# --- Flyte 2: from flyte's objects to a description ------------------------------------------------


def accept_missing_plugins() -> None:
    """Lets the configuration of a plugin that is not installed stand for a plain task."""
    from flyte._task import AsyncFunctionTaskTemplate
    from flyte._task_plugins import TaskPluginRegistry

    find = TaskPluginRegistry.find

    def find_or_plain(config_type: type) -> Any:
        return AsyncFunctionTaskTemplate if issubclass(config_type, Fake) else find(config_type)

    TaskPluginRegistry.find = find_or_plain


def describe_flyte2_task(task: Any, root: Path) -> Json:
    """A flyte task in the common form."""
    return {
        "sdk": "flyte",
        "image": describe_flyte2_image(task.image, root),
        "resources": describe_flyte2_resources(task.resources),
        "env_vars": dict(task.env_vars or {}),
        "secrets": describe_secrets(task.secrets),
        "retries": getattr(task.retries, "count", task.retries),
        "timeout": seconds(task.timeout),
        "interruptible": bool(task.interruptible),
        "cache": describe_flyte2_cache(task.cache),
        "report": bool(task.report),
        "plugin": plugin_name(getattr(task, "plugin_config", None)),
        "pod_template": describe_pod(task.pod_template),
        "docs": given_docs(task, task.docs.description if task.docs else None),
        "triggers": sorted(map(describe_trigger, task.triggers), key=str),
        "reused": reuse_policy(task.reusable),
    }


def reuse_policy(policy: Any) -> Json | None:
    """How the containers of a task are reused, None if they are not."""
    if type(policy).__name__ != "ReusePolicy":
        return None
    return {"replicas": policy.replicas[1], "seconds": policy.idle_ttl.total_seconds()}


def actor_policy(config: Any) -> Json | None:
    """The same of an actor; None for any other configuration."""
    if type(config).__name__ != "ActorEnvironment":
        return None
    return {"replicas": config.replica_count, "seconds": float(config.ttl_seconds or 90)}


def describe_flyte2_cache(cache: Any) -> Json | None:
    """Flyte 2's cache settings, None if off."""
    if not cache.is_enabled():
        return None
    return {
        "version": cache.version_override,
        "serialize": bool(cache.serialize),
        "ignored_inputs": sorted(cache.get_ignored_inputs()),
    }


def describe_flyte2_resources(resources: Any) -> Json:
    """What goes over the wire for a `flyte.Resources`."""
    from flyte._internal.runtime.resources_serde import get_proto_extended_resources

    requests: Json = {}
    limits: Json = {}
    for name in ("cpu", "memory"):
        value = getattr(resources, name, None)
        pair = value if isinstance(value, tuple) else (value,)
        for side, item in zip((requests, limits), pair, strict=False):
            if item is not None:
                side[name] = quantity(item)
    if resources is not None and resources.disk is not None:
        requests["disk"] = quantity(resources.disk)
    device = resources.get_device() if resources is not None else None
    if device is not None:
        requests["gpu"] = quantity(device.quantity)
    wire = get_proto_extended_resources(resources)
    shared = resources.shm if resources is not None else None
    return {
        "requests": requests,
        "limits": limits,
        "device": (wire.gpu_accelerator.device or None) if wire else None,
        "partition": (wire.gpu_accelerator.partition_size or None) if wire else None,
        "shm": quantity(shared) if shared else None,
    }


def describe_flyte2_image(image: Any, root: Path) -> Json:
    """The image of a flyte task in the common form."""
    if image is None:
        return {"kind": "none"}
    if isinstance(image, str):
        return {"kind": "string", "base": image}
    if image._ref_name:
        return {"kind": "ref", "name": image._ref_name}
    if image.dockerfile is not None:
        return {"kind": "dockerfile", "base": clean_path(image.dockerfile, root)}
    debian = FLYTE2_BASE.match(image.base_image or "")
    if not debian and not image._is_cloned:
        return {"kind": "string", "base": image.base_image}
    return {
        **EMPTY,
        "kind": "debian" if debian else "foreign",
        "base": None if debian else image.base_image,
        "name": None if debian and image.name == "flyte" else image.name,
        "registry": image.registry,
        "pythons": [debian[1] if debian else "{}.{}".format(*image.python_version)],
        "platforms": sorted(image.platform),
        "layers": describe_layers(image._layers, root),
        "registry_secret": image._image_registry_secret is not None,
        "uri": image_uri(image),
    }


def image_uri(image: Any) -> str | None:
    """Where Flyte 2 would push it; None if a file that belongs to it is missing here."""
    try:
        return str(image.uri)
    except (OSError, ValueError):
        return None


def describe_layers(layers: Iterable[Any], root: Path) -> list[Json]:
    """The layers of a `flyte.Image`: a pixi project, and commands that run micromamba, are layers of conda."""
    described: list[Json] = []
    for layer in layers:
        if type(layer).__name__ == "PixiProject":
            described.extend(describe_manifest(layer))
        else:
            described.append(describe_layer(layer, root))
    return with_micromamba(described)


def describe_manifest(layer: Any) -> Iterator[Json]:
    """What a pixi.toml installs: packages from conda, and from PyPI with the indexes."""
    import toml

    manifest = toml.loads(Path(layer.manifest).read_text(encoding="utf-8"))
    workspace = manifest["workspace"]
    yield {
        "op": "conda",
        "pins": {name: pin_text(pin) for name, pin in manifest["dependencies"].items()},
        "channels": workspace["channels"],
        "platforms": workspace["platforms"],
        "is_as_flyte_writes": is_as_flyte_writes(manifest),
    }
    options = manifest.get("pypi-options", {})
    yield {
        "op": "pip",
        "in_manifest": True,
        "packages": [
            requirement_text(name, pin) for name, pin in manifest.get("pypi-dependencies", {}).items()
        ],
        "index_url": options.get("index-url"),
        "extra_index_urls": options.get("extra-index-urls", []),
        "extra_args": None,
        "pre": False,
        "secrets": False,
    }


def is_as_flyte_writes(manifest: Json) -> bool:
    """Whether flyte, asked for the same packages, writes the same manifest: the forms are then those of pixi."""
    import toml
    from flyte._utils.pixi_script_parser import PixiScriptMetadata, render_pixi_manifest

    pypi = manifest.get("pypi-dependencies", {})
    metadata = PixiScriptMetadata(
        dependencies=[requirement_text(name, pin) for name, pin in pypi.items()],
        pixi={key: value for key, value in manifest.items() if key != "pypi-dependencies"},
    )
    return toml.loads(render_pixi_manifest(metadata, ())) == manifest


def pin_text(pin: Any) -> str:
    """A version of conda with channel and build, as one text."""
    if isinstance(pin, str):
        return pin
    channel = f"{pin['channel']}::" if "channel" in pin else ""
    return channel + pin["version"] + (f"={pin['build']}" if "build" in pin else "")


def requirement_text(name: str, pin: Any) -> str:
    """An entry of `pypi-dependencies` as a requirement."""
    table = pin if isinstance(pin, dict) else {"version": pin}
    extras = f"[{','.join(table['extras'])}]" if "extras" in table else ""
    if "git" in table:
        revision = f"@{table['rev']}" if "rev" in table else ""
        return f"{name}{extras} @ git+{table['git']}{revision}"
    if "url" in table:
        return f"{name}{extras} @ {table['url']}"
    return name + extras + ("" if table["version"] == "*" else table["version"])


CERTIFICATES = "ca-certificates"
MICROMAMBA_TOOLS = {"op": "apt", "packages": [CERTIFICATES, "curl"]}
MICROMAMBA_ENV = {
    "PATH": "/opt/conda/bin:$PATH",
    "VIRTUAL_ENV": "/opt/conda",
    "UV_PYTHON": "/opt/conda/bin/python",
}


def with_micromamba(layers: list[Json]) -> list[Json]:
    """The layers with those that bring, run and activate micromamba joined into one of conda."""
    for at, layer in enumerate(layers):
        command = next((text for text in layer.get("commands", []) if "micromamba create" in text), None)
        if command and layers[at - 1] == MICROMAMBA_TOOLS and layers[at + 1].get("vars") == MICROMAMBA_ENV:
            words = shlex.split(command)[5:]
            channels = [words[index + 1] for index, word in enumerate(words) if word == "-c"]
            packages = words[2 * len(channels) :]
            conda = {"op": "conda", "words": packages, "channels": channels}
            return [*layers[: at - 1], conda, *layers[at + 2 :]]
    return layers


def describe_layer(layer: Any, root: Path) -> Json:
    """One layer of a `flyte.Image`."""
    describe = LAYERS.get(type(layer).__name__)
    return describe(layer, root) if describe else {"op": type(layer).__name__}


def index_options(layer: Any) -> Json:
    """The options of a layer that installs packages."""
    return {
        "index_url": getattr(layer, "index_url", None),
        "extra_index_urls": list(getattr(layer, "extra_index_urls", None) or []),
        "extra_args": layer.extra_args,
        "pre": bool(getattr(layer, "pre", False)),
        "secrets": bool(layer.secret_mounts),
    }


def describe_requirements_layer(layer: Any, root: Path) -> Json:
    """A requirements file."""
    listed = listed_packages(str(layer.file), root, "requirements")
    return {
        "op": "requirements",
        "kind": "requirements",
        "file": clean_path(layer.file, root),
        **listed,
        **index_options(layer),
    }


def describe_project_layer(kind: str) -> Callable[[Any, Path], Json]:
    """A lock install."""

    def describe(layer: Any, root: Path) -> Json:
        return {
            "op": "requirements",
            "kind": kind,
            "file": clean_path(layer.pyproject, root),
            "lines": None,
            **index_options(layer),
        }

    return describe


def describe_env_layer(layer: Any, _: Path) -> Json:
    """Variables; a value that is not a string breaks remote builds."""
    bad = [key for key, value in layer.env_vars if not isinstance(value, str)]
    return {"op": "env", "vars": {key: str(value) for key, value in layer.env_vars}, "bad": bad}


LAYERS: dict[str, Callable[[Any, Path], Json]] = {
    "AptPackages": lambda layer, _: {"op": "apt", "packages": list(layer.packages)},
    "PipPackages": lambda layer, _: {
        "op": "pip",
        "packages": list(layer.packages or []),
        **index_options(layer),
    },
    "Requirements": describe_requirements_layer,
    "PoetryProject": describe_project_layer("poetry"),
    "UVProject": describe_project_layer("uv"),
    "Env": describe_env_layer,
    "Commands": lambda layer, _: {"op": "commands", "commands": list(layer.commands)},
    "CopyConfig": lambda layer, root: {"op": "copy", "src": clean_path(layer.src, root), "dst": layer.dst},
    "WorkDir": lambda layer, _: {"op": "workdir", "dir": layer.workdir},
}


# --- One side: a process that loads all trees ------------------------------------------------------


def refuse_the_outside() -> None:
    """No module that is loaded here may reach a network or start a process, nor build an image."""
    import flyte
    from flytekit.image_spec.image_spec import ImageBuildEngine

    def refuse(*_: Any, **__: Any) -> None:
        raise FileNotFoundError("this check runs without a network and starts no process")

    def build_nothing(*_: Any, **__: Any) -> None:
        """Some modules build their image when they are imported."""

    for owner, name in (
        (socket.socket, "connect"),
        (socket, "getaddrinfo"),
        (subprocess.Popen, "__init__"),
        (os, "system"),
    ):
        setattr(owner, name, refuse)
    for owner in (ImageBuildEngine, flyte):
        owner.build = build_nothing


def quiet_environment(home: str) -> dict[str, str]:
    """An environment without the user's configuration, telemetry or anything else of Flyte's."""
    kept = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "LD_LIBRARY_PATH")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "HOME": home,
        "XDG_CONFIG_HOME": home,
        "XDG_CACHE_HOME": home,
        "DO_NOT_TRACK": "1",
        "FLYTE_DISABLE_TELEMETRY": "true",
        "UNION_USAGE_STATS_ENABLED": "0",
        "FLYTE_SDK_LOGGING_LEVEL": "50",
        "LOG_LEVEL": "50",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "NO_COLOR": "1",
    }


def settle_configuration() -> None:
    """Makes flyte look for a configuration now, where there is none: it remembers the answer."""
    from flyte.config._reader import get_config_file

    get_config_file(None)


def prepare_side() -> None:
    """Loads both SDKs (a file may use both) and settles what must not depend on the trees."""
    sys.dont_write_bytecode = True
    sys.path[:] = [place for place in sys.path if place and Path(place).resolve() != HERE]
    importlib.import_module("flytekit")
    importlib.import_module("flyte")
    with contextlib.suppress(ImportError):
        # An earlier name of the same package, which old code still uses.
        sys.modules.setdefault("unionai", importlib.import_module("union"))
    settle_configuration()
    remember_given_fields()
    accept_missing_plugins()
    refuse_the_outside()


def describe_tree(tree: Tree) -> Json:
    """All tasks and workflows of one tree."""
    clear_registries()
    with fresh_namespace(tree):
        errors, facts = load_tree(tree)
        tasks, workflows = flytekit_entities(tree.root)
        tasks += flyte_entities(tree.root)
        return {
            "errors": errors,
            "facts": facts,
            "tasks": keyed(tasks, tree),
            "workflows": keyed(workflows, tree),
        }


def run_side(side: str, pairs: list[Json]) -> None:
    """Prints one JSON line per pair; what the modules print goes nowhere."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        prepare_side()
        for pair in pairs:
            try:
                result = describe_tree(Tree.of(Path(pair[side]), pair.get("modules")))
            except Exception as error:  # noqa: BLE001 - the other pairs are still to be done
                result = {"error": f"{type(error).__name__}: {error}"}
            out.write(json.dumps({"pair": pair["name"], **result}, default=str) + "\n")
            out.flush()


@contextlib.contextmanager
def started_side(side: str, pairs: list[Json]) -> Iterator[Callable[[], dict[str, Json]]]:
    """Runs one side in its own process; a call waits for what it found, by pair."""
    with tempfile.TemporaryDirectory() as home:
        listing = Path(home) / "pairs.json"
        absolute = [{**pair, side: str(Path(pair[side]).resolve())} for pair in pairs]
        listing.write_text(json.dumps(absolute), encoding="utf-8")
        command = [sys.executable, str(Path(__file__).resolve()), "--side", side, str(listing)]
        with (Path(home) / "out").open("w+") as out, (Path(home) / "err").open("w+") as err:
            process = subprocess.Popen(command, env=quiet_environment(home), cwd=home, stdout=out, stderr=err)

            def wait() -> dict[str, Json]:
                process.wait()
                out.seek(0)
                err.seek(0)
                found = {line["pair"]: line for line in map(json.loads, out)}
                ended = {"error": f"the {side} process ended early: {err.read()[-2000:]}"}
                return {pair["name"]: found.get(pair["name"], ended) for pair in pairs}

            yield wait


# --- Packages --------------------------------------------------------------------------------------


def package_name(text: str) -> str:
    """The canonical name of a requirement, also of a bare repository address."""
    try:
        return canonicalize_name(Requirement(text.strip()).name)
    except InvalidRequirement:
        address = re.sub(r"[@#].*$", "", text.strip().split("://")[-1].split("/", 1)[-1])
        return canonicalize_name(PurePosixPath(address).name.removesuffix(".git") or text)


def normal_requirement(text: str) -> str:
    """A requirement spelled one way: canonical name, sorted extras and specifiers."""
    try:
        requirement = Requirement(text.strip())
    except InvalidRequirement:
        return text.strip()
    requirement.name = canonicalize_name(requirement.name)
    return str(requirement)


def is_flyte1_package(text: str) -> bool:
    """flytekit and union in any form, but not a plugin out of flytekit's repository."""
    return package_name(text) in FLYTE1_PACKAGES and "subdirectory=" not in text


def successor(text: str, tables: Tables) -> str:
    """A Flyte 1 plugin's successor, without the pin that was for Flyte 1."""
    name = package_name(text)
    if name not in tables.plugins:
        return text
    try:
        extras = Requirement(text.strip()).extras
    except InvalidRequirement:
        extras = set()
    return tables.plugins[name] + (f"[{','.join(sorted(extras))}]" if extras else "")


def is_imported_plugin(text: str, case: Comparison) -> bool:
    """Whether the code after still imports the Flyte 1 plugin: then the image must still hold it."""
    module = package_name(text).replace("flytekitplugins-", "flytekitplugins.").replace("-", "_")
    return any(f"{name}.".startswith(f"{module}.") for name in case.imports)


def layers_of(image: Json, *operations: str) -> list[Json]:
    """The layers of some kinds, in order."""
    return [layer for layer in image["layers"] if layer["op"] in operations]


def packages_of(image: Json, operation: str) -> list[str]:
    """The packages of all layers of a kind."""
    return [package for layer in layers_of(image, operation) for package in layer["packages"]]


# --- Comparing images ------------------------------------------------------------------------------


@dataclasses.dataclass
class Comparison:
    """One task before and after, and what was found."""

    before: Json
    after: Json
    imports: list[str]
    """What the task's module, and the modules of the tree that it imports, import after."""
    runs_pip: bool
    tables: Tables
    any_layer_order: bool
    differences: list[str] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)

    def expect(self, holds: bool, message: str) -> None:
        """Records a difference unless the condition holds."""
        if not holds:
            self.differences.append(message)

    def same(self, what: str, before: Any, after: Any) -> None:
        """Records a difference between two values."""
        self.expect(before == after, f"{what}: {before!r} became {after!r}")


def compare_images(case: Comparison) -> None:
    """Compares the images by kind; what both kinds share is compared in detail."""
    before, after = case.before["image"], case.after["image"]
    if before["kind"] == "none":
        before = {"kind": "debian", "base": None, "pythons": [RUNNING_PYTHON], **EMPTY}
    if before["kind"] == "string" and after["kind"] == "foreign":
        before = {"kind": "foreign", "base": before["base"], "pythons": after["pythons"], **EMPTY}
    if before["kind"] != after["kind"]:
        case.differences.append(f"image: {summary(before)} became {summary(after)}")
    elif before["kind"] in {"debian", "foreign"}:
        compare_bases(case, before, after)
        compare_layers(case, before, after)
    else:
        case.same("image", before, after)


def summary(image: Json) -> str:
    """An image in a few words."""
    return " ".join(str(image[key]) for key in ("kind", "base", "name") if image.get(key))


def lower(text: str | None) -> str | None:
    """Names and registries are lower-cased by Flyte 1."""
    return text.lower() if text else None


def compare_bases(case: Comparison, before: Json, after: Json) -> None:
    """What stands in the constructor."""
    case.same("base image", before["base"], after["base"])
    case.expect(
        after["pythons"][0] in before["pythons"], f"python: {before['pythons']} became {after['pythons'][0]}"
    )
    names = accepted_names(before, after)
    case.expect(
        names is None or lower(after["name"]) in names, f"name: {before['name']!r} became {after['name']!r}"
    )
    registries = inherited(before["registry"], before["base_registries"])
    case.expect(
        lower(after["registry"]) in registries,
        f"registry: {before['registry']!r} became {after['registry']!r}",
    )
    case.same("registry secret", before["registry_secret"], after["registry_secret"])
    compare_platforms(case, before["platforms"], after["platforms"])
    for name, value in before["unsupported"].items():
        case.differences.append(f"{name}: {value} was lost")


def inherited(own: str | None, of_bases: list[str | None]) -> set[str | None]:
    """The value itself; one that was not given may come from the base it is cloned from."""
    return {lower(own)} if own else {None, *(lower(value) for value in of_bases)}


def accepted_names(before: Json, after: Json) -> set[str | None] | None:
    """The names an image may have after, None for any: on another base Flyte 2 needs one."""
    names = inherited(before["name"], before["base_names"])
    if before["kind"] == "debian":
        return names
    if not before["name"]:
        return None
    # Two such images that differ only in their Python share a uri, so it may be in the name.
    suffix = "-py" + after["pythons"][0].replace(".", "")
    return names | {f"{name}{suffix}" for name in names if name}


def compare_platforms(case: Comparison, before: list[str] | None, after: list[str] | None) -> None:
    """Without a platform Flyte 1 built one, Flyte 2 builds both or the one Flyte 1 built."""
    if before is None:
        case.expect(after in (None, BOTH_PLATFORMS, ["linux/amd64"]), f"platform: none became {after}")
    elif after is not None or before != BOTH_PLATFORMS:
        case.same("platform", before, after)


def apt_beside_certificates(before: Json, after: Json) -> list[str]:
    """The apt packages, without the certificates that Flyte 1 copies into each image on a foreign base."""
    packages = sorted(packages_of(after, "apt"))
    if before["kind"] == "foreign" and CERTIFICATES not in packages_of(before, "apt"):
        return [package for package in packages if package != CERTIFICATES]
    return packages


def compare_layers(case: Comparison, before: Json, after: Json) -> None:
    """What is put on the base."""
    known = {"apt", "conda", "env", "requirements", "pip", "copy", "commands", "workdir"}
    for layer in after["layers"]:
        case.expect(layer["op"] in known, f"layer {layer['op']} is new")
    case.same("apt packages", sorted(packages_of(before, "apt")), apt_beside_certificates(before, after))
    compare_conda(case, before, after)
    compare_env(case, before, after)
    compare_requirements(case, before, after)
    compare_packages(case, before, after)
    compare_index_options(case, before, after)
    compare_copies(case, before, after)
    compare_commands(case, before, after)
    compare_order(case, before, after)


def compare_conda(case: Comparison, before: Json, after: Json) -> None:
    """Packages from conda, and the Python that comes with them."""
    old, new = layers_of(before, "conda"), layers_of(after, "conda")
    if len(old) != 1 or len(new) != 1:
        case.same("layers of conda", len(old), len(new))
        return
    wanted, found = old[0], new[0]
    case.same("conda channels", wanted["channels"], found["channels"])
    version = wanted["python"]
    if "words" in found:
        python = f"python={version}" if version else "python>=3.10"
        case.same("conda packages", [python, *wanted["words"]], found["words"])
        return
    case.expect(found["is_as_flyte_writes"], "the manifest is not as flyte writes it")
    pins = dict(map(conda_pin, wanted["words"]))
    pins["python"] = f"{version}.*" if version else ">=3.10"
    case.same("conda packages", pins, found["pins"])
    subdirs = {"linux/amd64": "linux-64", "linux/arm64": "linux-aarch64"}
    case.same("platforms of pixi", {subdirs[name] for name in after["platforms"]}, set(found["platforms"]))


def conda_pin(word: str) -> tuple[str, str]:
    """Name and version as pixi has them: `gdal=3.8` is any 3.8."""
    channel, _, spec = word.rpartition("::")
    name = re.match(r"[\w.-]+", spec)[0]
    rest = spec[len(name) :]
    version = f"{rest[1:]}.*" if re.match(r"=[^=]", rest) else rest or "*"
    return name, (f"{channel}::" if channel else "") + version


def compare_env(case: Comparison, before: Json, after: Json) -> None:
    """The variables of the image; on another base a copy needs `PYTHONPATH`."""
    old = {key: value for layer in layers_of(before, "env") for key, value in layer["vars"].items()}
    new = {key: value for layer in layers_of(after, "env") for key, value in layer["vars"].items()}
    if after["kind"] == "foreign" and layers_of(after, "copy") and "PYTHONPATH" not in old:
        case.same("PYTHONPATH", "/root", new.pop("PYTHONPATH", None))
    libraries = old.get("LD_LIBRARY_PATH")
    if libraries is not None and not libraries.startswith(NVIDIA):
        old["LD_LIBRARY_PATH"] = f"{NVIDIA}:{libraries}"
    case.same("env", old, new)
    for layer in layers_of(after, "env"):
        case.expect(not layer["bad"], f"env: the values of {layer['bad']} are not strings")


def compare_requirements(case: Comparison, before: Json, after: Json) -> None:
    """Requirements files and locks: the same files, which list the same but for what is Flyte's."""
    old, new = layers_of(before, "requirements"), layers_of(after, "requirements")
    shown = ("kind", "file")
    case.same(
        "requirements", [{key: layer[key] for key in shown} for layer in old], [{key: layer[key] for key in shown} for layer in new]
    )
    for left, right in zip(old, new):
        compare_lines(case, left["lines"], right["lines"])


def compare_lines(case: Comparison, before: list[str] | None, after: list[str] | None) -> None:
    """Lines of a requirements file: flytekit gives way to flyte, plugins to their successors, nothing else changes."""
    if before is None or after is None:
        case.same("requirements", before, after)
        return
    own = {package_name(line) for line in before}
    brought = case.tables.brought_names() - own
    old = [successor(line, case.tables) for line in before if not is_flyte1_package(line)]
    old_plugins = {line for line in before if successor(line, case.tables) != line}
    new = [line for line in after if line in before or package_name(line) not in {"flyte", *brought}]
    new = [successor(line, case.tables) if line in old_plugins else line for line in new if not is_flyte1_package(line)]
    case.same("requirements", sorted(set(old)), sorted(set(new)))
    lost = {line for line in before if is_flyte1_package(line)} - set(after)
    if lost:
        case.expect("flyte" in {package_name(line) for line in after}, f"{sorted(lost)} went, and flyte did not come")


def compare_packages(case: Comparison, before: Json, after: Json) -> None:
    """Python packages: flytekit's own go, plugins are renamed, what flytekit brought may come."""
    given = [text for text in packages_of(before, "pip") if not is_flyte1_package(text)]
    new = {normal_requirement(text) for text in packages_of(after, "pip")}
    kept = {text for text in new if is_flyte1_package(text)}
    # Beside flytekit a plugin may stay what it was, even if nothing imports it.
    stays = {text for text in given if kept and normal_requirement(text) in new}
    old = {
        normal_requirement(
            text if text in stays or is_imported_plugin(text, case) else successor(text, case.tables)
        )
        for text in given
    }
    for text in sorted(old - new):
        case.differences.append(f"package {text} was dropped")
    for text in sorted(new - old - kept):
        explain_added(case, text, after)
    for text in packages_of(after, "pip"):
        case.expect(not text.strip().startswith("-"), f"package {text!r} is an option: the build fails")
    for layer in layers_of(before, "pip"):
        for option in layer["options"]:
            case.differences.append(f"option {option!r} was lost")
    compare_needed(case, after)


def explain_added(case: Comparison, text: str, after: Json) -> None:
    """A package that was not listed before must have one of three reasons."""
    name = package_name(text)
    if name == "flyte" and (after["kind"] == "foreign" or layers_of(after, "conda")):
        return
    if text == "flyte" and any(layer["packages"][:1] == [text] for layer in layers_of(after, "pip")):
        case.notes.append("flyte stands beside packages that may all be missing")
        return
    if name == "pip" and needs_pip(case, after):
        case.notes.append("pip was added for a command or the module's code")
    elif name in needed_builders(case, after):
        case.notes.append(f"{name} was added: only the Python of Flyte 1 brought it")
    elif name == "unionai-reuse" and case.after.get("reused"):
        case.notes.append("unionai-reuse was added: the containers are reused")
    elif text in case.tables.brought_names():
        case.notes.append(f"{text} was added: only flytekit brought it")
    else:
        case.differences.append(f"package {text} was added")


def needs_pip(case: Comparison, image: Json) -> bool:
    """Whether a command, or code of the task's module, runs pip."""
    return case.runs_pip or commands_need_pip(image)


BUILDERS = {"setuptools": "setuptools", "distutils": "setuptools", "pkg_resources": "setuptools", "wheel": "wheel"}
"""What to install for modules that come with the Python of conda, but not with an environment of uv."""


def needed_builders(case: Comparison, image: Json) -> set[str]:
    """What code of the task's module, or a command, needs to build packages."""
    needed = {BUILDERS[top] for module in case.imports if (top := module.split(".")[0]) in BUILDERS}
    for command in (command for layer in layers_of(image, "commands") for command in layer["commands"]):
        if "--no-build-isolation" in command:
            needed |= {"setuptools", "wheel"}
        if re.search(r"python\S*\s(.*/)?setup\.py", command):
            needed.add("setuptools")
        if "-m wheel" in command:
            needed.add("wheel")
    return needed


def commands_need_pip(image: Json) -> bool:
    """Whether a command of the image runs pip."""
    return any(
        mentions_pip(command) for layer in layers_of(image, "commands") for command in layer["commands"]
    )


def compare_needed(case: Comparison, after: Json) -> None:
    """What the code and the commands need on Flyte 2 must be there."""
    listed = listed_names(after)
    if after["kind"] == "foreign" or layers_of(after, "conda"):
        case.expect("flyte" in listed, "the image lacks flyte")
    elif commands_need_pip(after):
        case.expect("pip" in listed, "a command runs pip, which the Debian base lacks")
    if any(layer["lines"] is None for layer in layers_of(after, "requirements")):
        return
    for name in sorted(needed_builders(case, after) - listed):
        case.differences.append(f"the image lacks {name}")
    if "union" in listed:
        listed.add("flytekit")
    if "flytekit" in listed:
        listed |= case.tables.brought_names()
    for module in case.imports:
        top = module.split(".")[0]
        name = top if top in {"flytekit", "union"} else case.tables.distribution_of(module)
        message = f"the module imports {module}, and the image lacks {name}"
        if name and name not in listed and message not in case.differences:
            case.differences.append(message)


def listed_names(image: Json) -> set[str]:
    """The names of all packages that an image lists, also in requirements files."""
    lines = [line for layer in layers_of(image, "requirements") for line in layer["lines"] or []]
    plain = [line for line in lines if line.strip() and not line.strip().startswith(("#", "-"))]
    return {package_name(re.sub(r"\s#.*$", "", text)) for text in [*plain, *packages_of(image, "pip")]}


IndexOptions = tuple[Any, ...]


def options_of(layer: Json) -> IndexOptions:
    """Where and how a layer installs."""
    extra = (layer["extra_args"] or "").strip()
    return (layer["index_url"], tuple(layer["extra_index_urls"]), extra, layer["pre"], layer["secrets"])


def compare_index_options(case: Comparison, before: Json, after: Json) -> None:
    """Every layer that installs packages has the options that the spec had once."""
    own = accepted_options(before)
    of_packages = {level: {with_file(option, level, before) for option in options} for level, options in own.items()}
    added = added_layers(case, before, after)
    for layer in layers_of(after, "pip", "requirements"):
        accepted = of_packages if layer["op"] == "pip" else own
        wanted = set().union(*accepted.values()) if id(layer) in added else wanted_options(layer, before, accepted)
        found = options_of(layer)
        if layer["op"] == "requirements" and layer["kind"] != "requirements":
            compare_lock_options(case, layer, wanted)
        else:
            case.expect(
                found in wanted,
                f"index options of a {layer['op']} layer: {found}, wanted {sorted(wanted, key=str)}",
            )


def added_layers(case: Comparison, before: Json, after: Json) -> set[int]:
    """The ids of the pip layers that hold nothing that was listed, only what Flyte 2 needs beside it.

    A package that flytekit brought to the base and that the image on it lists is there twice: the
    layer above all that list it is the base's.
    """
    may_come = case.tables.brought_names() | {"flyte", "pip", *BUILDERS.values()}
    listed = Counter(package_name(text) for text in packages_of(before, "pip"))
    added = set()
    for layer in reversed(layers_of(after, "pip")):
        names = {package_name(text) for text in layer["packages"]}
        if names <= may_come and not any(listed[name] > 0 for name in names):
            added.add(id(layer))
        listed.subtract(names)
    return added


def accepted_options(before: Json) -> dict[int, set[IndexOptions]]:
    """By level: a spec without options of its own may get those of its base."""
    accepted: dict[int, set[IndexOptions]] = {}
    nothing: IndexOptions = (None, (), "", False, False)
    for layer in layers_of(before, "pip"):
        own = options_of(layer)
        inherited_options = accepted.get(layer["level"] - 1, set()) if own == nothing else set()
        accepted[layer["level"]] = {own} | inherited_options
    return accepted or {0: {nothing}}


def with_file(options: IndexOptions, level: int, before: Json) -> IndexOptions:
    """The options of packages: those of the requirements file that Flyte 1 installed along with them count too."""
    index, extra, arguments, pre, secrets = options
    others = [arguments] if arguments else []
    files = [layer for layer in layers_of(before, "requirements") if layer["level"] == level]
    for line in (line for layer in files for line in layer["lines"] or []):
        name, _, value = re.sub(r"(^|\s)#.*$", "", line).strip().replace("=", " ", 1).partition(" ")
        if name in {"-i", "--index-url"}:
            index = index or value.strip()
        elif name == "--extra-index-url":
            extra = extra if value.strip() in extra else (*extra, value.strip())
        elif name in {"-f", "--find-links", "--no-binary", "--only-binary"}:
            others.append(f"{'--find-links' if name == '-f' else name} {value.strip()}")
    return (index, extra, " ".join(others), pre, secrets)


def wanted_options(layer: Json, before: Json, accepted: dict[int, set[IndexOptions]]) -> set[IndexOptions]:
    """The options of the levels whose packages are in a layer; of all levels if none are."""
    mine = layer_contents(layer)
    levels = {old["level"] for old in layers_of(before, "pip", "requirements") if mine & layer_contents(old)}
    return set().union(*(accepted[level] for level in levels or accepted))


def layer_contents(layer: Json) -> set[str]:
    """What identifies a layer: its packages, or its file."""
    if layer["op"] == "requirements":
        return {layer["file"]}
    return {normal_requirement(text) for text in layer["packages"]}


def compare_lock_options(case: Comparison, layer: Json, wanted: set[IndexOptions]) -> None:
    """A lock install adds its own arguments to the spec's."""
    arguments = (layer["extra_args"] or "").split()
    needed = {"--locked", "--no-dev"} if layer["kind"] == "uv" else set()
    case.expect(needed <= set(arguments), f"{layer['file']}: {sorted(needed - set(arguments))} are missing")
    case.expect("--no-install-project" not in arguments, f"{layer['file']}: --no-install-project is doubled")
    if layer["kind"] == "uv":
        case.expect(
            any(option[:2] == options_of(layer)[:2] for option in wanted),
            f"index options of {layer['file']} differ",
        )
    for option in wanted:
        case.expect(set(option[2].split()) <= set(arguments), f"{layer['file']}: pip_extra_args were lost")


def compare_copies(case: Comparison, before: Json, after: Json) -> None:
    """Files copied into the image, and the working directory they are read from."""
    old, new = (
        sorted((layer["src"], layer["dst"].rstrip("/")) for layer in layers_of(image, "copy"))
        for image in (before, after)
    )
    case.same("copies", old, new)
    folders = [layer["dir"] for layer in layers_of(after, "workdir")]
    if new:
        # Layers of an image that is made from this one may follow.
        case.expect(folders[-1:] == ["/root"], "the last workdir is not /root")
    else:
        case.expect(folders in ([], ["/root"]), f"workdir {folders} is new")


# --- Commands --------------------------------------------------------------------------------------

SHELL_STATE = re.compile(r"^(cd|pushd|popd|export|unset|source|set|umask|alias|shopt)(\s|$)|^\.\s|^\w+=\S*$")
USER_COMMAND = "useradd --create-home"


def without_cd(command: str) -> str:
    """A command without the `cd / && ` that puts it where Flyte 1 ran."""
    return command.removeprefix("cd / && ")


def compare_commands(case: Comparison, before: Json, after: Json) -> None:
    """Flyte 1 joins the commands in one shell, Flyte 2 starts a shell for each."""
    old = [text for layer in layers_of(before, "commands") for text in layer["commands"]]
    new = [text for layer in layers_of(after, "commands") for text in layer["commands"]]
    if after["kind"] == "foreign" and layers_of(after, "copy"):
        new = [text for text in new if USER_COMMAND not in text or text in old]
    case.same("commands", " && ".join(map(without_cd, old)), " && ".join(map(without_cd, new)))
    for command in new[:-1]:
        if part := state_change(without_cd(command)):
            case.differences.append(f"command {part!r} no longer acts on the commands after it")


def state_change(command: str) -> str | None:
    """The part of a command that changes the shell it runs in."""
    parts = [part.strip() for part in re.split(r"&&|\|\||;|\n", command)]
    return next((part for part in parts if SHELL_STATE.match(part)), None)


# --- The order of layers ---------------------------------------------------------------------------


def compare_order(case: Comparison, before: Json, after: Json) -> None:
    """Layers come in Flyte 1's build order; with the source's order only git matters."""
    compare_git(case, after)
    compare_added_pip_position(case, before, after)
    if not case.any_layer_order:
        added = added_layers(case, before, after)
        case.same("order of layers", order(before, before, after, added), order(after, before, after, added))


def order(image: Json, before: Json, after: Json, added: set[int]) -> list[str]:
    """The kinds of layers in order, without those that have no counterpart."""
    wanted = {package_name(text) for text in packages_of(before, "pip") if not is_flyte1_package(text)}
    wanted_commands = {text for layer in layers_of(before, "commands") for text in layer["commands"]}
    kinds: list[str] = []
    for layer in image["layers"]:
        if id(layer) in added:
            continue
        kind = layer_kind(layer, image is before, wanted, wanted_commands)
        if kind and kinds[-1:] != [kind]:
            kinds.append(kind)
    # pixi installs packages from PyPI together with its own, above everything else.
    is_solved_together = any(layer.get("in_manifest") for layer in [*image["layers"], *after["layers"]])
    return [kind for kind in kinds if kind != "pip" or not is_solved_together]


def layer_kind(layer: Json, is_before: bool, wanted: set[str], wanted_commands: set[str]) -> str | None:
    """A layer's place in the order, None for one that Flyte 2 alone needs or that is empty."""
    kind = {"requirements": "pip"}.get(layer["op"], layer["op"])
    if layer["op"] == "workdir" or (layer["op"] == "apt" and not layer["packages"]):
        return None
    if layer["op"] == "pip":
        names = {package_name(text) for text in layer["packages"] if not is_flyte1_package(text)}
        has_counterpart = (
            names if is_before else {name for name in names if name in wanted or is_plugin(name)}
        )
        return kind if has_counterpart else None
    if not is_before and layer["op"] == "commands":
        added = [text for text in layer["commands"] if USER_COMMAND in text and text not in wanted_commands]
        return None if len(added) == len(layer["commands"]) else kind
    if not is_before and layer["op"] == "env" and layer["vars"] == {"PYTHONPATH": "/root"}:
        return None
    return kind


def is_plugin(name: str) -> bool:
    """A Flyte 2 plugin: it stands for one of Flyte 1 with another name."""
    return name.startswith("flyteplugins-")


def compare_git(case: Comparison, after: Json) -> None:
    """A package from a repository needs git from an apt layer above it."""
    has_git = after["kind"] == "foreign" and "git" not in packages_of(after, "apt")
    for layer in after["layers"]:
        if layer["op"] == "apt":
            has_git = has_git or "git" in layer["packages"]
        elif layer["op"] == "pip" and not has_git:
            fetched = [text for text in layer["packages"] if "git+" in text]
            case.expect(not fetched, f"{fetched} need git from an apt layer above")


def compare_added_pip_position(case: Comparison, before: Json, after: Json) -> None:
    """pip must be there before the first command that runs it."""
    present = "pip" in {package_name(text) for text in packages_of(before, "pip")}
    for layer in after["layers"]:
        if layer["op"] == "pip":
            present = present or "pip" in {package_name(text) for text in layer["packages"]}
        elif layer["op"] == "commands" and any(map(mentions_pip, layer["commands"])):
            case.expect(present or after["kind"] == "foreign", "pip comes after the command that runs it")


# --- Comparing settings ----------------------------------------------------------------------------


def compare_settings(case: Comparison) -> None:
    """Everything of a task but its image."""
    before, after = case.before, case.after
    same = ["env_vars", "secrets", "retries", "timeout", "interruptible", "report", "plugin"]
    for name in [*same, "pod_template", "docs", "reused"]:
        case.same(name, before[name], after[name])
    bad = [key for key, value in after["env_vars"].items() if not isinstance(value, str)]
    case.expect(not bad, f"env_vars: the values of {bad} are not strings")
    compare_cache(case, before["cache"], after["cache"])
    compare_resources(case, before["resources"], after["resources"])


def compare_cache(case: Comparison, before: Json | None, after: Json | None) -> None:
    """The version is the same; one that flytekit computed from the body, Flyte 2 computes too."""
    is_computed = before is not None and re.fullmatch(r"[0-9a-f]{64}", before["version"] or "")
    if is_computed and after is not None and after["version"] is None:
        before = {**before, "version": None}
    case.same("cache", before, after)


def compare_resources(case: Comparison, before: Json, after: Json) -> None:
    """Requests, limits, accelerator and shared memory, as they go over the wire."""
    case.same("resources", wire_resources(before), after)


def wire_resources(before: Json) -> Json:
    """What Flyte 2 must send for a Flyte 1 task: a limit without request requests the limit."""
    requests, limits = dict(before["requests"]), dict(before["limits"])
    for name in ("cpu", "memory"):
        if name in limits:
            requests.setdefault(name, limits[name])
    for name in ("gpu", "disk"):
        limit = limits.pop(name, None)
        value = (limit or requests.get(name)) if name == "gpu" else requests.get(name, limit)
        if value is not None:
            requests[name] = value
    if before["device"]:
        requests.setdefault("gpu", "1")
    if requests.get("gpu") == "0":
        del requests["gpu"]
    return {**before, "requests": requests, "limits": limits}


# --- Comparing trees -------------------------------------------------------------------------------


def imports_with_locals(file: str, facts: dict[str, Json]) -> list[str]:
    """The imports of a module and of the modules of its tree that it imports."""
    by_name = {dotted_name(path): path for path in facts}
    seen: set[str] = set()
    names: set[str] = set()
    waiting = [file]
    while waiting:
        path = waiting.pop()
        if path in seen or path not in facts:
            continue
        seen.add(path)
        found = {name: local_module(name, path, by_name) for name in facts[path]["imports"]}
        waiting += [local for local in found.values() if local]
        names |= {name for name, local in found.items() if not local}
    return sorted(names)


def local_module(name: str, path: str, by_name: dict[str, str]) -> str | None:
    """The tree's own file for an import, also for a name out of it or a script's neighbor."""
    beside = dotted_name(str(PurePosixPath(path).with_name("x.py"))).removesuffix("x")
    for start in (name, name.rpartition(".")[0]):
        for candidate in (start, start.removeprefix("src."), beside + start):
            if candidate in by_name:
                return by_name[candidate]
    return None


def compare_task(
    before: Json, after: Json, sides: tuple[Json, Json], tables: Tables, pair: Json
) -> Comparison:
    """One task that both sides have."""
    # The text before says whether the code runs pip: the text after may name it as a package.
    runs = sides[0]["facts"].get(before.get("file"), {}).get("runs_pip", False)
    imports = imports_with_locals(after["file"], sides[1]["facts"])
    case = Comparison(before, after, imports, runs, tables, pair.get("layer_order") == "source")
    if broken := before.get("error") or after.get("error"):
        case.differences.append(broken)
    elif after["sdk"] == before["sdk"] == "flytekit":
        compare_unmigrated(case)
    else:
        compare_images(case)
        compare_settings(case)
    return case


def compare_unmigrated(case: Comparison) -> None:
    """A task that stays on flytekit stays as it was."""
    for name, value in case.before.items():
        case.same(name, value, case.after[name])


def compare_pair(pair: Json, before: Json, after: Json, tables: Tables) -> tuple[list[Json], list[Json]]:
    """The entries of a pair, and what could not be proven about it."""
    if broken := before.get("error") or after.get("error"):
        return [entry(pair, None, [broken])], []
    entries = module_entries(pair, before, after)
    unproven = [
        {"pair": pair["name"], "module": path, "error": error}
        for path, error in before["errors"].items()
        if error
    ]
    for key, task in before["tasks"].items():
        entries.append(task_entry(pair, key, task, (before, after), tables))
    entries += workflow_entries(pair, before, after)
    entries += uri_entries(pair, after)
    return entries, unproven


def uri_entries(pair: Json, after: Json) -> list[Json]:
    """Flyte 2 builds one image per uri: two that are not the same must not share one."""
    by_uri: dict[str, dict[str, str]] = {}
    for key, task in after["tasks"].items():
        image = task.get("image") or {}
        if image.get("uri"):
            content = json.dumps({**image, "platforms": None}, sort_keys=True, default=str)
            by_uri.setdefault(image["uri"], {}).setdefault(content, key)
    return [
        entry(pair, None, [f"the images of {sorted(users.values())} differ, but share the uri {uri}"])
        for uri, users in by_uri.items()
        if len(users) > 1
    ]


def entry(pair: Json, task: str | None, differences: list[str], notes: Iterable[str] = ()) -> Json:
    """One line of the report."""
    return {"pair": pair["name"], "task": task, "differences": differences, "notes": list(notes)}


def module_entries(pair: Json, before: Json, after: Json) -> list[Json]:
    """A module that could be loaded before must be there and load after."""
    entries = []
    for path, error_before in before["errors"].items():
        error = after["errors"].get(path, "the module is gone")
        if error and not error_before:
            entries.append(entry(pair, None, [f"{path}: {error}"]))
    return entries


def task_entry(pair: Json, key: str, task: Json, sides: tuple[Json, Json], tables: Tables) -> Json:
    """The comparison of one task."""
    counterpart = sides[1]["tasks"].get(key)
    if counterpart is None:
        return entry(pair, key, ["the task is gone"])
    case = compare_task(task, counterpart, sides, tables, pair)
    return entry(pair, key, case.differences, case.notes)


def workflow_entries(pair: Json, before: Json, after: Json) -> list[Json]:
    """Workflows stay or become tasks; no other task may appear."""
    entries = [
        entry(pair, key, ["the workflow is gone"])
        for key in before["workflows"]
        if key not in after["workflows"] and key not in after["tasks"]
    ]
    for key, workflow in before["workflows"].items():
        triggers = {**after["workflows"], **after["tasks"]}.get(key, {}).get("triggers", [])
        if key in after["tasks"] or key in after["workflows"]:
            entries += trigger_entries(pair, key, workflow.get("triggers", []), triggers)
    known = {*before["tasks"], *before["workflows"]}
    failed = {path for path, error in before["errors"].items() if error}
    for key, task in after["tasks"].items():
        if key not in known and task["file"] not in failed:
            entries.append(entry(pair, key, ["the task is new"]))
    return entries


def trigger_entries(pair: Json, key: str, before: list[Json], after: list[Json]) -> list[Json]:
    """Each launch plan of a workflow becomes one trigger that says the same."""
    if not before and not after:
        return []
    return [entry(pair, key, [] if before == after else [f"triggers: {before} became {after}"])]


def compare_all(pairs: list[Json]) -> Json:
    """The whole report."""
    tables = Tables.read()
    with started_side("flyte1", pairs) as flyte1, started_side("flyte2", pairs) as flyte2:
        before, after = flyte1(), flyte2()
    entries: list[Json] = []
    unproven: list[Json] = []
    for pair in pairs:
        found, open_questions = compare_pair(pair, before[pair["name"]], after[pair["name"]], tables)
        entries += found
        unproven += open_questions
    counts = {
        "pairs": len(pairs),
        "tasks": sum(1 for item in entries if item["task"]),
        "different": sum(1 for item in entries if item["differences"]),
        "unproven": len(unproven),
    }
    return {"summary": counts, "tasks": entries, "unproven": unproven}


def check_names(pairs: list[Json]) -> None:
    """Pairs are told apart by name."""
    repeated = [name for name, count in Counter(pair["name"] for pair in pairs).items() if count > 1]
    if repeated:
        raise SystemExit(f"pairs of the same name: {repeated}")


def main() -> int:
    """Compares all pairs, or describes one side of them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pairs", type=Path, help="a JSON list of pairs")
    parser.add_argument("--report", type=Path, help="write the report there too")
    parser.add_argument("--strict", action="store_true", help="fail also where nothing could be proven")
    parser.add_argument("--side", choices=("flyte1", "flyte2"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    pairs = json.loads(options.pairs.read_text(encoding="utf-8"))
    check_names(pairs)
    if options.side:
        run_side(options.side, pairs)
        return 0
    report = compare_all(pairs)
    text = json.dumps(report, indent=2)
    print(text)
    if options.report:
        options.report.write_text(text + "\n", encoding="utf-8")
    counts = report["summary"]
    return int(bool(counts["different"] or (options.strict and counts["unproven"])))


if __name__ == "__main__":
    raise SystemExit(main())
