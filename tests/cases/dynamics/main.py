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


@dynamic
def limited(xs: List[int], limit: int = 2) -> int:
    found = []
    for x in xs:
        if len(found) >= limit:
            break
        found.append(square(x=x))
    return total(xs=found)


@dynamic
def one_or_many(xs: List[int]) -> int:
    found = [square(x=x) for x in xs]
    if len(found) > 1:
        return total(xs=found)
    return found[0]


@dynamic
def paired(xs: List[int]) -> int:
    level = [square(x=x) for x in xs]
    while len(level) > 1:
        level = [
            total(xs=[level[i], level[i + 1]]) if i + 1 < len(level) else level[i] for i in range(0, len(level), 2)
        ]
    return level[0]


@workflow
def pipeline(n: int, words: List[str]) -> str:
    return text(counts={"fan": fan(n=n), "deep": deeper(n=n), "chain": chained(n=n)})


CALLS = [
    ("pipeline", {"n": 4, "words": ["a", "bcd"]}),
    ("counted", {"words": ["a", "bcd"]}),
    ("deeper", {"n": 1}),
    ("limited", {"xs": [1, 2, 3]}),
    ("limited", {"xs": [3]}),
    ("one_or_many", {"xs": [2, 3]}),
    ("one_or_many", {"xs": [4]}),
    ("paired", {"xs": [1, 2, 3, 4, 5]}),
]
