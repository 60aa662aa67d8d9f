import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import List, NamedTuple, Tuple

from flytekit import FlyteDirectory, FlyteFile, dynamic, task, workflow


@dataclass
class Report:
    file: FlyteFile
    n: int


class Pair(NamedTuple):
    file: FlyteFile
    folder: FlyteDirectory


@task
def by_path(n: int) -> FlyteFile:
    path = os.path.join(tempfile.mkdtemp(), "report.txt")
    out = FlyteFile(path)
    with open(path, "w") as f:
        f.write("x" * n)
    return out


@task
def by_value(n: int) -> FlyteFile:
    out = FlyteFile(path=os.path.join(tempfile.mkdtemp(), "r2.txt"))
    with open(out.path, "w") as f:
        f.write("x" * n)
    with open(out, "a") as f:
        f.write(f"{os.path.basename(out)} {os.path.getsize(out.path)}")
    return out


@task
def touched(n: int) -> FlyteFile:
    path = Path(tempfile.mkdtemp()) / "r3.txt"
    path.touch()
    out = FlyteFile(str(path))
    for i in range(n):
        with open(path, "a") as f:
            f.write("x")
    return out


@task
def folder(n: int) -> FlyteDirectory:
    path = Path(tempfile.mkdtemp()) / "out"
    path.mkdir()
    out = FlyteDirectory(str(path))
    for i in range(n):
        (path / f"{i}.txt").write_text("1")
    return out


@task
def in_a_tuple(n: int) -> Tuple[FlyteFile, int]:
    out = FlyteFile(os.path.join(tempfile.mkdtemp(), "t.txt"))
    size = Path(out.path).write_text("t" * n)
    return out, size


@task
def in_a_class(n: int) -> Report:
    out = FlyteFile(os.path.join(tempfile.mkdtemp(), "c.txt"))
    Path(out.path).write_text("c" * n)
    return Report(file=out, n=n)


@task
def in_a_named_tuple(n: int) -> Pair:
    base = tempfile.mkdtemp()
    file = FlyteFile(os.path.join(base, "p.txt"))
    inner = FlyteDirectory(base)
    for i in range(n):
        Path(base, str(i)).write_text("p")
    Path(base, "p.txt").write_text("p" * n)
    return Pair(file=file, folder=inner)


@task
def in_a_list(n: int) -> List[FlyteFile]:
    base = tempfile.mkdtemp()
    first = FlyteFile(os.path.join(base, "1.txt"))
    second = FlyteFile(os.path.join(base, "2.txt"))
    Path(base, "1.txt").write_text("1" * n)
    Path(base, "2.txt").write_text("22" * n)
    if n > 2:
        return [second]
    return [first, second]


@task
def size(f: FlyteFile) -> int:
    return len(Path(f).read_text())


@task
def count(d: FlyteDirectory) -> int:
    return len(os.listdir(d))


@task
def of_report(report: Report) -> int:
    return len(Path(report.file).read_text()) + report.n


@task
def of_list(files: List[FlyteFile]) -> int:
    return sum([len(Path(file).read_text()) for file in files])


@dynamic
def handed(n: int) -> int:
    out = FlyteFile(os.path.join(tempfile.mkdtemp(), "d.txt"))
    Path(out.path).write_text("d" * n)
    return size(f=out)


@workflow
def main(n: int) -> Tuple[int, int, int, int, int, int, int, int, int, int, int]:
    file, written = in_a_tuple(n=n)
    pair = in_a_named_tuple(n=n)
    return (
        size(f=by_path(n=n)),
        size(f=by_value(n=n)),
        size(f=touched(n=n)),
        count(d=folder(n=n)),
        size(f=file),
        written,
        of_report(report=in_a_class(n=n)),
        size(f=pair.file),
        count(d=pair.folder),
        of_list(files=in_a_list(n=n)),
        handed(n=n),
    )


CALLS = [("main", {"n": 2}), ("main", {"n": 3})]
