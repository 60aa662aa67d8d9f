from typing import Dict, List, Tuple

from flytekit import dynamic, map_task, task, workflow


@task
def square(n: int) -> int:
    return n * n


@task
def add(a: int, b: int) -> int:
    return a + b


@task
def same(same: int) -> int:
    return same


@task
def total(xs: List[int]) -> int:
    return sum(xs)


@task
def names(xs: Dict[str, int]) -> str:
    return str(sorted(xs.items()))


@workflow
def both(n: int) -> int:
    a = square(n=n)
    b = square(n=a)
    return total(xs=list(add(a=a, b=b) for i in range(3)))


@dynamic
def many(ns: List[int]) -> Tuple[int, str]:
    first, second = (both(n=n) for n in (1, 2))
    results = [*(both(n=n) for n in ns)]
    results.extend(both(n=n) for n in ns)
    for index, result in enumerate(both(n=n) for n in ns):
        results.append(result)
    return total(xs=[first, second, *results]), names(xs=dict((str(n), square(n=n)) for n in ns))


@workflow
def pipeline(ns: List[int]) -> Tuple[int, str]:
    a, b = many(ns=ns)
    return a, b


@workflow
def mapped(ns: List[int]) -> int:
    one = total(xs=map_task(same)(same=ns))
    other = total(xs=map_task(add)(a=ns, b=ns))
    return add(a=one, b=other)


CALLS = [
    ("pipeline", {"ns": [1, 2, 3]}),
    ("mapped", {"ns": [1, 2, 3]}),
]
