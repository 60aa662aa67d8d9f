from typing import List, NamedTuple, Tuple

from flytekit import task, workflow


class Extremes(NamedTuple):
    low: int
    high: int


Split = NamedTuple("Split", [("whole", int), ("rest", int)])


class Count(NamedTuple):
    number: int


@task
def extremes(xs: List[int]) -> Extremes:
    return Extremes(low=min(xs), high=max(xs))


@task
def divide(n: int, by: int) -> Split:
    return Split(n // by, n % by)


@task
def count(xs: List[int]) -> Count:
    return Count(number=len(xs))


@task
def labeled(n: int) -> Tuple[int, str]:
    return n, f"<{n}>"


@task
def inline(n: int) -> NamedTuple("Inline", first=int, second=str):
    return n, "two"


@task
def show(a: int, b: int, c: int, d: str) -> str:
    return f"{a} {b} {c} {d}"


@workflow
def spread(xs: List[int]) -> Extremes:
    found = extremes(xs=xs)
    return Extremes(low=found.high, high=found.low)


@workflow
def passed_on(xs: List[int]) -> Extremes:
    return extremes(xs=xs)


@workflow
def pipeline(xs: List[int]) -> str:
    found = extremes(xs=xs)
    low, high = spread(xs=xs)
    split = divide(n=found.high, by=found.low)
    number = count(xs=xs)
    pair = labeled(n=number.number)
    other = inline(n=split.rest)
    (single,) = count(xs=xs)
    return show(a=pair.o0, b=divide(n=low, by=single).whole, c=other.first, d=pair.o1)


CALLS = [
    ("pipeline", {"xs": [3, 17, 9, 4]}),
    ("spread", {"xs": [2, 1]}),
    ("passed_on", {"xs": [5, 6, 7]}),
]
