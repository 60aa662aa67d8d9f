from typing import List

from flytekit import dynamic, task, workflow


@task
def cube(x: int) -> int:
    return x**3


@task
def add_up(xs: List[int]) -> int:
    return sum(xs)


@dynamic
def odd_cubes(n: int) -> int:
    cubes = []
    for i in range(n):
        if i % 2 == 1:
            cubes.append(cube(x=i))
    return add_up(xs=cubes)


@workflow
def below(n: int) -> int:
    return odd_cubes(n=n)


@workflow
def pipeline(n: int) -> int:
    return cube(x=below(n=n))


if __name__ == "__main__":
    print("RESULT", pipeline(n=4))


CALLS = [("pipeline", {"n": 3}), ("odd_cubes", {"n": 6})]
