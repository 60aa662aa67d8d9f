import os

from flytekit import current_context, task, workflow
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile


@task
def save(text: str) -> FlyteFile:
    path = os.path.join(current_context().working_directory, "saved.txt")
    with open(path, "w") as file:
        file.write(text)
    return FlyteFile(path=path)


@task
def length(file: FlyteFile) -> int:
    with open(file) as opened:
        return len(opened.read())


@task
def shout(file: FlyteFile) -> str:
    local = file.download()
    with open(local) as opened:
        return opened.read().upper()


@task
def several(words: str) -> FlyteDirectory:
    folder = os.path.join(current_context().working_directory, "several")
    os.makedirs(folder, exist_ok=True)
    for word in words.split():
        with open(os.path.join(folder, word), "w") as file:
            file.write(word)
    return FlyteDirectory(folder)


@task
def listing(folder: FlyteDirectory) -> str:
    return " ".join(sorted(os.listdir(folder)))


@task
def join(a: int, b: str, c: str) -> str:
    return f"{a}/{b}/{c}"


@workflow
def pipeline(text: str) -> str:
    file = save(text=text)
    return join(a=length(file=file), b=shout(file=file), c=listing(folder=several(words=text)))


if __name__ == "__main__":
    print("RESULT", pipeline(text="one two"))


CALLS = [("pipeline", {"text": "b a"}), ("save", {"text": "kept"})]
