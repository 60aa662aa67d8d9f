import argparse
import sys
from typing import NamedTuple

from flytekit import task, workflow

Result = NamedTuple("Result", total=int, label=str)


@task
def add(a: int, b: int) -> int:
    return a + b


@task
def result(n: int) -> Result:
    return Result(total=n, label=f"n{n}")


@workflow
def pipeline(a: int, b: int = 2) -> Result:
    x = add(a=a, b=b)
    y = add(a=b, b=b)
    return result(n=add(a=x, b=y))


@workflow
def other(a: int) -> int:
    return add(a=add(a=a, b=1), b=2)


def helper(n: int) -> str:
    return f"{pipeline(a=n).label} {other(a=n)}"


def main() -> None:
    outcome = pipeline(a=1)
    print(f"RESULT {outcome.total} {outcome.label}")
    total, label = pipeline(a=3, b=4)
    print("RESULT", total, label)
    print("RESULT", helper(5))
    for n in range(2):
        print("RESULT", add(a=n, b=1), other(a=n))


if __name__ == "__main__":
    main()
    print("RESULT", pipeline(a=7).total)


CALLS = [("pipeline", {"a": 1}), ("other", {"a": 2})]
