from typing import Dict, List

from flytekit import task, workflow


@task
def load(name: str) -> List[int]:
    return [len(name), ord(name[0])]


@task
def clean(xs: List[int]) -> List[int]:
    return [x + 1 for x in xs]


@task
def size(xs: List[int]) -> int:
    return sum(xs)


@task
def merge(parts: Dict[str, int]) -> str:
    return ",".join(f"{key}={parts[key]}" for key in sorted(parts))


@task
def bundle(rows: List[List[int]]) -> int:
    return sum(len(row) for row in rows)


@workflow
def wide(a: str, b: str, c: str = "gamma") -> str:
    la = load(name=a)
    lb = load(name=b)
    lc = load(name=c)
    ld = load(name="delta")
    ca = clean(xs=la)
    cb = clean(xs=lb)
    cc = clean(xs=lc)
    cd = clean(xs=ld)
    return merge(
        parts={
            "a": size(xs=ca),
            "b": size(xs=cb),
            "c": size(xs=cc),
            "d": size(xs=cd),
            "rows": bundle(rows=[ca, clean(xs=cb), lc]),
        }
    )


@workflow
def rebound(a: str) -> str:
    x = load(name=a)
    first = size(xs=x)
    x = clean(xs=x)
    second = size(xs=x)
    x = clean(xs=x)
    return merge(parts={"first": first, "second": second, "third": size(xs=x)})


CALLS = [("wide", {"a": "alpha", "b": "beta"}), ("rebound", {"a": "omega"})]
