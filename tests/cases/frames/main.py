import os
from typing import List, NamedTuple

import pandas as pd
from flytekit import current_context, task, workflow
from flytekit.types.structured import StructuredDataset


class Split(NamedTuple):
    left: pd.DataFrame
    right: pd.DataFrame


@task
def make(n: int) -> pd.DataFrame:
    return pd.DataFrame({"a": list(range(n)), "b": [f"r{i}" for i in range(n)]})


@task
def split(df: pd.DataFrame, at: int) -> Split:
    return Split(df[:at], df[at:])


@task
def count(df: pd.DataFrame) -> int:
    return len(df)


@task
def dataset(n: int) -> StructuredDataset:
    return StructuredDataset(dataframe=pd.DataFrame({"a": [1] * n}))


@task
def read(sd: StructuredDataset) -> int:
    df = sd.open(pd.DataFrame).all()
    return int(df["a"].sum())


@task
def join(a: int, b: int, c: int) -> str:
    return f"{a} {b} {c}"


@workflow
def pipeline(n: int) -> str:
    df = make(n=n)
    parts = split(df=df, at=1)
    return join(a=count(df=parts.left), b=count(df=parts.right), c=read(sd=dataset(n=n)))


CALLS = [("pipeline", {"n": 4})]
