from typing import List

from flytekit import task, workflow


@task
def inc(n: int) -> int:
    return n + 1


@task
def mul(a: int, b: int) -> int:
    return a * b


@task
def total(xs: List[int]) -> int:
    return sum(xs)


@workflow
def level_three(n: int) -> int:
    left = inc(n=n)
    right = inc(n=10)
    return mul(a=left, b=right)


@workflow
def level_two(n: int, k: int = 2) -> int:
    a = level_three(n=n)
    b = level_three(n=k)
    c = inc(n=b)
    return total(xs=[a, b, c])


@workflow
def level_one(n: int) -> List[int]:
    a = level_two(n=n)
    b = level_two(n=inc(n=n), k=5)
    return [a, b, mul(a=a, b=b)]


@workflow
def pipeline(n: int) -> int:
    return total(xs=level_one(n=level_three(n=n)))


@workflow
def chain(n: int) -> int:
    n = inc(n=n)
    n = inc(n=n)
    n = mul(a=n, b=n)
    return n


if __name__ == "__main__":
    print("RESULT", pipeline(n=1))
    for n in range(2):
        print("RESULT", chain(n=n))


CALLS = [("pipeline", {"n": 2}), ("level_one", {"n": 3}), ("chain", {"n": 4})]
