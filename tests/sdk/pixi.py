"""Says what pixi would refuse in manifests, and which conda packages they ask for in another way than the code.

Reads a JSON list of manifests with the conda packages that the code lists, and prints a list of complaints for each.
The schema is pixi's own; rattler is the library with which pixi reads versions, channels and platforms.
"""

import json
import sys
from importlib.resources import files

import jsonschema
import rattler
import tomli
from packaging.specifiers import SpecifierSet

SCHEMA = json.loads(files("validate_pyproject_schema_store").joinpath("resources/pixi.schema.json").read_text())


def match_spec(name, value):
    """What a line of `[dependencies]` asks for, as pixi reads it."""
    if isinstance(value, str):
        return rattler.MatchSpec(f"{name} {value}")
    brackets = [f"{key}='{value[key]}'" for key in ("version", "build") if key in value]
    channel = f"{value['channel']}::" if "channel" in value else ""
    return rattler.MatchSpec(f"{channel}{name}[{', '.join(brackets)}]")


def meaning(spec):
    channel = spec.channel.name if spec.channel else None
    version = None if str(spec.version) in ("None", "*") else str(spec.version)
    build = None if str(spec.build) in ("None", "*") else str(spec.build)
    return spec.name.normalized, version, build, channel


def complaints(text, packages):
    try:
        manifest = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        return [str(error)]
    validator = jsonschema.Draft7Validator(SCHEMA)
    found = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(manifest)]
    if found:
        return found
    try:
        for channel in manifest["workspace"]["channels"]:
            rattler.Channel(channel)
        for platform in manifest["workspace"]["platforms"]:
            rattler.Platform(platform)
        for value in manifest.get("pypi-dependencies", {}).values():
            version = value if isinstance(value, str) else value.get("version", "*")
            SpecifierSet("" if version == "*" else version)
        asked = {match_spec(*item).name.normalized: match_spec(*item) for item in manifest["dependencies"].items()}
        for package in packages:
            wanted = meaning(rattler.MatchSpec(package))
            written = asked.get(wanted[0])
            if written is None or meaning(written) != wanted:
                found.append(f"`{package}` is {wanted}, and the manifest has {written and meaning(written)}")
    except Exception as error:
        found.append(repr(error))
    return found


print(json.dumps([complaints(*case) for case in json.load(sys.stdin)]))
