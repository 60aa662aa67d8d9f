from flytekit import LaunchPlan, dynamic, task, workflow

COUNT = 3


@task
def weigh(n: int, factor: float, name: str) -> float:
    return n * factor + len(name)


@task
def total(values: list[float]) -> float:
    return sum(values)


@workflow
def leaf(n: int = 1, factor: float = 0.5, name: str = "a") -> float:
    return weigh(n=n, factor=factor, name=name)


@workflow
def wide(n: int, step: int = 1) -> float:
    left = leaf(n=n)
    right = leaf(n=step)
    return total(values=[left, right])


plain = LaunchPlan.get_or_create(leaf)
nightly = LaunchPlan.get_or_create(
    leaf, name="nightly", default_inputs={"n": COUNT, "factor": 2.5}, fixed_inputs={"name": "night"}
)
broad = LaunchPlan.create("broad", wide, {"step": 7})


@workflow
def side_by_side(n: int) -> float:
    first = nightly(n=(n))
    second = plain(
        n=n,
        name="bb",
    )
    return total(values=[first, second])


@dynamic
def many(ns: list[int]) -> list[float]:
    results = []
    for n in ns:
        results.append(nightly(n=n, factor=1.5))
    return results


@workflow
def defaults() -> float:
    return nightly()


@workflow
def outer(ns: list[int]) -> float:
    return total(values=[broad(n=2), total(values=many(ns=ns)), defaults()])


CALLS = [
    ("side_by_side", {"n": 4}),
    ("many", {"ns": [1, 2]}),
    ("defaults", {}),
    ("outer", {"ns": [1, 2, 3]}),
]
