from typing import List, NamedTuple

from flytekit import Resources, task

SMALL = Resources(cpu="1", mem="256Mi")

Summary = NamedTuple("Summary", smallest=int, largest=int)


@task(requests=SMALL)
def double(n: int) -> int:
    return n * 2


@task(requests=SMALL, retries=1)
def summarize(xs: List[int]) -> Summary:
    return Summary(min(xs), max(xs))
