from typing import Dict, List

from flytekit import dynamic, task, workflow


@task
def square(x: int) -> int:
    return x * x


@task
def total(xs: List[int]) -> int:
    return sum(xs)


@task
def text(counts: Dict[str, int]) -> str:
    return " ".join(f"{key}={counts[key]}" for key in sorted(counts))


@dynamic
def fan(n: int) -> int:
    found = []
    for i in range(n):
        if i != 1:
            found.append(square(x=i))
    return total(xs=found)


@dynamic
def listed(xs: List[int]) -> int:
    return total(xs=[square(x=x) for x in xs if x > 1])


@dynamic
def counted(words: List[str]) -> str:
    counts = {}
    for word in words:
        counts[word] = square(x=len(word))
    return text(counts=counts)


@dynamic
def chained(n: int) -> int:
    value = square(x=2)
    for _ in range(n):
        value = total(xs=[value, 1])
    return value


@dynamic
def deeper(n: int) -> int:
    if n <= 1:
        return square(x=n)
    return total(xs=[fan(n=n), listed(xs=[n, 1, 3])])


@workflow
def pipeline(n: int, words: List[str]) -> str:
    return text(counts={"fan": fan(n=n), "deep": deeper(n=n), "chain": chained(n=n)})


CALLS = [
    ("pipeline", {"n": 4, "words": ["a", "bcd"]}),
    ("counted", {"words": ["a", "bcd"]}),
    ("deeper", {"n": 1}),
]
