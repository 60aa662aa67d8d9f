from dataclasses import dataclass
from typing import Dict, List

from flytekit import dynamic, task, workflow
from flytekit.types.file import FlyteFile


@dataclass
class Sample:
    name: str
    file: FlyteFile


@task
def write(text: str) -> FlyteFile:
    path = f"{text}.txt"
    with open(path, "w") as f:
        f.write(text)
    return FlyteFile(path)


@task
def make(text: str) -> Sample:
    path = f"{text}.txt"
    with open(path, "w") as f:
        f.write(text)
    return Sample(name=text, file=FlyteFile(path))


@task
def align(sample: Sample) -> Sample:
    return sample


@task
def by_name(texts: List[str]) -> Dict[str, FlyteFile]:
    out = {}
    for text in texts:
        with open(f"{text}.txt", "w") as handle:
            handle.write(text)
        f = FlyteFile(f"{text}.txt")
        out[text] = f
    return out


@task
def by_path(texts: List[str]) -> Dict[str, FlyteFile]:
    with open("none.txt", "w") as handle:
        handle.write("")
    out: Dict[str, FlyteFile] = {"none": "none.txt"}
    for text in texts:
        with open(f"{text}.txt", "w") as handle:
            handle.write(text)
        out[text] = f"./{text}.txt"
    print(len(out))
    return out


@task
def read(fs: Dict[str, FlyteFile]) -> str:
    return ",".join(sorted(open(f).read() + key for key, f in fs.items()))


@task
def names(samples: List[Sample]) -> str:
    return ",".join(sample.name + open(sample.file).read() for sample in samples)


@dynamic
def gathered(texts: List[str]) -> str:
    made = []
    for text in texts:
        aligned = align(sample=make(text=text))
        made.append(aligned)
    return names(samples=made)


@dynamic
def gathered_by_name(texts: List[str]) -> str:
    made = {}
    for i in range(len(texts)):
        f = write(text=texts[i])
        made[texts[i]] = f
    return read(fs=made)


@workflow
def named(texts: List[str]) -> str:
    return read(fs=by_name(texts=texts))


@workflow
def paths(texts: List[str]) -> str:
    return read(fs=by_path(texts=texts))


@workflow
def samples(texts: List[str]) -> str:
    return gathered(texts=texts)


@workflow
def files(texts: List[str]) -> str:
    return gathered_by_name(texts=texts)


CALLS = [
    ("named", {"texts": ["a", "b"]}),
    ("paths", {"texts": ["a", "b"]}),
    ("samples", {"texts": ["a", "b"]}),
    ("files", {"texts": ["a", "b"]}),
]
