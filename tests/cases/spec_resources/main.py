from datetime import timedelta

from flytekit import Documentation, Resources, task, workflow
from flytekit.extras.accelerators import A100, L4, T4, V100

SMALL = Resources(cpu="500m", mem="256Mi")


@task(requests=SMALL, limits=Resources(cpu="1", mem="1Gi"), retries=2, timeout=timedelta(minutes=3))
def on_cpu(n: int) -> int:
    return n + 2


@task(requests=Resources(gpu="1", mem="2Gi"), accelerator=T4, shared_memory="1Gi")
def on_gpu(n: int) -> int:
    return n * 7


@task(limits=Resources(gpu="1"), accelerator=A100.partition_2g_10gb, environment={"MODE": "slow", "LEVEL": "3"})
def on_part(n: int) -> int:
    return n - 3


@task(resources=Resources(cpu=("1", "2"), mem="512Mi", gpu=1), accelerator=L4, interruptible=True)
def on_pair(n: int) -> int:
    return n * n


@task(requests=Resources(cpu="1", ephemeral_storage="2Gi"), docs=Documentation(short_description="the last step"))
def last(a: int, b: int) -> str:
    return f"{a} {b}"


@task(requests=Resources(gpu="2"), accelerator=V100, timeout=60)
def not_called(n: int) -> int:
    return n


@workflow
def pipeline(n: int) -> str:
    small = on_cpu(n=n)
    return last(a=on_part(n=on_gpu(n=small)), b=on_pair(n=small))


if __name__ == "__main__":
    print("RESULT", pipeline(n=2))


CALLS = [("pipeline", {"n": 1}), ("on_part", {"n": 5})]
