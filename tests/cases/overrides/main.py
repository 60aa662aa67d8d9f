from datetime import timedelta
from typing import List, Tuple

from flytekit import Cache, Resources, map_task, task, workflow
from flytekit.core.node_creation import create_node


@task(requests=Resources(cpu="1", mem="1Gi"), cache=True, cache_version="1")
def heavy(n: int) -> int:
    return n * 100


@task
def light(n: int) -> Tuple[int, int]:
    return n, n + 1


@task
def total(xs: List[int]) -> int:
    return sum(xs)


@workflow
def inner(n: int) -> int:
    return heavy(n=n).with_overrides(node_name="inner-heavy", retries=1)


@workflow
def pipeline(n: int) -> int:
    a = heavy(n=n).with_overrides(limits=Resources(cpu="2", mem="2Gi"), cache=False, timeout=timedelta(minutes=1))
    b = heavy(n=a).with_overrides(requests=Resources(mem="4Gi"), interruptible=True, cache=True, cache_version="2")
    c, d = light(n=n).with_overrides(name="lit")
    e = inner(n=c)
    mapped = map_task(heavy)(n=[c, d]).with_overrides(retries=3, requests=Resources(cpu="3"))
    pair = create_node(light, n=n)
    return total(xs=[a, b, e, total(xs=mapped).with_overrides(node_name="sum"), pair.o1])


CALLS = [("pipeline", {"n": 1})]
