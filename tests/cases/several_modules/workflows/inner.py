from flytekit import workflow

from steps import numbers
from steps.words import text


@workflow
def innermost(n: int) -> int:
    return numbers.double(n=numbers.double(n=n))


@workflow
def middle(n: int) -> str:
    a = innermost(n=n)
    b = numbers.double(n=n)
    return text(n=numbers.summarize(xs=[a, b]).largest)
