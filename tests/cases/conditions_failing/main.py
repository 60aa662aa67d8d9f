from typing import Tuple

from flytekit import conditional, task, workflow


@task
def grade(n: int) -> str:
    return "high" if n > 5 else "low"


@task
def coin(n: int) -> bool:
    return n % 2 == 0


@task
def say(text: str) -> str:
    return f"say {text}"


@task
def add(a: int, b: int) -> int:
    return a + b


@task
def both(n: int) -> Tuple[int, str]:
    return n, str(n)


@workflow
def by_text(n: int) -> str:
    g = grade(n=n)
    return (
        conditional("by-text")
        .if_(g == "high")
        .then(say(text="H"))
        .elif_(g == "low")
        .then(say(text="L"))
        .else_()
        .fail("neither")
    )


@workflow
def checked(fails: int) -> int:
    return (
        conditional("checked")
        .if_((fails >= 0) & (fails <= 10))
        .then(add(a=fails, b=1))
        .elif_((fails > 100) | (fails == 50))
        .then(add(a=fails, b=-1))
        .else_()
        .fail(f"out of range")
    )


@workflow
def flagged(n: int) -> str:
    flag = coin(n=n)
    odd = conditional("odd").if_(flag.is_false()).then(say(text="odd")).else_().then(say(text="even"))
    return say(text=odd)


@workflow
def unpacked(n: int) -> str:
    number, text = conditional("pair").if_(n < 3).then(both(n=n)).else_().then(both(n=30))
    return say(text=text)


CALLS = [
    ("by_text", {"n": 9}),
    ("by_text", {"n": 1}),
    ("checked", {"fails": 3}),
    ("checked", {"fails": 50}),
    ("checked", {"fails": 101}),
    ("checked", {"fails": 60}),
    ("checked", {"fails": -1}),
    ("flagged", {"n": 3}),
    ("flagged", {"n": 4}),
    ("unpacked", {"n": 1}),
    ("unpacked", {"n": 8}),
]
