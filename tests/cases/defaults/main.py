from typing import Dict, List, Optional

from flytekit import task, workflow

DEFAULT = 4
NAMES = ["x", "y"]


@task
def greet(name: str = "world", times: int = DEFAULT - 2, mark: str = None) -> str:
    return f"hello {name}" * times + (mark or "")


@task
def sized(xs: Optional[List[int]] = None, table: Optional[Dict[str, int]] = None, flag: bool = True) -> int:
    return len(xs or [1]) + len(table or {}) + flag


@workflow
def all_defaults(name: str = "you", n: int = DEFAULT) -> str:
    a = sized()
    return greet(name=name, times=a, mark=".")


@workflow
def nothing() -> str:
    return greet(mark="?")


@workflow
def keywords(n: int, name: str = "k") -> str:
    return greet(times=n, name=name, mark="!")


@workflow
def outer(n: int = 2) -> str:
    a = all_defaults()
    b = keywords(n=n)
    return greet(name=a, times=1, mark=b)


CALLS = [
    ("all_defaults", {}),
    ("all_defaults", {"name": "n"}),
    ("nothing", {}),
    ("keywords", {"n": 1}),
    ("outer", {}),
    ("sized", {}),
]
