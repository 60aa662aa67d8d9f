from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any, Dict, List, Optional, Tuple, Union

from flytekit import task, workflow


class Color(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Point:
    x: int
    y: int = 0


@dataclass
class Line:
    name: str
    points: List[Point] = field(default_factory=list)
    color: Optional[str] = None


class Opaque:
    def __init__(self, number: int):
        self.number = number


@task
def point(x: int, y: int = 5) -> Point:
    return Point(x=x, y=y)


@task
def line(name: str, start: Point, end: Point) -> Line:
    return Line(name=name, points=[start, end])


@task
def measure(of: Line) -> float:
    first, last = of.points[0], of.points[-1]
    return ((first.x - last.x) ** 2 + (first.y - last.y) ** 2) ** 0.5


@task
def paint(color: Color, times: int = 1) -> str:
    return color.value * times


@task
def later(at: datetime, by: timedelta = timedelta(days=1)) -> datetime:
    return at + by


@task
def shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


@task
def optional(text: Optional[str] = None, number: Optional[int] = None) -> str:
    return f"{text or 'nothing'} {number}"


@task
def none_default(text: str = "x", flag: bool = False) -> Optional[str]:
    return text if flag else None


@task
def union(value: Union[int, str]) -> str:
    return type(value).__name__


@task
def table() -> Dict[str, List[int]]:
    return {"a": [1, 2], "b": []}


@task
def first(xs: List[int]) -> int:
    return xs[0]


@task
def make(n: int) -> Opaque:
    return Opaque(n)


@task
def use(thing: Opaque) -> int:
    return thing.number + 1


@workflow
def geometry(x: int) -> float:
    a = point(x=x)
    b = point(x=0, y=1)
    return measure(of=line(name="l", start=a, end=b))


@workflow
def attribute(x: int) -> int:
    a = line(name="l", start=point(x=x), end=point(x=1))
    return first(xs=[a.points[0].x, 3])


@workflow
def items() -> int:
    t = table()
    return first(xs=t["a"])


@workflow
def dates(at: datetime = datetime(2024, 1, 31)) -> str:
    return shown(at=later(at=at))


@workflow
def colors(color: Color = Color.RED) -> str:
    return paint(color=color, times=2)


@workflow
def optionals(text: Optional[str] = None) -> Tuple[str, str, str]:
    missing = none_default()
    return optional(text=text), optional(text=missing, number=3), union(value="u")


@workflow
def opaque(n: int) -> int:
    return use(thing=make(n=n))


CALLS = [
    ("geometry", {"x": 3}),
    ("attribute", {"x": 4}),
    ("items", {}),
    ("dates", {}),
    ("colors", {}),
    ("optionals", {}),
    ("optionals", {"text": "given"}),
    ("opaque", {"n": 1}),
    ("union", {"value": 3}),
]
