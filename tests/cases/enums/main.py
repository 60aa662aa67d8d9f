from enum import Enum
from typing import List, Optional

from flytekit import dynamic, map_task, task, workflow

DEFAULT = "green"


class Color(Enum):
    RED = "red"
    GREEN = "green"


@task
def paint(color: Color = "red", times: int = 1) -> str:
    return f"{color!r}" * times


@task
def paint_all(colors: List[Color]) -> int:
    return len(colors)


@task
def maybe(color: Optional[Color] = None) -> str:
    return f"{color!r}"


@task
def name() -> str:
    return "green"


@task
def pick(n: int) -> Color:
    if n > 1:
        return "red"
    return Color.GREEN


@workflow
def literals() -> str:
    maybe(color="green")
    paint_all(colors=["red", Color.GREEN])
    paint(Color.RED.value, times=2)
    map_task(paint)(color=["red", "green"], times=[1, 2])
    return paint(color=DEFAULT).with_overrides(retries=2)


@workflow
def results(color: str = "red", member: Color = Color.RED) -> str:
    green = name()
    paint(color=color)
    paint(color=member)
    paint(color=pick(n=1))
    return paint(color=green)


@dynamic
def chosen(n: int) -> str:
    return paint(color="red" if n else "green")


if __name__ == "__main__":
    print("RESULT", literals(), results(color="red", member="green"), chosen(n=1))
    print("RESULT", paint(color="green"), pick(n=2))


CALLS = [
    ("literals", {}),
    ("results", {"color": "green"}),
    ("chosen", {"n": 0}),
    ("pick", {"n": 2}),
    ("maybe", {}),
]
