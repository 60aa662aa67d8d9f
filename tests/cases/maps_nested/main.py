import functools
from typing import Dict, List, NamedTuple, Optional, Tuple

from flytekit import dynamic, map_task, task, workflow
from flytekit.core.array_node_map_task import map_task as array_map


class Pair(NamedTuple):
    low: int
    high: int


@task
def row_sum(row: List[int]) -> int:
    return sum(row)


@task
def double(x: int) -> int:
    return x * 2


@task
def rows(n: int) -> List[List[int]]:
    return [list(range(i)) for i in range(1, n)]


@task
def spread(x: int, by: int = 1) -> Pair:
    return Pair(x - by, x + by)


@task
def highs(pairs: List[int]) -> int:
    return max(pairs)


@task
def fetch(key: str, table: Dict[str, int], default: int) -> int:
    return table.get(key, default)


@task
def maybe(x: int) -> Optional[int]:
    return None if x == 3 else x


@task
def text(xs: List[int]) -> str:
    return str(xs)


@workflow
def nested(n: int) -> List[int]:
    sums = map_task(row_sum)(row=rows(n=n))
    return map_task(double)(x=sums)


@workflow
def bound(keys: List[str]) -> str:
    fetched = map_task(functools.partial(fetch, table={"a": 1, "b": 2}, default=-1))(key=keys)
    return text(xs=fetched)


@workflow
def other_import(xs: List[int]) -> str:
    return text(xs=array_map(double)(x=xs))


@dynamic
def inside(n: int) -> List[int]:
    xs = [double(x=i) for i in range(n)]
    return map_task(double, concurrency=1)(x=xs)


@workflow
def twice(xs: List[int]) -> str:
    a = map_task(double)(x=xs)
    b = map_task(double)(x=xs)
    return text(xs=map_task(double)(x=inside(n=row_sum(row=a))))


CALLS = [
    ("nested", {"n": 4}),
    ("bound", {"keys": ["a", "z"]}),
    ("other_import", {"xs": [4]}),
    ("twice", {"xs": [1, 1]}),
]
