"""Loads Flyte 2 code under the SDK and prints the images in it as the SDK holds them.

    python images.py LIST.json

`LIST.json` is a list of `{"root": FOLDER, "registry": TEXT or null}`. Every Python file below a root is
loaded as `flyte build` would load it, with the root as working directory. One JSON line per root goes
to standard output: `{"root", "images", "tasks", "errors"}`. `images` is keyed by `file.py::variable`,
`tasks` by `environment.task`; each value is an image in the form of `image show --output-format json`.
`python images.py --signatures` prints the parameters of every constructor and method instead.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from compare import Tree, clear_registries, fresh_namespace, load_error, prepare_side
from serialize import enter_quiet_environment

Json = dict[str, Any]


def secret(value: Any) -> Json:
    """A secret, or the string that stands for one."""
    if isinstance(value, str):
        return {"key": value, "is_plain": True}
    fields = {"group": value.group, "as_env_var": value.as_env_var}
    mount = str(value.mount) if value.mount is not None else None
    return {"key": value.key, "is_plain": False, "mount": mount, **fields}


def secrets(layer: Any) -> list[Json]:
    """The secrets of a layer."""
    return [secret(value) for value in layer.secret_mounts or ()]


def pip_options(layer: Any) -> Json:
    """What layers installed by uv share."""
    return {
        "index_url": layer.index_url,
        "extra_index_urls": list(layer.extra_index_urls or ()),
        "pre": bool(layer.pre),
        "extra_args": layer.extra_args,
        "secret_mounts": secrets(layer),
    }


def text(path: Any) -> str | None:
    """A path as text."""
    return None if path is None else str(path)


def layer(value: Any) -> Json:
    """A layer, keyed by the names of the Rust model."""
    from flyte import _image as sdk

    install = getattr(value, "project_install_mode", None)
    tail = {"extra_args": getattr(value, "extra_args", None)}
    match value:
        case sdk.Requirements():
            return {"kind": "requirements", "file": text(value.file), "options": pip_options(value)}
        case sdk.PipPackages():
            packages = list(value.packages or ())
            return {"kind": "pip_packages", "packages": packages, "options": pip_options(value)}
        case sdk.UVProject():
            files = {"pyproject": text(value.pyproject), "uvlock": text(value.uvlock)}
            return {"kind": "uv_project", **files, "install": install, "options": pip_options(value)}
        case sdk.PoetryProject():
            files = {"pyproject": text(value.pyproject), "poetry_lock": text(value.poetry_lock)}
            return {
                "kind": "poetry_project",
                **files,
                "install": install,
                **tail,
                "secret_mounts": secrets(value),
            }
        case sdk.PixiProject():
            files = {"manifest": text(value.manifest), "pixi_lock": text(value.pixi_lock)}
            own = {**files, "environment": value.environment, "install": install}
            return {"kind": "pixi_project", **own, **tail, "secret_mounts": secrets(value)}
        case sdk.UVScript():
            return {"kind": "uv_script", "script": text(value.script), "options": pip_options(value)}
        case sdk.PixiScript():
            own = {"platforms": list(value.platforms), "environment": value.environment}
            own = {"script": text(value.script), **own, **tail}
            return {"kind": "pixi_script", **own, "secret_mounts": secrets(value)}
        case sdk.AptPackages():
            return {"kind": "apt_packages", "packages": list(value.packages), "secret_mounts": secrets(value)}
        case sdk.Commands():
            return {"kind": "commands", "commands": list(value.commands), "secret_mounts": secrets(value)}
        case sdk.Env():
            return {"kind": "env", "variables": [[key, str(item)] for key, item in value.env_vars]}
        case sdk.WorkDir():
            return {"kind": "work_dir", "workdir": value.workdir}
        case sdk.CopyConfig():
            kind = "copy_folder" if value.path_type else "copy_file"
            return {"kind": kind, "src": text(value.src), "dst": value.dst}
        case sdk.DockerIgnore():
            return {"kind": "docker_ignore", "path": value.path}
        case sdk.CodeBundleLayer():
            return {"kind": "code_bundle", "copy_style": value.copy_style, "dst": value.dst}
        case sdk._DockerLines():
            return {"kind": "docker_lines", "lines": list(value.lines)}
    raise TypeError(f"a layer that is not known: {value!r}")


def base(image: Any) -> Json:
    """What an image starts from."""
    if image.dockerfile is not None:
        return {"dockerfile": str(image.dockerfile)}
    if image._ref_name is not None:
        return {"ref_name": image._ref_name}
    return {"reference": image.base_image}


def built_uri(image: Any) -> str:
    """The name under which the SDK looks for an image, as `_build_images` and the local builder have it."""
    from flyte._image import _get_push_registry
    from flyte._initialize import _get_init_config

    if image._ref_name is not None:
        raise LookupError(image._ref_name)
    is_local = str(_get_init_config().image_builder) in ("local", "local-podman")
    if is_local and image._is_cloned and not image.registry and (registry := _get_push_registry()):
        image = image.clone(registry=registry)
    return image.uri


def describe(image: Any) -> Json:
    """An image in the form of the Rust model."""
    try:
        uri, error = built_uri(image), None
    except Exception as failure:  # noqa: BLE001 - whatever the SDK raises is the answer
        uri, error = None, f"{type(failure).__name__}: {failure}"
    try:
        image.validate()
        invalid = None
    except Exception as failure:  # noqa: BLE001 - whatever the SDK raises is the answer
        invalid = f"{type(failure).__name__}: {failure}"
    registry_secret = image._image_registry_secret
    return {
        "uri": uri,
        "error": error,
        "invalid": invalid,
        "base": base(image),
        "name": image.name,
        "registry": image.registry,
        "registry_secret": None if registry_secret is None else secret(registry_secret),
        "platform": list(image.platform),
        "python_version": list(image.python_version),
        "is_extendable": image.extendable,
        "is_cloned": image._is_cloned,
        "layers": [layer(value) for value in image._layers],
    }


def loaded_modules(tree: Tree) -> dict[str, Any]:
    """The tree's own modules that are loaded, by their path from the root."""
    found = {}
    for module in list(sys.modules.values()):
        relative = tree.relative(getattr(module, "__file__", None) or "/")
        if relative is not None:
            found[relative] = module
    return found


