from flytekit import conditional, task, workflow


@task
def double(n: int) -> int:
    return n * 2


@task
def halve(n: int) -> int:
    return n // 2


@task
def is_even(n: int) -> bool:
    return n % 2 == 0


@workflow
def chosen(n: int) -> int:
    size = double(n=n)
    return (
        conditional("size")
        .if_((size > 10) & (n < 100))
        .then(halve(n=size))
        .elif_((size == 4) | (n == 3))
        .then(double(n=size))
        .else_()
        .then(double(n=double(n=size)))
    )


@workflow
def inner(n: int) -> int:
    even = is_even(n=n)
    return (
        conditional("parity")
        .if_(even.is_true())
        .then(double(n=n))
        .else_()
        .then(halve(n=n))
    )


@workflow
def nested(n: int) -> int:
    picked = (
        conditional("outer")
        .if_(n > 5)
        .then(
            conditional("inner").if_(n > 10).then(double(n=n)).else_().then(halve(n=n))
        )
        .else_()
        .then(inner(n=n))
    )
    return double(n=picked)


@workflow
def argument(n: int) -> int:
    a = double(n=n)
    b = halve(n=n)
    return double(n=conditional("arg").if_(a > b).then(double(n=a)).else_().fail("too small"))


CALLS = [
    ("chosen", {"n": 6}),
    ("chosen", {"n": 2}),
    ("chosen", {"n": 1}),
    ("inner", {"n": 4}),
    ("inner", {"n": 5}),
    ("nested", {"n": 20}),
    ("nested", {"n": 7}),
    ("nested", {"n": 3}),
    ("argument", {"n": 3}),
]
