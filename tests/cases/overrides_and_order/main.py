from datetime import timedelta
from typing import List, NamedTuple, Tuple

from flytekit import Resources, task, workflow
from flytekit.core.node_creation import create_node
from flytekit.types.file import FlyteFile

LOG: List[str] = []


@task
def note(text: str) -> None:
    LOG.append(text)


@task(requests=Resources(cpu="1", mem="512Mi"), retries=1)
def add(a: int, b: int) -> int:
    return a + b


@task
def read(n: int) -> str:
    return f"{n} {LOG}"


@workflow
def ordered(n: int) -> str:
    first = create_node(note, text="first")
    second = create_node(note, text="second")
    last = create_node(read, n=n)
    first >> second
    second >> last
    return last.o0


@workflow
def overridden(n: int) -> int:
    small = add(a=n, b=1).with_overrides(
        requests=Resources(cpu="2"),
        limits=Resources(cpu="3"),
        timeout=timedelta(minutes=5),
        retries=3,
        interruptible=True,
        name="small",
    )
    node = create_node(add, a=small, b=2)
    again = create_node(add, a=node.o0, b=3).with_overrides(node_name="again", cache=False)
    node.runs_before(again)
    return again.o0


@task
def write(text: str) -> FlyteFile:
    LOG.append("write")
    with open("order.txt", "w") as f:
        f.write(text)
    return FlyteFile("order.txt")


@task
def size(f: FlyteFile) -> int:
    with open(f) as g:
        return len(g.read())


@workflow
def ordered_with_a_file(text: str) -> int:
    first = note(text="first")
    made = write(text=text)
    last = note(text="last")
    first >> made >> last
    return size(f=made)


Pair = NamedTuple("Pair", text=str, number=int)


@task
def pair(n: int) -> Pair:
    LOG.append(f"pair {n}")
    return Pair("pair", n)


@task
def two(n: int) -> Tuple[str, int]:
    LOG.append(f"two {n}")
    return "two", n


@workflow
def ordered_by_outputs(n: int) -> Tuple[str, str, str]:
    named = pair(n=n)
    after = read(n=n)
    named.number >> after
    text, number = two(n=n)
    later = read(n=number)
    after >> number
    text >> later
    return after, later, text


CALLS = [
    ("ordered_by_outputs", {"n": 7}),
    ("ordered_with_a_file", {"text": "abc"}),
    ("ordered", {"n": 4}),
    ("overridden", {"n": 1}),
]
