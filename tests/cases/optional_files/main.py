import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Tuple

from flytekit import FlyteDirectory, FlyteFile, task, workflow


@dataclass
class Data:
    file: FlyteFile
    extra: Optional[FlyteFile] = None


@task
def make(text: str) -> FlyteFile:
    path = os.path.join(tempfile.mkdtemp(), "made.txt")
    with open(path, "w") as handle:
        handle.write(text)
    return FlyteFile(path)


@task
def folder(n: int) -> FlyteDirectory:
    path = tempfile.mkdtemp()
    for i in range(n):
        Path(path, f"{i}.txt").write_text("x")
    return FlyteDirectory(path)


@task
def behind_a_check(n: int, adapter: Optional[FlyteDirectory] = None) -> int:
    if adapter is not None:
        adapter.download()
        n += len(os.listdir(adapter.path))
    return n


@task
def in_a_truth(n: int, f: Optional[FlyteFile] = None) -> int:
    if f:
        print(os.path.basename(f.path))
        with open(f) as handle:
            return len(handle.read())
    return n


@task
def behind_a_return(n: int, f: Optional[FlyteFile] = None) -> int:
    if not f:
        return n
    f.download()
    return os.path.getsize(f.path)


@task
def in_a_choice(n: int, d: Optional[FlyteDirectory] = None) -> int:
    names = os.listdir(d) if d is not None else []
    first = os.path.join(d.path, names[0]) if names and d is not None else ""
    return (len(Path(first).read_text()) if first else 0) + n


@task
def in_two_branches(n: int, f: Optional[FlyteFile] = None) -> int:
    if n > 2 and f is not None:
        f.download()
        return os.path.getsize(f.path)
    elif f is not None:
        f.download()
        return -os.path.getsize(f.path)
    return n


@task
def in_a_loop(n: int, f: Optional[FlyteFile] = None) -> int:
    total = 0
    for _ in range(n):
        if f is not None:
            local = f.download()
            total += os.path.getsize(local)
    return total


@task
def under_a_name(n: int, f: FlyteFile | None = None) -> int:
    if f is not None:
        local = f.download()
        return os.path.getsize(local) + os.path.getsize(f.path)
    return n


@task
def without_a_check(n: int, f: Optional[FlyteFile] = None) -> str:
    try:
        print(f.path)
        return Path(f.path).read_text()
    except AttributeError:
        return "none"


@task
def both(f: FlyteFile, extra: bool) -> Data:
    return Data(file=f, extra=f if extra else None)


@task
def of_a_field(d: Data) -> int:
    d.file.download()
    n = os.path.getsize(d.file.path)
    if d.extra is not None:
        d.extra.download()
        n += os.path.getsize(d.extra.path)
    return n


@workflow
def nothing(n: int) -> Tuple[int, int, int, int, int, int, int, str, int]:
    fields = of_a_field(d=both(f=make(text="abc"), extra=False))
    return (
        behind_a_check(n=n),
        in_a_truth(n=n),
        behind_a_return(n=n),
        in_a_choice(n=n),
        in_two_branches(n=n),
        in_a_loop(n=n),
        under_a_name(n=n),
        without_a_check(n=n),
        fields,
    )


@workflow
def something(n: int) -> Tuple[int, int, int, int, int, int, int, str, int]:
    f = make(text="abcd")
    d = folder(n=n)
    fields = of_a_field(d=both(f=f, extra=True))
    return (
        behind_a_check(n=n, adapter=d),
        in_a_truth(n=n, f=f),
        behind_a_return(n=n, f=f),
        in_a_choice(n=n, d=d),
        in_two_branches(n=n, f=f),
        in_a_loop(n=n, f=f),
        under_a_name(n=n, f=f),
        without_a_check(n=n, f=f),
        fields,
    )


CALLS = [("nothing", {"n": 2}), ("something", {"n": 2}), ("something", {"n": 3})]
