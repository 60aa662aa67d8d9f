from typing import List, NamedTuple, Tuple

from flytekit import task, workflow
from flytekit.core.node_creation import create_node


class Size(NamedTuple):
    count: int
    weight: float


class Out(NamedTuple):
    first: float
    second: int


@task
def count(n: int) -> int:
    return n


@task
def half(x: float) -> float:
    return x / 2


@task
def size(n: int) -> Size:
    return Size(count=n, weight=n * 0.5)


@task
def pair(n: int) -> Tuple[int, float]:
    return n, n * 0.5


@task
def many(n: int) -> List[int]:
    return [n]


@workflow
def field(n: int) -> float:
    s = size(n=n)
    half(x=s.weight)
    return half(x=s.count)


@workflow
def unpacked(n: int) -> float:
    a, b = pair(n=n)
    half(x=b)
    return half(x=a)


@workflow
def annotated(n: int) -> float:
    a: int = count(n=n)
    return half(x=a)


@workflow
def indexed(n: int) -> float:
    return half(x=many(n=n)[0])


@workflow
def overridden(n: int) -> float:
    return half(x=count(n=n).with_overrides(node_name="count"))


@workflow
def created(n: int) -> float:
    node = create_node(count, n=n)
    return half(x=node.o0)


@workflow
def input_returned(n: int) -> float:
    return n


@workflow
def several(n: int) -> Tuple[float, int]:
    a = count(n=n)
    return a, a


@workflow
def named(n: int) -> Out:
    a = count(n=n)
    return Out(first=a, second=a)


CALLS = [
    ("field", {"n": 3}),
    ("unpacked", {"n": 3}),
    ("annotated", {"n": 3}),
    ("indexed", {"n": 3}),
    ("overridden", {"n": 3}),
    ("created", {"n": 3}),
    ("input_returned", {"n": 3}),
    ("several", {"n": 3}),
    ("named", {"n": 3}),
]
