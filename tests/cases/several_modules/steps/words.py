from typing import List

import flytekit as fk

from steps.common import shout


@fk.task
def join(parts: List[str]) -> str:
    return shout("-".join(parts))


@fk.task(cache=True, cache_version="1")
def text(n: int) -> str:
    return f"<{n}>"
