import dataclasses
import os
import tempfile
from dataclasses import dataclass
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

from flytekit import FlyteFile, dynamic, task, workflow

from records import Base, describe, of_all


@dataclass
class Later(Base):
    file: FlyteFile
    others: Optional[List[FlyteFile]] = None

    def text(self) -> str:
        with open(self.file) as handle:
            return handle.read()

    @property
    def first(self) -> FlyteFile:
        return self.file

    def pick(self) -> FlyteFile:
        return self.file

    @classmethod
    def of(cls, name: str, file: FlyteFile) -> "Later":
        return cls(name=name, file=file)


@dataclass
class Outer:
    inner: Later
    n: int = 2


class Pair(NamedTuple):
    file: FlyteFile
    label: str


def opened(later: Later) -> str:
    return open(later.file).read()


def through(later: Later) -> str:
    return opened(later) + "!"


def name_only(later):
    return later.name


def nested(outer: Outer) -> str:
    return open(outer.inner.file).read() * outer.n


def maybe(later: Optional[Later]) -> str:
    return "none" if later is None else open(later.file).read()


def labelled(pairs: List[Tuple[str, FlyteFile]]) -> str:
    return "".join(label + open(file).read() for label, file in pairs)


def of_pair(pair: Pair) -> str:
    return pair.label + open(pair.file).read()


def by_place(pair: Pair) -> str:
    return pair[1] + open(pair[0]).read()


def each(laters: List[Later]) -> Iterator[Later]:
    for later in laters:
        yield later


def renamed(later: Later) -> Later:
    return dataclasses.replace(later, name=later.name + "2")


@task
def write(name: str, text: str) -> FlyteFile:
    path = os.path.join(tempfile.mkdtemp(), name)
    with open(path, "w") as handle:
        handle.write(text)
    return FlyteFile(path)


@task
def make(name: str, file: FlyteFile) -> Later:
    return Later(name=name, file=file, others=[file])


@task
def made_by_class(name: str, file: FlyteFile) -> Later:
    return Later.of(name, file)


@task
def read_all(later: Later) -> str:
    parts = [opened(later), through(later), name_only(later), later.text(), maybe(later), maybe(None)]
    parts.append(describe(later))
    return ",".join(parts)


@task
def read_parts(later: Later) -> str:
    with open(later.first) as handle:
        first = handle.read()
    picked = open(later.pick()).read()
    other = open(renamed(later).file).read() + renamed(later).name
    return first + picked + other + nested(Outer(inner=later))


@task
def read_others(later: Later) -> str:
    texts = []
    if later.others:
        for other in later.others:
            texts.append(open(other).read())
    return "".join(texts)


@task
def read_many(laters: List[Later], by_name: Dict[str, Later]) -> str:
    ordered = sorted(laters, key=lambda later: later.name)
    texts = [open(one.file).read() for one in each(ordered)]
    texts += [name + open(value.file).read() for name, value in sorted(by_name.items(), key=lambda item: item[0])]
    files = [an.file for an in ordered]
    named = list(zip(["x", "y"], files))
    return "|".join(texts) + labelled(named) + of_all(laters)


@task
def read_pairs(file: FlyteFile) -> str:
    pair = Pair(file=file, label="p")
    return of_pair(pair) + by_place(pair)


@task
def join(a: str, b: str, c: str, d: str, e: str) -> str:
    return "\n".join([a, b, c, d, e])


@workflow
def main() -> str:
    one = make(name="b", file=write(name="one", text="1"))
    two = made_by_class(name="a", file=write(name="two", text="2"))
    return join(
        a=read_all(later=one),
        b=read_parts(later=two),
        c=read_others(later=one),
        d=read_many(laters=[one, two], by_name={"k": one, "l": two}),
        e=read_pairs(file=write(name="three", text="3")),
    )


CALLS = [("main", {})]
