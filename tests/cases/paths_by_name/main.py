import os
import tempfile
from typing import List

from flytekit import conditional, map_task, task, workflow
from flytekit.types.file import FlyteFile

HERE = "main.py"


@task
def lines(f: FlyteFile) -> int:
    with open(f) as text:
        return len([line for line in text if line.startswith("HERE")])


@task
def count(fs: List[FlyteFile], n: int) -> int:
    return len(fs) + n


@task
def write(text: str) -> FlyteFile:
    path = os.path.join(tempfile.mkdtemp(), "written.txt")
    with open(path, "w") as fh:
        fh.write(text)
    return FlyteFile(path)


@task
def total(xs: List[int]) -> int:
    return sum(xs)


@workflow
def inner(f: FlyteFile) -> int:
    return lines(f=f)


@workflow
def named(n: int) -> int:
    a = inner(f=HERE)
    b = lines(f="./" + HERE)
    c = conditional("x").if_(n > 1).then(lines(f=HERE)).else_().then(inner(f=HERE))
    d = total(xs=map_task(lines)(f=[HERE, HERE]))
    e = count(fs=[HERE, write(text="HERE")], n=n)
    return total(xs=[a, b, c, d, e])


@workflow
def results(n: int) -> int:
    both = [write(text="HERE"), write(text="HERE")]
    a = [lines(f=f) for f in both]
    kw = {"f": both[0]}
    b = lines(**kw)
    return total(xs=a + [b])


CALLS = [("named", {"n": 1}), ("named", {"n": 2}), ("results", {"n": 1})]

if __name__ == "__main__":
    print("RESULT", inner(f=HERE))