def environments(value: Any) -> list[Any]:
    """The task environments that a value is or holds."""
    import flyte

    held = list(vars(value).values()) if isinstance(value, type) else []
    held += list(value.values()) if isinstance(value, dict) else []
    return [item for item in [value, *held] if isinstance(item, flyte.TaskEnvironment)]


def images_of(tree: Tree) -> Json:
    """What the modules of a tree hold once all of them were loaded."""
    import flyte

    errors = {tree.relative(file): load_error(tree, file) for file in tree.files}
    images, tasks = {}, {}
    for relative, module in loaded_modules(tree).items():
        for name, value in list(vars(module).items()):
            if isinstance(value, flyte.Image):
                images[f"{relative}::{name}"] = describe(value)
            for environment in environments(value):
                for name, task in environment.tasks.items():
                    # A string, or none at all, stands for an image that the task has.
                    image = environment.image if isinstance(environment.image, flyte.Image) else task.image
                    if isinstance(image, flyte.Image):
                        tasks[name] = describe(image)
    return {"images": images, "tasks": tasks, "errors": {k: v for k, v in errors.items() if v is not None}}


def all_images(roots: list[Json], out: Any) -> None:
    """Prints what each root holds."""
    import flyte
    from flyte.config._reader import get_config_file

    for entry in roots:
        root = Path(entry["root"])
        tree = Tree.of(root, None)
        if entry.get("registry"):
            os.environ["FLYTE_IMAGE_REGISTRY"] = entry["registry"]
        else:
            os.environ.pop("FLYTE_IMAGE_REGISTRY", None)
        with fresh_namespace(tree):
            # The configuration of the root before is remembered otherwise.
            get_config_file.cache_clear()
            flyte.init(root_dir=Path.cwd())
            clear_registries()
            found = images_of(tree)
        out.write(json.dumps({"root": entry["root"], **found}) + "\n")


def signatures(out: Any) -> None:
    """Prints constructors and methods with their parameters: name, kind, whether it has a default."""
    import flyte

    found = {}
    for name, member in inspect.getmembers(flyte.Image):
        if not name.startswith(("from_", "with_")) and name != "clone":
            continue
        parameters = [p for p in inspect.signature(member).parameters.values() if p.name != "self"]
        found[name] = [[p.name, p.kind.name, p.default is p.empty] for p in parameters]
    layers = [cls.__name__ for cls in subclasses(flyte._image.Layer)]
    fields = [field.name for field in dataclasses.fields(flyte.Image)]
    environment = list(inspect.signature(flyte.TaskEnvironment).parameters)
    known = {"signatures": found, "layers": sorted(layers), "fields": fields, "environment": environment}
    out.write(json.dumps(known))


def subclasses(cls: type) -> set[type]:
    """All classes below a class."""
    direct = set(cls.__subclasses__())
    return direct.union(*(subclasses(below) for below in direct))


def main() -> None:
    """Does what the command line says."""
    roots = None if sys.argv[1] == "--signatures" else json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    folder = Path.cwd()
    with tempfile.TemporaryDirectory() as home, os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        # What the modules and the SDK print must not stand between the results.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        enter_quiet_environment(home)
        prepare_side()
        try:
            if roots is None:
                signatures(out)
            else:
                all_images(roots, out)
        finally:
            os.chdir(folder)


if __name__ == "__main__":
    main()
