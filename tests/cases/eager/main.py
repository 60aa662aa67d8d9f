import asyncio
from typing import List, NamedTuple, Tuple

from flytekit import eager, task, workflow


class Stats(NamedTuple):
    low: int
    high: int


@task
def add(a: int, b: int) -> int:
    return a + b


@task
async def slow(n: int) -> int:
    await asyncio.sleep(0.01)
    return n * 2


@task
def stats(xs: List[int]) -> Stats:
    return Stats(min(xs), max(xs))


@task
def pair(n: int) -> Tuple[int, str]:
    return n, f"<{n}>"


@workflow
def both(n: int) -> int:
    a = add(a=n, b=1)
    b = add(a=n, b=2)
    return add(a=a, b=b)


@workflow
def chain(n: int) -> int:
    return add(a=add(a=n, b=1), b=1)


def spread(found: Stats) -> int:
    return found.high - found.low


@eager
async def inner(n: int) -> int:
    return add(a=n, b=10) + 1


@eager
async def pipeline(n: int) -> str:
    a = add(a=n, b=1)
    x, y = await asyncio.gather(slow(n=a), slow(n=n))
    found = stats(xs=[a, x, y])
    total = spread(found)
    for i in range(2):
        total = add(a=total, b=i)
    if total > 3:
        total += await inner(n=total)
    number, text = pair(n=found.low)
    many = [add(a=number, b=i) for i in range(3)]
    return f"{total} {text} {many} {both(n=1)} {chain(n=2) + found.high}"


@task
def strict(n: int) -> int:
    if n > 3:
        raise ValueError("too large")
    return n


@eager
async def careful(n: int) -> int:
    total = 0
    try:
        total += strict(n=n)
        total += await inner(n=n)
    except Exception:
        total += add(a=total, b=100)
    finally:
        total += await slow(n=1)
    try:
        total += strict(n=n + 1)
    except BaseException:
        total += 1000
    else:
        total += 1
    return total


if __name__ == "__main__":
    print("RESULT", asyncio.run(pipeline(n=3)))


CALLS = [("pipeline", {"n": 1}), ("pipeline", {"n": 9}), ("inner", {"n": 2}), ("careful", {"n": 2}), ("careful", {"n": 3}), ("careful", {"n": 9})]
