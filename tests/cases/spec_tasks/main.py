from flytekit import ImageSpec, task, workflow

image = ImageSpec(name="case-one", packages=["requests"], registry="ghcr.io/acme")


@task(container_image=image)
def triple(n: int) -> int:
    return n * 3


@task(container_image=image)
def label(n: int, prefix: str = "n") -> str:
    return f"{prefix}:{n}"


@workflow
def pipeline(n: int = 7) -> str:
    return label(n=triple(n=n), prefix="tripled")


@workflow
def defaults() -> str:
    return label(n=triple(n=2))


if __name__ == "__main__":
    print("RESULT", pipeline(n=3), pipeline(), defaults())


CALLS = [("pipeline", {"n": 3}), ("pipeline", {}), ("defaults", {}), ("label", {"n": 4})]
