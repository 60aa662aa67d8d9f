from typing import List

from flytekit import workflow

from steps import shapes
from steps.numbers import Summary, double, summarize
from steps.words import join as join_words
from workflows.inner import middle


@workflow
def pipeline(xs: List[int]) -> str:
    found = summarize(xs=xs)
    area = shapes.area(width=found.smallest, height=found.largest)
    twice = double(n=area)
    return join_words(parts=[middle(n=twice), shapes.name(sides=4)])


@workflow
def passed(xs: List[int]) -> Summary:
    return summarize(xs=xs)


if __name__ == "__main__":
    print("RESULT", pipeline(xs=[2, 9]))


CALLS = [("pipeline", {"xs": [3, 1, 5]}), ("passed", {"xs": [4, 8]})]
