from datetime import datetime, timedelta

from flytekit import CronSchedule, FixedRate, LaunchPlan, task, workflow


@task
def describe(area: str, at: datetime) -> str:
    return f"{area} {at:%d.%m.%Y}"


@workflow
def pipeline(area: str, at: datetime) -> str:
    return describe(area=area, at=at)


at_night = LaunchPlan.get_or_create(
    pipeline,
    "at_night",
    default_inputs={"area": "north"},
    schedule=CronSchedule(schedule="30 3 * * *", kickoff_time_input_arg="at"),
)

often = LaunchPlan.get_or_create(
    workflow=pipeline,
    name="often",
    fixed_inputs={"area": "south"},
    schedule=FixedRate(duration=timedelta(minutes=90), kickoff_time_input_arg="at"),
    auto_activate=True,
)


@workflow
def plain(area: str = "west") -> str:
    return describe(area=area, at=datetime(2023, 1, 2))


daily = LaunchPlan.create("daily", plain, schedule=CronSchedule(schedule="@daily"))


if __name__ == "__main__":
    print("RESULT", pipeline(area="east", at=datetime(2024, 2, 29)), plain())


CALLS = [("plain", {}), ("plain", {"area": "south"})]
