from flytekit import task, workflow


@task
def add(a: int, b: int) -> int:
    return a + b


@task
def text(n: int) -> str:
    return f"={n}"


@workflow
def pipeline(n: int) -> str:
    x = add(a=n, b=1)
    y = add(a=n, b=2)
    return text(n=add(a=x, b=y))


@workflow
def straight(n: int) -> str:
    return text(n=add(a=n, b=1))


CALLS = [("pipeline", {"n": 3}), ("straight", {"n": 3})]
