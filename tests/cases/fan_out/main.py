from typing import List

from flytekit import task, workflow


@task
def start(n: int) -> int:
    return n


@task
def left(n: int) -> int:
    return n + 1


@task
def right(n: int) -> int:
    return n * 10


@task
def total(xs: List[int]) -> int:
    return sum(xs)


@task
def join(a: int, b: int, c: int) -> str:
    return f"{a}/{b}/{c}"


@workflow
def diamond(n: int) -> int:
    s = start(n=n)
    # One side.
    a = left(n=s)  # plus one
    # The other side.
    b = right(n=s)
    return total(xs=[a, b])


@workflow
def nested(n: int) -> str:
    return join(a=left(n=n), b=right(n=left(n=n)), c=diamond(n=n))


@workflow
def wide(n: int) -> str:
    a = left(n=n)
    b = left(n=2)
    c = right(n=3)

    d = total(xs=[a, b])
    e = total(xs=[b, c, right(n=n)])
    f = nested(n=e)
    left(n=99)
    return join(a=d, b=e, c=total(xs=[diamond(n=1), d]))


@workflow
def deep(n: int) -> int:
    return total(xs=[left(n=left(n=left(n=n)))])


if __name__ == "__main__":
    print("RESULT", wide(n=3), diamond(n=2), deep(n=1))


CALLS = [
    ("diamond", {"n": 3}),
    ("nested", {"n": 4}),
    ("wide", {"n": 5}),
    ("deep", {"n": 1}),
]
