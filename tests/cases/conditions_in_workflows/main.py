from flytekit import conditional, task, workflow


@task
def inc(n: int) -> int:
    return n + 1


@task
def score(n: int) -> float:
    return n / 2


@workflow
def small(n: int) -> int:
    a = inc(n=n)
    b = inc(n=a)
    return inc(n=b)


@workflow
def large(n: int) -> int:
    a = inc(n=n)
    b = inc(n=n)
    return (
        conditional("large")
        .if_(a != b)
        .then(inc(n=0))
        .elif_(a > 100)
        .then(small(n=100))
        .else_()
        .then(small(n=b))
    )


@workflow
def pipeline(n: int) -> int:
    s = score(n=n)
    first = conditional("first").if_(s < 2.5).then(small(n=n)).else_().then(large(n=n))
    second = (
        conditional("second")
        .if_(first > 20)
        .then(
            conditional("third")
            .if_(first > 40)
            .then(large(n=first))
            .elif_(first > 30)
            .then(small(n=first))
            .else_()
            .then(inc(n=first))
        )
        .else_()
        .then(inc(n=inc(n=first)))
    )
    return inc(n=second)


CALLS = [("pipeline", {"n": n}) for n in (1, 5, 19, 30, 50, 120)]
