import os
import time
from datetime import timedelta
from pathlib import Path
from typing import List

from flytekit import dynamic, map_task, task, workflow

BASE = "/data"


def path_of(name: str) -> str:
    return os.path.join(BASE, name)


@task
def count(f: str, n: int = 0) -> int:
    time.sleep(0.01)
    return len(f) + n


@task
def add(a: int, b: int) -> int:
    return a + b


@workflow
def joined() -> int:
    a = count(f=os.path.join(BASE, "x"))
    b = count(f=f"{BASE}/yy")
    return add(a=a, b=b)


@workflow
def of_helpers(n: int = 1) -> int:
    a = count(f=path_of("x"), n=n)
    b = count(f=str(Path(BASE) / "long"), n=int(timedelta(minutes=1).total_seconds()))
    c = count(f="/".join([BASE, "z"]), n=2 * 3 if BASE else 4)
    return add(a=add(a=a, b=b), b=c)


@task
def lengths(n: int) -> List[int]:
    return list(range(n))


@task
def square(n: int) -> int:
    return n * n


@workflow
def maps() -> List[int]:
    a = map_task(square)(n=lengths(n=2))
    b = map_task(square)(n=map_task(square)(n=lengths(n=3)))
    c = count(f="c")
    return lists(a=a, b=b, c=c)


@task
def lists(a: List[int], b: List[int], c: int) -> List[int]:
    return a + b + [c]


@dynamic
def in_dynamic(names: List[str]) -> int:
    first = names[0].upper()
    a = count(f=first)
    b = count(f=names[1].strip().replace("y", "z"), n=len(names))
    return add(a=a, b=b)


@workflow
def dynamics() -> int:
    return in_dynamic(names=["x", " yy "])


CALLS = [("joined", {}), ("maps", {}), ("of_helpers", {}), ("dynamics", {})]
