import os
import tempfile
from pathlib import Path
from typing import Dict, List, Optional

from flytekit import FlyteFile, task, workflow


@task
def made(n: int, letter: str) -> List[FlyteFile]:
    out = []
    for i in range(n):
        path = os.path.join(tempfile.mkdtemp(), f"{i}.txt")
        Path(path).write_text(letter * (i + 1))
        out.append(FlyteFile(path))
    return out


@task
def named(n: int) -> Dict[str, FlyteFile]:
    folder = tempfile.mkdtemp()
    for i in range(n):
        Path(folder, str(i)).write_text("y" * i)
    return {str(i): FlyteFile(os.path.join(folder, str(i))) for i in range(n)}


@task
def beside_a_parameter(files: List[FlyteFile], f: FlyteFile) -> List[str]:
    texts = [open(f).read() for f in files]
    with open(f) as handle:
        texts.append(handle.read())
    return texts + [f.upper() for f in texts]


@task
def one_after_the_other(xs: List[FlyteFile], ys: List[FlyteFile]) -> List[str]:
    out = [open(f).read() for f in xs] + [open(f).read() for f in ys]
    for f in ys:
        out.append(open(f).read() + str(os.path.getsize(f)))
    return out + [f for f in out if f]


@task
def paths(files: List[FlyteFile]) -> List[str]:
    local = {f.path: f.download() for f in files}
    return sorted(open(path).read() for path in local.values() if path in local)


@task
def several_times(files: List[FlyteFile], f: FlyteFile) -> List[str]:
    first = open(f).read() + str(os.path.getsize(f))
    sizes = [f"{open(f).read()} {os.path.getsize(f)}" for f in files if os.path.getsize(f) > 1]
    return sizes + [first, open(f).read()]


@task
def in_pairs(files: Dict[str, FlyteFile]) -> List[str]:
    f = "f"
    return [f"{i} {k} {open(f).read()}" for i, (k, f) in enumerate(sorted(files.items()))] + [f]


@task
def in_files(files: List[List[FlyteFile]], line: FlyteFile) -> List[str]:
    lines = [line for inner in files for f in inner for line in open(f)]
    return lines + [open(line).read()]


@task
def hidden(f: FlyteFile, names: List[str]) -> List[str]:
    return [f.upper() for f in names] + [open(f).read()]


@task
def counted(files: List[FlyteFile], f: Optional[FlyteFile] = None) -> str:
    number = 1 + (1 if f else 0)
    return f"{number}{'some' if files else 'none'}"


@task
def in_a_loop(files: List[FlyteFile]) -> str:
    text = ""
    for f in files:
        local = f.download()
        text += open(local).read()
    return text


@task
def joined(parts: List[List[str]], text: str) -> str:
    return "|".join(",".join(part) for part in parts) + text


@task
def both(a: str, b: str) -> List[str]:
    return [a, b]


@task
def first(files: List[FlyteFile]) -> FlyteFile:
    return files[0]


@workflow
def main(n: int) -> str:
    xs = made(n=n, letter="x")
    ys = made(n=n, letter="y")
    one = first(files=xs)
    return joined(
        parts=[
            beside_a_parameter(files=ys, f=one),
            one_after_the_other(xs=xs, ys=ys),
            paths(files=xs),
            several_times(files=ys, f=one),
            in_pairs(files=named(n=n)),
            in_files(files=[xs, ys], line=one),
            hidden(f=one, names=["a", "b"]),
            both(a=counted(files=xs, f=one), b=counted(files=xs)),
        ],
        text=in_a_loop(files=xs),
    )


CALLS = [("main", {"n": 3})]
