from typing import Dict, List, NamedTuple

from flytekit import eager, task


class Model(NamedTuple):
    name: str
    acc: float


@task
def fit(alpha: int) -> Model:
    return Model(name=f"m{alpha}", acc=1 - alpha / 10)


@task
async def fit_slowly(alpha: int) -> Model:
    return Model(name=f"s{alpha}", acc=alpha / 10)


def show(model: Model) -> str:
    return f"{type(model).__name__} {model.name} {model.acc:.1f}"


@eager
async def kinds(n: int = 2) -> str:
    models = [fit(alpha=a) for a in range(n)]
    return type(models[0]).__name__ + ("a" if hasattr(models[0], "acc") else "b")


@eager
async def everywhere(n: int = 3) -> List[str]:
    found = []
    for a in range(n):
        found.append(fit(alpha=a))
    best = max(found, key=lambda m: m.acc)
    table: Dict[str, Model] = {"x": fit(alpha=4)}
    tables = {a: fit(alpha=a) for a in range(n)}
    one, two = fit(alpha=5), fit(alpha=6)
    choice = fit(alpha=7) if n > 1 else fit(alpha=8)
    if (walrus := fit(alpha=9)).acc < 1:
        found.append(walrus)
    name, acc = fit(alpha=1)
    slow = await fit_slowly(alpha=1)
    slowly = [await fit_slowly(alpha=a) for a in range(n)]
    names = sorted(fit(alpha=a).name for a in range(n))
    first = fit(alpha=2)
    return [
        best.name,
        table["x"].name,
        tables[1].name,
        one.name,
        two.name,
        choice.name,
        show(fit(alpha=1)),
        show(slow),
        show(slowly[2]),
        show(first),
        fit(alpha=3).name,
        f"{name} {acc:.1f}",
        *names,
        *[getattr(m, "name", "unknown") for m in found],
    ]


CALLS = [("kinds", {}), ("everywhere", {})]
