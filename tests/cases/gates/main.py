from datetime import timedelta

from flytekit import sleep, task, workflow

PAUSE = timedelta(milliseconds=20)
SEEN = []


@task
def step(n: int) -> int:
    SEEN.append(n)
    return n + 1


@task
def add(a: int, b: int) -> int:
    return a + b


@workflow
def ordered(n: int) -> int:
    first = step(n=n)
    pause = sleep(PAUSE)
    second = step(n=10)
    first >> pause >> second
    return add(a=first, b=second)


@workflow
def side_by_side(n: int) -> int:
    a = step(n=n)
    b = step(n=2)
    sleep(PAUSE * 2)
    c = step(n=b)
    d = step(n=a)
    return add(a=add(a=a, b=b), b=add(a=c, b=d))


@workflow
def outer(n: int) -> int:
    left = ordered(n=n)
    sleep(duration=timedelta(milliseconds=5))
    right = side_by_side(n=left)
    sleep(timedelta(milliseconds=5))  # at the end
    return right


@task
def seen() -> int:
    return sum(SEEN)


CALLS = [
    ("ordered", {"n": 1}),
    ("side_by_side", {"n": 1}),
    ("outer", {"n": 3}),
    ("seen", {}),
]
