import tempfile
from pathlib import Path

import engine
from flytekit import ContainerTask, Resources, TaskMetadata, kwtypes, task, workflow
from flytekit.core.node_creation import create_node
from flytekit.types.file import FlyteFile

assert engine

double = ContainerTask(
    name="double",
    image="alpine:3.20",
    input_data_dir="/var/inputs",
    output_data_dir="/var/outputs",
    inputs=kwtypes(n=int),
    outputs=kwtypes(twice=int),
    command=["sh", "-c", "printf $(( 2 * $0 )) > /var/outputs/twice", "{{.inputs.n}}"],
    requests=Resources(cpu="1", mem="100Mi"),
    metadata=TaskMetadata(retries=1),
)

split = ContainerTask(
    name="split",
    image="alpine:3.20",
    input_data_dir="/var/inputs",
    output_data_dir="/var/outputs",
    inputs={"n": int},
    outputs={"less": int, "more": int, "note": str},
    command=["sh", "-c"],
    arguments=[
        "cd /var/outputs; printf $(( $0 - 1 )) > less; printf $(( $0 + 1 )) > more; printf 'of %s' $0 > note",
        "{{.inputs.n}}",
    ],
    metadata_format=ContainerTask.MetadataFormat.JSON,
)

count = ContainerTask(
    name="count",
    image="alpine:3.20",
    input_data_dir="/var/inputs",
    output_data_dir="/var/outputs",
    inputs=kwtypes(source=FlyteFile),
    outputs=kwtypes(lines=int),
    command=["sh", "-c", "printf $(wc -l < $0) > /var/outputs/lines", "/var/inputs/source"],
)

touch = ContainerTask(name="touch", image="alpine:3.20", output_data_dir="/var/outputs", command=["true"])


@task
def add(a: int, b: int) -> int:
    return a + b


@task
def write(lines: int) -> FlyteFile:
    path = Path(tempfile.mkdtemp()) / "lines.txt"
    path.write_text("line\n" * lines)
    return FlyteFile(str(path))


@workflow
def one(n: int) -> int:
    return double(n=n)


@workflow
def side_by_side(n: int) -> int:
    a = double(n=n)
    b = double(n=add(a=n, b=1))
    return add(a=a, b=b)


@workflow
def named(n: int) -> str:
    parts = split(n=n)
    less, more, note = split(n=parts.more)
    add(a=less, b=parts.less)
    return note


@workflow
def files(lines: int) -> int:
    return count(source=write(lines=lines))


@workflow
def ordered(n: int) -> int:
    first = create_node(touch)
    second = create_node(add, a=n, b=1)
    first >> second
    return second.o0


@workflow
def outer(n: int) -> int:
    return add(a=one(n=n), b=side_by_side(n=n))


CALLS = [
    ("one", {"n": 3}),
    ("side_by_side", {"n": 3}),
    ("named", {"n": 3}),
    ("files", {"lines": 4}),
    ("ordered", {"n": 1}),
    ("outer", {"n": 5}),
]

if __name__ == "__main__":
    print("RESULT", outer(n=2))
