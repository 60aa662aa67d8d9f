"""Stands in for docker: runs the command of a container on this machine, with its folders where they are bound."""

import subprocess
from pathlib import Path

import docker


class Container:
    def wait(self) -> None: ...

    def remove(self) -> None: ...

    def logs(self, stream: bool = False) -> bytes:
        return b""


class Engine:
    def __init__(self) -> None:
        self.images = self.containers = self

    def list(self, filters: dict) -> list:
        return [filters]

    def run(self, image: str, command: list, volumes: dict, **options: object) -> Container:
        def on_this_machine(part: str) -> str:
            for path, volume in volumes.items():
                part = part.replace(str(volume["bind"]), str(path))
            return part

        for path in volumes:
            if not Path(path).exists():
                Path(path).mkdir(parents=True)
        subprocess.run([on_this_machine(part) for part in command], check=True)
        return Container()


docker.from_env = Engine
