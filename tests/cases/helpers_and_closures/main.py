import functools
from typing import Callable, List

from flytekit import dynamic, task, workflow

FACTOR = 3


def logged(function: Callable) -> Callable:
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs) + 1

    return wrapper


def helper(n: int) -> int:
    def inner(m: int) -> int:
        return m * FACTOR

    return inner(n)


@task
@logged
def decorated(n: int) -> int:
    return n * 10


@task
def scaled(n: int) -> int:
    add = lambda x: x + 1  # noqa: E731
    return add(helper(n))


@task
def outer(n: int) -> int:
    # The other task runs in this container.
    return scaled(n=n + helper(1))


@task
def total(xs: List[int]) -> int:
    return functools.reduce(lambda a, b: a + b, xs, 0)


@task
def nothing() -> None:
    pass


@dynamic(retries=1)
def built(n: int) -> int:
    def part(i: int) -> int:
        return i + helper(i)

    return total(xs=[scaled(n=part(i)) for i in range(n)])


@workflow
def pipeline(n: int = FACTOR) -> int:
    """Runs all of it."""
    nothing()
    return total(xs=[decorated(n=n), scaled(n=n), outer(n=n), built(n=n), helper(2)])


CALLS = [("pipeline", {"n": 2}), ("pipeline", {}), ("outer", {"n": 1})]
