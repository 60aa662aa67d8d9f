from typing import List, NamedTuple, Tuple

import pandas as pd
from flytekit import conditional, dynamic, map_task, task, workflow
from flytekit.types.structured import StructuredDataset


class Split(NamedTuple):
    train: pd.DataFrame
    test: StructuredDataset


@task
def frame(n: int) -> pd.DataFrame:
    return pd.DataFrame({"a": list(range(n))})


@task
def dataset(n: int) -> StructuredDataset:
    return StructuredDataset(dataframe=pd.DataFrame({"a": list(range(n))}))


@task
def split(n: int) -> Split:
    whole = pd.DataFrame({"a": list(range(n))})
    return Split(whole, StructuredDataset(dataframe=whole))


@task
def length(x: StructuredDataset) -> int:
    return len(x.open(pd.DataFrame).all())


@task
def rows(x: pd.DataFrame) -> int:
    return len(x)


@task
def total(xs: List[int]) -> int:
    return sum(xs)


@workflow
def chosen(n: int) -> int:
    c = conditional("a").if_(n > 1).then(frame(n=n)).else_().then(frame(n=2))
    return length(x=c)


@workflow
def returned(n: int) -> StructuredDataset:
    return conditional("a").if_(n > 1).then(frame(n=n)).else_().then(dataset(n=2))


@workflow
def held(n: int) -> int:
    results = []
    results.append(frame(n=n))
    named = {"a": frame(n=n)}
    first, second = [frame(n=i) for i in range(2)]
    other, number = frame(n=n), n
    a = length(x=results[0])
    b = length(x=named["a"])
    c = length(x=first)
    d = rows(x=second)
    e = length(x=other)
    return total(xs=[a, b, c, d, e])


@workflow
def looped(n: int) -> int:
    outs = []
    for one in [frame(n=n), frame(n=2)]:
        outs.append(length(x=one))
    more = [length(x=d) for d in [frame(n=n), frame(n=1)]]
    return total(xs=outs + more)


@workflow
def parts(n: int) -> int:
    train, test = split(n=n)
    s = split(n=n)
    a = length(x=train)
    b = length(x=test)
    c = length(x=s.train)
    return total(xs=[a, b, c])


@dynamic
def many(n: int) -> List[StructuredDataset]:
    return [frame(n=i) for i in range(n)]


@workflow
def mapped(n: int) -> Tuple[List[int], List[int]]:
    return map_task(length)(x=many(n=n)), map_task(length)(x=[frame(n=n), frame(n=2)])


@workflow
def measured(n: int) -> int:
    return length(x=returned(n=n))


CALLS = [
    ("chosen", {"n": 3}),
    ("chosen", {"n": 1}),
    ("measured", {"n": 3}),
    ("measured", {"n": 1}),
    ("held", {"n": 3}),
    ("looped", {"n": 3}),
    ("parts", {"n": 3}),
    ("mapped", {"n": 3}),
]
