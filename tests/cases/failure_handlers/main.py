from typing import List, Optional

from flytekit import conditional, task, workflow

SEEN: List[str] = []


@task
def half(fails: int) -> int:
    if fails % 2:
        raise ValueError("odd")
    return fails // 2


@task
def note(fails: int, name: Optional[str] = None) -> None:
    SEEN.append(f"{name} {fails}")


@task
def both(a: int, b: int) -> int:
    return a + b


@workflow(on_failure=note)
def plain(fails: int) -> int:
    """Halves twice."""
    once = half(fails=fails)
    # and again
    return half(fails=once)


@workflow(on_failure=note)
def wide(fails: int, name: Optional[str] = "wide") -> int:
    left = half(fails=fails)
    right = half(fails=10)
    return both(a=left, b=right)


@workflow
def handle(fails: int, name: Optional[str]) -> None:
    note(fails=fails, name=name)
    note(fails=2, name=name)


@workflow(on_failure=handle, interruptible=True)
def outer(fails: int, name: Optional[str]) -> int:
    once = half(fails=fails)
    return both(a=once, b=plain(fails=once))


@workflow(on_failure=handle)
def chosen(fails: int, name: Optional[str] = "chosen") -> int:
    return conditional("size").if_(fails > 3).then(half(fails=fails)).else_().fail("small")


@task
def seen() -> List[str]:
    return sorted(SEEN)


CALLS = [
    ("plain", {"fails": 8}),
    ("plain", {"fails": 6}),
    ("seen", {}),
    ("wide", {"fails": 4}),
    ("wide", {"fails": 3}),
    ("wide", {"fails": 5, "name": "given"}),
    ("seen", {}),
    ("outer", {"fails": 8, "name": "a"}),
    ("outer", {"fails": 7, "name": "b"}),
    ("seen", {}),
    ("chosen", {"fails": 4}),
    ("chosen", {"fails": 5}),
    ("chosen", {"fails": 1}),
    ("seen", {}),
]
