"""Prints the Dockerfiles that the SDK's own builder writes for the images of a file, by their uri, as JSON.

Usage: dockerfiles.py CODE
"""

import asyncio
import contextlib
import importlib.util
import io
import json
import sys
from pathlib import Path

import flyte
from flyte._internal.imagebuild.docker_builder import DockerImageBuilder


async def no_engine(cls):
    return ["docker"]


def main(code):
    flyte.init(root_dir=Path.cwd())
    spec = importlib.util.spec_from_file_location("code", code)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    DockerImageBuilder._build_command_prefix = classmethod(no_engine)
    found = {}
    for image in vars(module).values():
        if isinstance(image, flyte.Image):
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                asyncio.run(DockerImageBuilder()._build_image(image, dry_run=True))
            found[image.uri] = said.getvalue().split("Dockerfile: ", 1)[1].rsplit("\nCommand: ", 1)[0]
    json.dump(found, sys.stdout)


main(Path(sys.argv[1]))
