import os
from pathlib import Path
from typing import Optional, Union

from flytekit import task, workflow
from flytekit.types.file import FlyteFile


def as_path(p: Union[str, os.PathLike, FlyteFile]) -> Path:
    if isinstance(p, FlyteFile):
        p = p.download()
    return Path(p)


def read_any(p: Union[str, Path, FlyteFile]) -> str:
    local = p.download() if isinstance(p, FlyteFile) else p
    with open(local) as f:
        return f.read()


@task
def write(text: str) -> FlyteFile:
    with open("t.txt", "w") as f:
        f.write(text)
    return FlyteFile("t.txt")


@task
def read(src: Union[str, FlyteFile]) -> str:
    if isinstance(src, FlyteFile):
        with open(src.download()) as f:
            return f.read()
    return src


@task
def read_at_once(src: Union[str, FlyteFile]) -> str:
    if isinstance(src, str):
        return src
    with src.open("r") as f:
        return f.read()


@task
def read_or_none(src: Union[FlyteFile, str, None] = None) -> str:
    if src is None:
        return "none"
    if not isinstance(src, FlyteFile):
        return src.upper()
    elif isinstance(src, FlyteFile) and os.path.getsize(src) > 0:
        return open(src).read()
    else:
        return "empty"


@task
def by_helper(f: FlyteFile) -> str:
    return as_path(f).read_text() + read_any(f)


@workflow
def of_files(text: str) -> str:
    return read(src=write(text=text))


@workflow
def of_texts(text: str) -> str:
    return read(src=text)


@workflow
def at_once(text: str) -> str:
    return read_at_once(src=write(text=text))


@workflow
def nothing() -> str:
    return read_or_none()


@workflow
def something(text: str) -> str:
    return read_or_none(src=write(text=text))


@workflow
def helped(text: str) -> str:
    return by_helper(f=write(text=text))


CALLS = [
    ("of_files", {"text": "abc"}),
    ("of_texts", {"text": "abc"}),
    ("at_once", {"text": "abc"}),
    ("nothing", {}),
    ("something", {"text": "abc"}),
    ("helped", {"text": "abc"}),
]
