from typing import List, Tuple

from flytekit import conditional, task, workflow


@task
def count(n: int) -> int:
    return n


@task
def share(n: int) -> float:
    return n * 0.5


@task
def pair(n: int) -> Tuple[int, float]:
    return n, n * 0.5


@task
def half(x: float) -> float:
    return x / 2


@task
def total(xs: List[float]) -> float:
    return sum(xs)


@workflow
def chosen(n: int) -> float:
    c = conditional("c").if_(n > 1).then(count(n=n)).elif_(n > 0).then(share(n=n)).else_().then(count(n=7))
    d = count(n=n) if True else count(n=2)
    a = half(x=c)
    b = half(x=d)
    return total(xs=[a, b])


@workflow
def returned(n: int) -> float:
    return conditional("c").if_(n > 1).then(count(n=n)).else_().then(share(n=7))


@workflow
def held(n: int) -> float:
    results = []
    results.append(count(n=n))
    named = {"a": count(n=n)}
    first, second = [count(n=i) for i in range(2)]
    other, number = count(n=n), n
    same = again = count(n=n)
    one = half(x=results[0])
    two = half(x=named["a"])
    three = half(x=first)
    four = half(x=other)
    five = half(x=again)
    six = half(x=number)
    return total(xs=[one, two, three, four, five, six])


@workflow
def looped(n: int) -> float:
    outs = []
    for one in [count(n=n), count(n=2)]:
        outs.append(half(x=one))
    more = [half(x=c) for c in [count(n=n), share(n=1)]]
    return total(xs=outs + more)


@workflow
def floats(n: int) -> float:
    whole, part = pair(n=n)
    named = {"a": share(n=n)}
    given = {"x": share(n=n)}
    c = conditional("c").if_(n > 1).then(share(n=n)).else_().then(share(n=7))
    one = half(x=part)
    two = half(x=named["a"])
    three = half(**given)
    four = half(x=c)
    return total(xs=[one, two, three, four])


CALLS = [
    ("chosen", {"n": 3}),
    ("chosen", {"n": 1}),
    ("chosen", {"n": 0}),
    ("returned", {"n": 3}),
    ("returned", {"n": 1}),
    ("held", {"n": 3}),
    ("looped", {"n": 3}),
    ("floats", {"n": 3}),
]
