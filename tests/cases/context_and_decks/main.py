import logging
import os

import flytekit
from flytekit import Deck, current_context, task, workflow


@task(enable_deck=True)
def plot(n: int) -> int:
    Deck("numbers", f"<p>{n}</p>")
    deck = Deck("more")
    deck.append("<b>more</b>")
    current_context().default_deck.append("default")
    return n + 1


@task(disable_deck=True)
def scratch(text: str) -> str:
    ctx = current_context()
    path = os.path.join(ctx.working_directory, "f")
    with open(path, "w") as handle:
        handle.write(text)
    ctx.logging.info("written")
    with open(os.path.join(ctx.working_directory, "f")) as handle:
        return handle.read()


@task(environment={"LEVEL": "2"})
def dated(n: int) -> str:
    context = flytekit.current_context()
    return f"{context.execution_date.year > 2000} {n}"


@task
def join(a: int, b: str, c: str) -> str:
    return f"{a} {b} {c}"


@workflow
def pipeline(n: int) -> str:
    return join(a=plot(n=n), b=scratch(text="t"), c=dated(n=n))


CALLS = [("pipeline", {"n": 1})]
