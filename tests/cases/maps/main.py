import functools
from functools import partial
from typing import List, NamedTuple, Optional

from flytekit import map_task, task, workflow


class Both(NamedTuple):
    double: int
    half: int


@task
def scale(x: int, factor: int) -> int:
    return x * factor


@task
def offset(base: int, x: int) -> int:
    return base + x


@task
def join(a: int, b: str) -> str:
    return f"{a}-{b}"


@task
def fragile(x: int) -> int:
    if x == 2:
        raise ValueError("bad item")
    return x


@task
def both(x: int) -> Both:
    return Both(x * 2, x // 2)


@task
def numbers(n: int) -> List[int]:
    return list(range(n))


@task
def show(a: List[int], b: List[int], c: List[str], d: List[Optional[int]]) -> str:
    return f"{a} {b} {c} {d}"


@workflow
def pipeline(xs: List[int], names: List[str]) -> str:
    base = offset(base=1, x=2)
    a = map_task(functools.partial(scale, factor=3), concurrency=2)(x=xs)
    b = map_task(partial(offset, base=base))(x=xs)
    c = map_task(join)(b=names, a=xs)
    d = map_task(fragile, min_success_ratio=0.5)(x=numbers(n=4))
    return show(a=a, b=b, c=c, d=d)


@workflow
def held(xs: List[int]) -> List[int]:
    shifted = partial(offset, base=10)
    return map_task(shifted)(x=xs)


@workflow
def overridden(xs: List[int]) -> List[int]:
    return map_task(scale)(x=xs, factor=xs).with_overrides(retries=2)


@workflow
def unused(xs: List[int]) -> int:
    map_task(fragile, min_successes=1)(x=xs)
    return offset(base=1, x=1)


@workflow
def to_the_end(xs: List[int]) -> List[Optional[int]]:
    return map_task(fragile, 1, min_success_ratio=0.9, min_successes=1, run_all_sub_nodes=True)(x=xs)


@workflow
def all_of_them(xs: List[int]) -> List[int]:
    return map_task(scale, run_all_sub_nodes=True)(x=xs, factor=xs)


CALLS = [
    ("pipeline", {"xs": [1, 2, 3], "names": ["a", "b", "c"]}),
    ("held", {"xs": [1, 2]}),
    ("overridden", {"xs": [2, 3]}),
    ("unused", {"xs": [3, 4]}),
    ("to_the_end", {"xs": [1, 2, 3]}),
    ("all_of_them", {"xs": [1, 3]}),
]
