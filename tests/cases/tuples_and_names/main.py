import typing
from collections import namedtuple
from typing import Dict, List, NamedTuple, Tuple

from flytekit import task, workflow


class Stats(NamedTuple):
    mean: float
    count: int
    label: str


class Only(NamedTuple):
    value: int


Model = typing.NamedTuple("Model", [("weights", List[float]), ("stats", Stats)])


@task
def stats(xs: List[int]) -> Stats:
    return Stats(mean=sum(xs) / len(xs), count=len(xs), label="s")


@task
def only(n: int) -> Only:
    return Only(n)


@task
def triple(n: int) -> Tuple[int, str, List[int]]:
    return n, str(n), [n] * n


@task
def swap(a: int, b: int) -> typing.Tuple[int, int]:
    return b, a


@task
def pair(n: int) -> (int, str):
    return n + 1, str(n)


@task
def show(a: float, b: int, c: str, d: List[int]) -> str:
    return f"{a} {b} {c} {d}"


@task
def add(a: int, b: int) -> int:
    return a + b


@workflow
def names(xs: List[int]) -> str:
    s = stats(xs=xs)
    t = triple(n=s.count)
    return show(a=s.mean, b=only(n=s.count).value, c=t[1], d=t[2])


@workflow
def inner(xs: List[int]) -> Tuple[int, str]:
    mean, count, label = stats(xs=xs)
    return count, label


@workflow
def two(xs: List[int]) -> NamedTuple("Two", first=int, second=str):
    a = inner(xs=xs)
    return a[0], a[1]


@workflow
def unpacked(xs: List[int]) -> int:
    count, label = inner(xs=xs)
    first, _ = two(xs=xs)
    c, d = swap(a=count, b=first)
    c, d = swap(a=c, b=d)
    return add(a=c, b=d)


@workflow
def passed(n: int) -> Only:
    o = only(n=n)
    return only(n=o.value)


@workflow
def built(xs: List[int]) -> Stats:
    s = stats(xs=xs)
    return Stats(mean=s.mean, count=add(a=s.count, b=1), label=s.label)


@workflow
def in_parentheses(n: int) -> (float, str):
    p = pair(n=n)
    return add(a=p.o0, b=pair(n=p[0])[0]), p.o1


CALLS = [
    ("in_parentheses", {"n": 2}),
    ("names", {"xs": [1, 2]}),
    ("unpacked", {"xs": [3, 4, 5]}),
    ("two", {"xs": [3]}),
    ("passed", {"n": 3}),
    ("built", {"xs": [1]}),
]
