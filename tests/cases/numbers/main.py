from flytekit import conditional, task, workflow


@task
def half(x: float) -> float:
    return x / 2


@task
def whole(n: int) -> int:
    return n + 1


@task
def add(a: float, b: float) -> float:
    return a + b


@workflow
def argument(n: int) -> float:
    y = whole(n=n)
    a = half(x=y)
    b = half(x=n)
    return add(a=whole(n=n), b=add(a=a, b=b))


@workflow
def returned(n: int) -> float:
    return whole(n=n)


@workflow
def passed(n: int) -> float:
    found = whole(n=n)
    return found


@workflow
def chosen(n: int) -> float:
    return conditional("c").if_(n > 3).then(half(x=n)).else_().then(half(x=3.0))


CALLS = [
    ("argument", {"n": 3}),
    ("returned", {"n": 1}),
    ("passed", {"n": 1}),
    ("chosen", {"n": 4}),
    ("chosen", {"n": 1}),
]
