import flytekit

from .common import NAMES


@flytekit.task
def area(width: int, height: int) -> int:
    return width * height


@flytekit.task
def name(sides: int) -> str:
    return NAMES[sides]
