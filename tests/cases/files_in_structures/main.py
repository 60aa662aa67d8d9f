import os
import tempfile
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional

from flytekit import FlyteDirectory, FlyteFile, map_task, task, workflow

Written = NamedTuple("Written", file=FlyteFile, lines=int)


@task
def write(name: str, text: str) -> FlyteFile:
    path = Path(tempfile.mkdtemp()) / name
    path.write_text(text)
    return FlyteFile(str(path))


@task
def counted(text: str) -> Written:
    path = os.path.join(tempfile.mkdtemp(), "counted")
    with open(path, "w") as handle:
        handle.write(text)
    return Written(file=FlyteFile(path), lines=len(text.splitlines()))


@task
def many(names: List[str]) -> List[FlyteFile]:
    folder = tempfile.mkdtemp()
    files = []
    for name in names:
        path = os.path.join(folder, name)
        with open(path, "w") as handle:
            handle.write(name * 2)
        files.append(FlyteFile(path))
    return files


@task
def content(file: FlyteFile) -> str:
    with file.open("r") as handle:
        return handle.read()


@task
def everything(files: List[FlyteFile]) -> str:
    texts = []
    for file in files:
        with open(file, "r") as handle:
            texts.append(handle.read())
    return "+".join(texts)


@task
def folder(n: int) -> FlyteDirectory:
    path = Path(tempfile.mkdtemp())
    for i in range(n):
        (path / f"{i}.txt").write_text(str(i))
    return FlyteDirectory(path=str(path))


@task
def inside(d: FlyteDirectory) -> str:
    path = d.download()
    return ",".join(sorted(os.listdir(path)))


@task
def optional(file: Optional[FlyteFile] = None) -> str:
    if file is None:
        return "none"
    with open(file) as handle:
        return handle.read()


@task
def join(a: str, b: str, c: str, d: int) -> str:
    return f"{a}|{b}|{c}|{d}"


@workflow
def pipeline(names: List[str]) -> str:
    first = write(name="first", text="hello")
    written = counted(text="a\nb")
    files = many(names=names)
    return join(
        a=content(file=written.file),
        b=everything(files=files),
        c=inside(d=folder(n=2)),
        d=written.lines,
    )


@workflow
def maybe() -> str:
    return join(a=optional(), b=optional(file=write(name="n", text="t")), c="", d=0)


@workflow
def mapped(names: List[str]) -> List[str]:
    return map_task(content)(file=many(names=names))


CALLS = [("pipeline", {"names": ["x", "y"]}), ("maybe", {}), ("mapped", {"names": ["p", "q"]})]
