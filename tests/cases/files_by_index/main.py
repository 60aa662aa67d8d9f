import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional

from flytekit import FlyteDirectory, FlyteFile, task, workflow

INDEX = 1


@dataclass
class Shard:
    file: FlyteFile
    n: int


@task
def shards(n: int) -> List[FlyteFile]:
    out = []
    for i in range(n):
        path = os.path.join(tempfile.mkdtemp(), f"{i}.txt")
        with open(path, "w") as handle:
            handle.write("x" * i)
        out.append(FlyteFile(path))
    return out


@task
def named(n: int) -> Dict[str, FlyteFile]:
    folder = tempfile.mkdtemp()
    for i in range(n):
        Path(folder, str(i)).write_text("y" * i)
    return {str(i): FlyteFile(os.path.join(folder, str(i))) for i in range(n)}


@task
def folders(n: int) -> List[FlyteDirectory]:
    out = []
    for i in range(n):
        path = tempfile.mkdtemp()
        Path(path, "a.txt").write_text("z" * i)
        out.append(FlyteDirectory(path=path))
    return out


@task
def sizes(files: List[FlyteFile], start: int = 0) -> List[int]:
    result = []
    while start < len(files):
        with open(files[start]) as handle:
            result.append(len(handle.read()))
        start += 1
    return result


@task
def queue(files: List[FlyteFile]) -> List[int]:
    result = []
    while files:
        with open(files[0]) as handle:
            result.append(len(handle.read()))
        del files[0]
    return result


@task
def one(n: int) -> FlyteFile:
    path = os.path.join(tempfile.mkdtemp(), "one.txt")
    Path(path).write_text("w" * n)
    return FlyteFile(path)


@task
def by_key(files: Dict[str, FlyteFile]) -> str:
    texts = [open(files[key]).read() for key in ["1", "2"]]
    if "none" in files:
        return open(files["none"]).read()
    return "".join(texts)


@task
def in_folders(ds: List[FlyteDirectory]) -> str:
    return "|".join(open(os.path.join(ds[i], "a.txt")).read() for i in range(len(ds)))


@task
def by_global(files: List[FlyteFile]) -> str:
    global INDEX
    INDEX = 2
    return open(files[INDEX]).read()


@task
def first_twice(files: List[FlyteFile]) -> str:
    if not files:
        return "none"
    second = open(files[1]).read()
    return second + str(os.path.getsize(files[1]))


@task
def assigned(file: FlyteFile, files: List[FlyteFile]) -> str:
    shard = Shard(file=file, n=1)
    before = open(shard.file).read()
    shard.n = 2
    return before


@task
def by_name(files: Dict[str, FlyteFile], keys: List[str]) -> str:
    first = files[keys[0]]
    text = open(first).read() + str(os.path.getsize(first))
    for key in keys:
        file = files[key]
        file.download()
        text += open(file.path).read()
    return text


@task
def field_by_name(file: FlyteFile) -> str:
    shard = Shard(file=file, n=1)
    own = shard.file
    with open(own) as handle:
        return handle.read()


@task
def maybe(shard: Optional[Shard] = None) -> str:
    if shard is None:
        return "none"
    return open(shard.file).read()


@workflow
def main(n: int) -> str:
    files = shards(n=n)
    return joined(
        a=sizes(files=files),
        b=queue(files=files),
        c=by_key(files=named(n=n)),
        d=in_folders(ds=folders(n=n)),
        e=by_global(files=files),
        f=first_twice(files=files),
        g=maybe(),
        h=by_name(files=named(n=n), keys=["1", "2"]),
        i=field_by_name(file=one(n=n)),
    )


@task
def joined(a: List[int], b: List[int], c: str, d: str, e: str, f: str, g: str, h: str, i: str) -> str:
    return f"{a} {b} {c} {d} {e} {f} {g} {h} {i}"


CALLS = [("main", {"n": 3})]
