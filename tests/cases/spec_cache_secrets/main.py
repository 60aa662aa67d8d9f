import os

from flytekit import Cache, Secret, current_context, task, workflow

os.environ["_FSEC_STORE_TOKEN"] = "abcd"


@task(secret_requests=[Secret(group="store", key="token")], environment={"STAGE": "test"})
def login(user: str) -> str:
    token = current_context().secrets.get("store", "token")
    return f"{user} {len(token)}"


@task(secret_requests=[Secret(group="store", key="token")])
def reversed_token() -> str:
    secrets = current_context().secrets
    return secrets.get(group="store", key="token")[::-1]


@task(cache=Cache(version="1", serialize=True, ignored_inputs=("loud",), salt="s"))
def squared(n: int, loud: bool) -> int:
    return n * n


@task(cache=True, cache_version="2.0", cache_serialize=True, cache_ignore_input_vars=("loud",))
def next_one(n: int, loud: bool = False) -> int:
    return n + 1


@task(cache=False)
def show(a: str, b: int, c: str) -> str:
    return f"{a} {b} {c}"


@workflow
def pipeline(user: str) -> str:
    return show(a=login(user=user), b=next_one(n=squared(n=4, loud=False)), c=reversed_token())


if __name__ == "__main__":
    print("RESULT", pipeline(user="eve"))


CALLS = [("pipeline", {"user": "bob"})]
