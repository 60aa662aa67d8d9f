from typing import List

from flytekit import Resources, task, workflow
from flytekit.core.node_creation import create_node

DONE: List[str] = []


@task
def wash() -> None:
    DONE.append("wash")


@task
def dry() -> None:
    DONE.append("dry")


@task
def fold(n: int) -> int:
    DONE.append("fold")
    return n * 2


@task
def look(n: int) -> str:
    return f"{n} {DONE}"


@workflow
def chores(n: int) -> str:
    washed = create_node(wash)
    dried = create_node(dry)
    folded = create_node(fold, n=n).with_overrides(requests=Resources(cpu="1"), retries=1)
    washed >> dried
    dried >> folded
    seen = look(n=folded.o0)
    return seen


CALLS = [("chores", {"n": 3})]
