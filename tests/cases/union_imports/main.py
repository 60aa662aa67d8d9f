from typing import List, Tuple

import union
from union import Resources, map_task, task, workflow

actor = union.ActorEnvironment(name="my-actor", replica_count=2, ttl_seconds=60, requests=Resources(cpu="1", mem="1Gi"))


@actor.task
def on_actor(n: int) -> int:
    return n + 1


@task(requests=Resources(cpu="1"))
def split(n: int) -> Tuple[int, int]:
    return n // 2, n % 2


@union.task
def total(xs: List[int]) -> int:
    return sum(xs)


@workflow
def pipeline(n: int) -> int:
    half, rest = split(n=n)
    both = split(n=half)
    grown = on_actor(n=both[0])
    return total(xs=[half, rest, grown, both[1]])


@union.workflow
def mapped(xs: List[int]) -> int:
    return total(xs=map_task(on_actor)(n=xs))


CALLS = [("pipeline", {"n": 21}), ("mapped", {"xs": [1, 2]})]
