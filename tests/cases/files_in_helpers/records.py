from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, List

if TYPE_CHECKING:
    from main import Later


@dataclass
class Base:
    name: str


def describe(later: Later) -> str:
    with open(later.file) as handle:
        return later.name + ":" + handle.read()


def of_all(laters: List[Later]) -> str:
    return "".join(open(one.file).read() for one in laters)
