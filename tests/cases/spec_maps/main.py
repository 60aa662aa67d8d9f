import functools
from typing import List, Optional

from flytekit import map_task, task, workflow


@task
def power(base: int, exponent: int) -> int:
    return base**exponent


@task
def prefixed(prefix: str, word: str) -> str:
    return prefix + word


@task
def picky(word: str) -> str:
    if word.startswith("x"):
        raise ValueError(word)
    return word.upper()


@task
def show(a: List[int], b: List[str], c: List[Optional[str]]) -> str:
    return f"{a} {b} {c}"


@workflow
def pipeline(xs: List[int], words: List[str]) -> str:
    squares = map_task(functools.partial(power, exponent=2), concurrency=3)(base=xs)
    names = map_task(functools.partial(prefixed, prefix="a-"))(word=words)
    picked = map_task(picky, min_success_ratio=0.3)(word=words)
    return show(a=squares, b=names, c=picked)


if __name__ == "__main__":
    print("RESULT", pipeline(xs=[2, 3], words=["u", "xv", "w"]))


CALLS = [("pipeline", {"xs": [1, 5], "words": ["xx", "b"]}), ("pipeline", {"xs": [], "words": ["b"]})]
