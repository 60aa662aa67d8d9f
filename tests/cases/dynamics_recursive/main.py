from typing import List

from flytekit import dynamic, task, workflow


@task
def split(xs: List[int]) -> List[List[int]]:
    half = len(xs) // 2
    return [xs[:half], xs[half:]]


@task
def merged(a: List[int], b: List[int]) -> List[int]:
    return sorted(a + b)


@task
def add(a: int, b: int) -> int:
    return a + b


@dynamic
def sort_halves(halves: List[List[int]]) -> List[int]:
    return merged(a=merge_sort(xs=halves[0]), b=merge_sort(xs=halves[1]))


@dynamic
def merge_sort(xs: List[int]) -> List[int]:
    if len(xs) <= 1:
        return xs
    return sort_halves(halves=split(xs=xs))


@dynamic
def fibonacci(n: int) -> int:
    if n < 2:
        return n
    return add(a=fibonacci(n=n - 1), b=fibonacci(n=n - 2))


@dynamic
def while_loop(limit: int) -> int:
    total = add(a=0, b=0)
    count = 0
    while count < limit:
        total = add(a=total, b=count)
        count += 1
    return total


@workflow
def pipeline(xs: List[int], n: int) -> List[int]:
    s = merge_sort(xs=xs)
    return merged(a=s, b=[fibonacci(n=n), while_loop(limit=n)])


CALLS = [("pipeline", {"xs": [4, 1, 3, 2], "n": 5}), ("fibonacci", {"n": 6})]
