from typing import List

from flytekit import dynamic, task, workflow
from flytekit.exceptions.user import FlyteRecoverableException

ATTEMPTS: List[int] = []


@task(retries=2)
def flaky(n: int) -> int:
    ATTEMPTS.append(n)
    if n < 0:
        raise FlyteRecoverableException("negative")
    return n


@task
def strict(fails: int) -> int:
    if fails > 5:
        raise ValueError("too large")
    return fails + 1


def checked(n: int) -> int:
    if n > 10:
        raise ValueError("too large")
    return n


@task
def guarded(n: int) -> str:
    try:
        return str(checked(n))
    except ValueError as error:
        return f"caught {error}"


@workflow
def pipeline(fails: int) -> int:
    return strict(fails=flaky(n=fails))


@workflow
def safe(n: int) -> str:
    return guarded(n=n)


CALLS = [
    ("pipeline", {"fails": 1}),
    ("pipeline", {"fails": 8}),
    ("strict", {"fails": 9}),
    ("safe", {"n": 2}),
    ("safe", {"n": 20}),
]
