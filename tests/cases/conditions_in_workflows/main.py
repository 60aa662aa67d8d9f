from typing import NamedTuple, Tuple

from flytekit import conditional, task, workflow


@task
def inc(n: int) -> int:
    return n + 1


@task
def score(n: int) -> float:
    return n / 2


@workflow
def small(n: int) -> int:
    a = inc(n=n)
    b = inc(n=a)
    return inc(n=b)


@workflow
def large(n: int) -> int:
    a = inc(n=n)
    b = inc(n=n)
    return (
        conditional("large")
        .if_(a != b)
        .then(inc(n=0))
        .elif_(a > 100)
        .then(small(n=100))
        .else_()
        .then(small(n=b))
    )


@workflow
def pipeline(n: int) -> int:
    s = score(n=n)
    first = conditional("first").if_(s < 2.5).then(small(n=n)).else_().then(large(n=n))
    second = (
        conditional("second")
        .if_(first > 20)
        .then(
            conditional("third")
            .if_(first > 40)
            .then(large(n=first))
            .elif_(first > 30)
            .then(small(n=first))
            .else_()
            .then(inc(n=first))
        )
        .else_()
        .then(inc(n=inc(n=first)))
    )
    return inc(n=second)


class Size(NamedTuple):
    value: int
    label: str


@task
def small_size(n: int) -> Size:
    return Size(n, "small")


@task
def large_size(n: int) -> Size:
    return Size(n * 2, "large")


@task
def pair(n: int) -> Tuple[int, str]:
    return n, "pair"


@workflow
def nested_size(n: int) -> Size:
    size = small_size(n=n)
    return Size(size.value, size.label)


@task
def show(a: int, b: str) -> str:
    return f"{a} {b}"


@workflow
def named(n: int) -> str:
    size = (
        conditional("size")
        .if_(n > 20)
        .then(large_size(n=n))
        .elif_(n > 10)
        .then(nested_size(n=n))
        .else_()
        .then(small_size(n=n))
    )
    return show(a=size.value, b=size.label)


@workflow
def unnamed(n: int) -> str:
    both = conditional("both").if_(n > 20).then(pair(n=n)).else_().then(pair(n=0))
    return show(a=both.o0, b=both.o1)


CALLS = [("named", {"n": n}) for n in (1, 11, 21)] + [("unnamed", {"n": n}) for n in (1, 21)]
CALLS += [("pipeline", {"n": n}) for n in (1, 5, 19, 30, 50, 120)]
