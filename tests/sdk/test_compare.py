"""Tests of `compare.py`: pairs that must come out equal, and mutations that must be found.

    python -m unittest discover -s tests/sdk

All pairs are compared in one go, because starting the two SDKs takes most of the time.
"""

from __future__ import annotations

import dataclasses
import tempfile
import unittest
from pathlib import Path
from typing import Any

import compare

FLYTE1_HEAD = "from flytekit import ImageSpec, Resources, task, workflow\n"
FLYTE2_HEAD = "from pathlib import Path\n\nimport flyte\nfrom flyte import Image, TaskEnvironment\n"


@dataclasses.dataclass
class Pair:
    """Two texts of one module; `expected` is a part of the difference, None if there is none."""

    before: str
    after: str
    expected: str | None = None
    files: dict[str, str] = dataclasses.field(default_factory=dict)
    options: dict[str, Any] = dataclasses.field(default_factory=dict)


def flyte1(image: str, task: str = "", body: str = "pass", extra: str = "") -> str:
    """A module with one image and one task."""
    separator = ", " if task else ""
    return (
        f"{FLYTE1_HEAD}{extra}\nimage = {image}\n\n"
        f"@task(container_image=image{separator}{task})\ndef train() -> None:\n    {body}\n"
    )


def flyte2(image: str, task: str = "", environment: str = "", body: str = "pass", extra: str = "") -> str:
    """The same on Flyte 2."""
    return (
        f"{FLYTE2_HEAD}{extra}\nimage = {image}\n"
        f'env = TaskEnvironment(name="train", image=image{environment and ", "}{environment})\n\n'
        f"@env.task({task})\ndef train() -> None:\n    {body}\n"
    )


FULL1 = flyte1(
    """ImageSpec(
    name="My-Image", registry="ghcr.io/MyOrg", python_version="3.11.4",
    packages=["Pandas==2.2", "numpy", "flytekit", "flytekitplugins-spark==1.10", "x @ git+https://example.com/x.git"],
    apt_packages=["curl", "git"], env={"A": "1", "B": 2}, commands=["cd opt", "make", "pip list"],
    pip_index="https://a.example", pip_extra_index_url=["https://b.example"],
)""",
    'requests=Resources(cpu="1", mem="1Gi"), limits=Resources(cpu="2000m", gpu="1"), retries=3, timeout=60,'
    ' interruptible=True, cache=True, cache_version="7", cache_serialize=True, environment={"C": "3"},'
    " enable_deck=True",
)
INDEX = 'index_url="https://a.example", extra_index_urls=["https://b.example"]'
FULL2 = flyte2(
    f"""(
    Image.from_debian_base(name="my-image", registry="ghcr.io/myorg", python_version=(3, 11))
    .with_apt_packages("curl", "git")
    .with_env_vars({{"A": "1", "B": "2"}})
    .with_pip_packages("numpy", "pandas==2.2", "flyteplugins-spark", {INDEX})
    .with_pip_packages("x @ git+https://example.com/x.git", "pip", {INDEX})
    .with_commands(["cd / && cd opt && make && pip list"])
)""",
    'retries=3, timeout=60, interruptible=True, report=True, cache=flyte.Cache(behavior="override",'
    ' version_override="7", serialize=True)',
    'resources=flyte.Resources(cpu=("1", "2"), memory="1Gi", gpu=1), env_vars={"C": "3"}',
)

FOREIGN1 = flyte1('ImageSpec(base_image="docker.io/a/b:1", packages=["numpy"], copy=["data.txt"])')
FOREIGN2 = flyte2(
    """(
    Image.from_base("docker.io/a/b:1").clone(name="image", extendable=True)
    .with_env_vars({"PYTHONPATH": "/root"})
    .with_pip_packages("flyte", "numpy")
    .with_commands(["id -u flyte >/dev/null 2>&1 || useradd --create-home --shell /bin/bash flyte"])
    .with_source_file(Path("data.txt"), dst="/root/data.txt")
    .with_workdir("/root")
)"""
)

NESTED1 = flyte1(
    'ImageSpec(name="child", base_image=base, packages=["torch"])',
    extra='base = ImageSpec(name="base", registry="r.io/x", packages=["numpy"], commands=["ls"], pip_index="https://a")\n',
)
NESTED2 = flyte2(
    'base.clone(name="child", extendable=True).with_pip_packages("torch", index_url="https://a")',
    extra=(
        'base = (Image.from_debian_base(name="base", registry="r.io/x")'
        '.with_pip_packages("numpy", index_url="https://a").with_commands(["ls"]))\n'
    ),
)

BROUGHT1 = flyte1(
    'ImageSpec(base_image=base, apt_packages=["curl"], packages=["requests"], pip_extra_index_url=["https://a"])',
    extra='base = ImageSpec(commands=["ls"])\n',
    body="import requests",
)
BROUGHT2 = flyte2(
    'base.clone(extendable=True).with_apt_packages("curl").with_pip_packages("requests", extra_index_urls=["https://a"])',
    extra='base = Image.from_debian_base().with_pip_packages("requests").with_commands(["ls"])\n',
    body="import requests",
)

CONDA1 = flyte1(
    'ImageSpec(python_version="3.11", conda_packages=["gdal=3.8"], conda_channels=["nvidia"], packages=["pandas>=2"])'
)
CONDA2 = flyte2(
    'Image.from_debian_base(python_version=(3, 11), platform=("linux/amd64",))'
    '.with_pixi_project(Path(__file__).parent / "pixi.toml")'
)
PIXI = """\
[workspace]
channels = ["conda-forge", "nvidia"]
platforms = ["linux-64"]

[dependencies]
python = "3.11.*"
gdal = "3.8.*"

[pypi-dependencies]
flyte = "*"
pandas = ">=2"
"""

FILES = {"requirements.txt": "requests==2.0\n", "data.txt": "1\n"}
DEBIAN = "Image.from_debian_base()"
REQUIREMENTS1 = flyte1('ImageSpec(requirements="requirements.txt")', body="import requests")
REQUIREMENTS2 = flyte2(f'{DEBIAN}.with_requirements(Path("requirements.txt"))', body="import requests")

PLAIN1 = (
    f"{FLYTE1_HEAD}\n@task\ndef train() -> None:\n    pass\n\n@workflow\ndef main() -> None:\n    train()\n"
)
PLAIN2 = (
    f'{FLYTE2_HEAD}\nenv = TaskEnvironment(name="train")\n\n@env.task\ndef train() -> None:\n    pass\n\n'
    "@env.task\ndef main() -> None:\n    train()\n"
)
PLUGIN1 = flyte1(
    "ImageSpec()", "task_config=Spark(conf={})", extra="from flytekitplugins.spark import Spark\n"
)
PLUGIN2 = flyte2(
    DEBIAN, environment="plugin_config=Spark(conf={})", extra="from flyteplugins.spark import Spark\n"
)
MIXED = f"{PLAIN1}\n{FLYTE2_HEAD}" + FULL2.split(FLYTE2_HEAD)[1].replace("def train", "def other")


def mutated(text: str, old: str, new: str) -> str:
    """The text with one thing changed, which must be there."""
    if old not in text:
        raise AssertionError(f"{old!r} is not in the text")
    return text.replace(old, new)


PLAN1 = """from datetime import datetime
from flytekit import CronSchedule, LaunchPlan, workflow

@workflow
def main(region: str, when: datetime) -> str:
    return region

LaunchPlan.get_or_create(
    main, "nightly", default_inputs={"region": "eu"},
    schedule=CronSchedule(schedule="0 2 * * *", kickoff_time_input_arg="when"),
)
"""
PLAN2 = """from datetime import datetime
import flyte

env = flyte.TaskEnvironment(name="main")
nightly = flyte.Trigger(
    name="nightly", automation=flyte.Cron("0 2 * * *"),
    inputs={"region": "eu", "when": flyte.TriggerTime}, auto_activate=False
)

@env.task(triggers=(nightly,))
def main(region: str, when: datetime) -> str:
    return region
"""


EQUAL = {
    "a launch plan that became a trigger": Pair(PLAN1, PLAN2),
    "every field of a debian image": Pair(FULL1, FULL2),
    "a foreign base with a copy": Pair(FOREIGN1, FOREIGN2, files=FILES),
    "a spec based on a spec": Pair(NESTED1, NESTED2),
    "a package that flytekit brought and another image lists": Pair(BROUGHT1, BROUGHT2),
    "packages from conda in a manifest": Pair(CONDA1, CONDA2, files={"pixi.toml": PIXI}),
    "a requirements file": Pair(REQUIREMENTS1, REQUIREMENTS2, files=FILES),
    "no image, and a workflow": Pair(PLAIN1, PLAIN2),
    "an unchanged module": Pair(FULL1, FULL1),
    "a flyte 1 base image": Pair(
        flyte1('"ghcr.io/flyteorg/flytekit:py3.12-1.10.2"'),
        flyte2("Image.from_debian_base(python_version=(3, 12))"),
    ),
    "a string image": Pair(flyte1('"ghcr.io/a/b:c"'), flyte2('"ghcr.io/a/b:c"')),
    "an image of the configuration": Pair(
        flyte1('"{{.image.x.fqn}}:{{.image.x.version}}"'), flyte2('Image.from_ref_name("x")')
    ),
    "a package that only flytekit brought": Pair(
        flyte1("ImageSpec()", body="import dateutil"),
        flyte2(f'{DEBIAN}.with_pip_packages("python-dateutil")', body="import dateutil"),
    ),
    "options among the packages": Pair(
        flyte1('ImageSpec(packages=["--pre", "--extra-index-url https://b", "numpy"])'),
        flyte2(f'{DEBIAN}.with_pip_packages("numpy", extra_index_urls=["https://b"])'),
    ),
    "a platform": Pair(
        flyte1('ImageSpec(platform="linux/amd64")'),
        flyte2('Image.from_debian_base(platform=("linux/amd64",))'),
    ),
    "a missing third-party package": Pair(
        flyte1(
            "ImageSpec()",
            extra="import nosuch.part as n\nfrom nosuch import deco\nclass A(n.B): pass\nX = n.f(1) + 2\n",
        ),
        flyte2(
            DEBIAN,
            extra="import nosuch.part as n\nfrom nosuch import deco\nclass A(n.B): pass\nX = n.f(1) + 2\n",
        ),
    ),
    "a builder that is not there": Pair(
        flyte1('ImageSpec(builder="union", packages=["a"])'), flyte2(f'{DEBIAN}.with_pip_packages("a")')
    ),
    "a plugin that is not installed": Pair(PLUGIN1, PLUGIN2),
    "the order of the source": Pair(
        flyte1('ImageSpec(packages=["numpy"], apt_packages=["curl"])'),
        flyte2(f'{DEBIAN}.with_pip_packages("numpy").with_apt_packages("curl")'),
        options={"layer_order": "source"},
    ),
    "folders that share a module's name": Pair(
        "import a.run, b.run\n",
        "import a.run, b.run\n",
        files={
            "a/images.py": 'NAME = "x"\n',
            "b/images.py": 'NAME = "y"\n',
            "a/run.py": "from flytekit import task\n\n@task\ndef f() -> None:\n    pass\n",
            "b/run.py": "from flytekit import task\n\n@task\ndef f() -> None:\n    pass\n",
        },
    ),
}

DIFFERENT = {
    "a dropped package": Pair(FULL1, mutated(FULL2, '"numpy", ', ""), "numpy was dropped"),
    "another pin": Pair(FULL1, mutated(FULL2, "pandas==2.2", "pandas==2.3"), "pandas==2.2 was dropped"),
    "an added package": Pair(FULL1, mutated(FULL2, '"numpy"', '"numpy", "scipy"'), "scipy was added"),
    "a plugin that kept its name": Pair(
        FULL1, mutated(FULL2, "flyteplugins-spark", "flytekitplugins-spark"), "flyteplugins-spark was dropped"
    ),
    "a dropped apt package": Pair(FULL1, mutated(FULL2, '"curl", ', ""), "apt packages"),
    "a dropped env": Pair(FULL1, mutated(FULL2, '"A": "1", ', ""), "env:"),
    "a changed env": Pair(FULL1, mutated(FULL2, '"A": "1"', '"A": "2"'), "env:"),
    "an env that is not a string": Pair(FULL1, mutated(FULL2, '"B": "2"', '"B": 2'), "not strings"),
    "another registry": Pair(FULL1, mutated(FULL2, "ghcr.io/myorg", "ghcr.io/other"), "registry:"),
    "no registry": Pair(FULL1, mutated(FULL2, 'registry="ghcr.io/myorg", ', ""), "registry:"),
    "another name": Pair(FULL1, mutated(FULL2, "my-image", "image"), "name:"),
    "another python": Pair(FULL1, mutated(FULL2, "(3, 11)", "(3, 12)"), "python:"),
    "split commands": Pair(FULL1, mutated(FULL2, "cd opt && make", 'cd opt", "make'), "no longer acts"),
    "a lost command": Pair(FULL1, mutated(FULL2, " && make", ""), "commands:"),
    "no index on one layer": Pair(FULL1, mutated(FULL2, f'"pip", {INDEX}', '"pip"'), "index options"),
    "a lost extra index": Pair(
        FULL1, FULL2.replace(', extra_index_urls=["https://b.example"]', ""), "index options"
    ),
    "no pip for a command": Pair(FULL1, mutated(FULL2, '"pip", ', ""), "runs pip"),
    "apt below pip": Pair(
        flyte1('ImageSpec(packages=["numpy"], apt_packages=["curl"])'),
        flyte2(f'{DEBIAN}.with_pip_packages("numpy").with_apt_packages("curl")'),
        "order of layers",
    ),
    "git below the package that needs it": Pair(
        flyte1('ImageSpec(packages=["x @ git+https://e.com/x"], apt_packages=["git"])'),
        flyte2(f'{DEBIAN}.with_pip_packages("x @ git+https://e.com/x").with_apt_packages("git")'),
        "need git",
        options={"layer_order": "source"},
    ),
    "an option left among the packages": Pair(
        flyte1('ImageSpec(packages=["--pre", "numpy"])'),
        flyte2(f'{DEBIAN}.with_pip_packages("--pre", "numpy")'),
        "is an option",
    ),
    "another base image": Pair(FOREIGN1, mutated(FOREIGN2, "a/b:1", "a/b:2"), "base image", FILES),
    "no flyte on a foreign base": Pair(FOREIGN1, mutated(FOREIGN2, '"flyte", ', ""), "lacks flyte", FILES),
    "a base image lost": Pair(
        FOREIGN1, flyte2(f'{DEBIAN}.with_pip_packages("numpy")'), "image: foreign", FILES
    ),
    "a lost copy": Pair(
        FOREIGN1,
        mutated(FOREIGN2, '.with_source_file(Path("data.txt"), dst="/root/data.txt")', ""),
        "copies",
        FILES,
    ),
    "no workdir after a copy": Pair(
        FOREIGN1, mutated(FOREIGN2, '.with_workdir("/root")', ""), "workdir", FILES
    ),
    "a lost layer of the base spec": Pair(
        NESTED1, mutated(NESTED2, '.with_commands(["ls"])', ""), "commands:"
    ),
    "no index on the base's layer": Pair(
        NESTED1, mutated(NESTED2, '"numpy", index_url="https://a"', '"numpy"'), "index options"
    ),
    "no index for a package that flytekit brought to the base": Pair(
        BROUGHT1, mutated(BROUGHT2, ', extra_index_urls=["https://a"]', ""), "index options"
    ),
    "a listed package in the base only": Pair(
        BROUGHT1,
        mutated(BROUGHT2, '.with_pip_packages("requests", extra_index_urls=["https://a"])', ""),
        "index options",
    ),
    "a listed package above the packages of apt": Pair(
        BROUGHT1,
        mutated(
            BROUGHT2,
            '.with_apt_packages("curl").with_pip_packages("requests", extra_index_urls=["https://a"])',
            '.with_pip_packages("requests", extra_index_urls=["https://a"]).with_apt_packages("curl")',
        ),
        "order of layers",
    ),
    "another requirements file": Pair(
        REQUIREMENTS1, mutated(REQUIREMENTS2, "requirements.txt", "data.txt"), "requirements:", FILES
    ),
    "a platform that was asked for": Pair(
        flyte1('ImageSpec(platform="linux/amd64")'), flyte2(DEBIAN), "platform"
    ),
    "a field without counterpart": Pair(
        flyte1('ImageSpec(entrypoint=["x"])'), flyte2(DEBIAN), "entrypoint"
    ),
    "packages from conda that are gone": Pair(CONDA1, flyte2(DEBIAN), "layers of conda"),
    "another version from conda": Pair(CONDA1, CONDA2, "conda packages", {"pixi.toml": mutated(PIXI, "3.8", "3.9")}),
    "another channel": Pair(CONDA1, CONDA2, "conda channels", {"pixi.toml": mutated(PIXI, ', "nvidia"', "")}),
    "a manifest for another platform": Pair(
        CONDA1, CONDA2, "platforms of pixi", {"pixi.toml": mutated(PIXI, "linux-64", "linux-aarch64")}
    ),
    "a manifest without flyte": Pair(
        CONDA1, CONDA2, "lacks flyte", {"pixi.toml": mutated(PIXI, 'flyte = "*"\n', "")}
    ),
    "a manifest in a form that flyte does not write": Pair(
        CONDA1, CONDA2, "flyte writes", {"pixi.toml": mutated(PIXI, '">=2"', '{ version = ">=2" }')}
    ),
    "an import that only flytekit served": Pair(
        flyte1("ImageSpec()", body="import dateutil"),
        flyte2(DEBIAN, body="import dateutil"),
        "lacks python-dateutil",
    ),
    "an import in a module beside the script": Pair(
        flyte1("ImageSpec()", extra="import beside\n"),
        flyte2(DEBIAN, extra="import beside\n"),
        "lacks six",
        {"beside.py": "import six\n"},
    ),
    "another plugin": Pair(
        PLUGIN1, mutated(PLUGIN2, "import Spark", "import Other as Spark"), "plugin: 'Spark' became 'Other'"
    ),
    "flytekit still imported": Pair(
        flyte1("ImageSpec()"), flyte2(DEBIAN, extra="import flytekit\n"), "lacks flytekit"
    ),
    "a spec given to flyte": Pair(FULL1, mutated(FULL1, "image = ImageSpec", "image = str"), "main.py: "),
    "a converted image on a flytekit task": Pair(
        flyte1("ImageSpec()"), flyte1("Image.from_debian_base()", extra="from flyte import Image\n"), "image:"
    ),
    "an image that is new": Pair(
        PLAIN1,
        mutated(PLAIN2, 'name="train"', f'name="train", image={DEBIAN}.with_apt_packages("x")').replace(
            "Image.from", "flyte.Image.from"
        ),
        "apt packages",
    ),
    "a lost task": Pair(PLAIN1, mutated(PLAIN2, "@env.task\ndef train", "def train"), "the task is gone"),
    "a lost workflow": Pair(
        PLAIN1, mutated(PLAIN2, "@env.task\ndef main", "def main"), "the workflow is gone"
    ),
    "a new task": Pair(PLAIN1, PLAIN2 + "\n@env.task\ndef other() -> None:\n    pass\n", "the task is new"),
    "a new task beside flytekit's": Pair(PLAIN1, MIXED, "the task is new"),
    "a module that no longer loads": Pair(
        FULL1, mutated(FULL2, "import Image,", "import NoSuchName, Image,"), "NoSuchName"
    ),
    "a module that no longer parses": Pair(FULL1, FULL2 + "def (\n", "SyntaxError"),
    "a lost limit": Pair(FULL1, mutated(FULL2, 'cpu=("1", "2")', 'cpu="1"'), "resources"),
    "a lost gpu": Pair(FULL1, mutated(FULL2, ", gpu=1", ""), "resources"),
    "other retries": Pair(FULL1, mutated(FULL2, "retries=3", "retries=2"), "retries"),
    "another timeout": Pair(FULL1, mutated(FULL2, "timeout=60", "timeout=61"), "timeout"),
    "no longer interruptible": Pair(FULL1, mutated(FULL2, "interruptible=True, ", ""), "interruptible"),
    "another cache version": Pair(FULL1, mutated(FULL2, '"7"', '"8"'), "cache"),
    "a cache no longer serialized": Pair(FULL1, mutated(FULL2, ", serialize=True", ""), "cache"),
    "lost environment variables": Pair(FULL1, mutated(FULL2, ', env_vars={"C": "3"}', ""), "env_vars"),
    "a trigger of another hour": Pair(PLAN1, PLAN2.replace("0 2 * * *", "0 3 * * *"), "triggers"),
    "a trigger that begins at once": Pair(PLAN1, PLAN2.replace("auto_activate=False", ""), "triggers"),
    "a launch plan that is gone": Pair(PLAN1, PLAN2.replace("triggers=(nightly,)", ""), "triggers"),
    "a lost report": Pair(FULL1, mutated(FULL2, ", report=True", ""), "report"),
}


def write_pair(root: Path, name: str, pair: Pair) -> dict[str, Any]:
    """Writes both trees of a pair."""
    folder = root / name.replace(" ", "_")
    for side, text in (("flyte1", pair.before), ("flyte2", pair.after)):
        for path, content in {**pair.files, "main.py": text}.items():
            file = folder / side / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
    return {"name": name, "flyte1": str(folder / "flyte1"), "flyte2": str(folder / "flyte2"), **pair.options}


class Comparing(unittest.TestCase):
    """Compares all pairs once."""

    found: dict[str, list[str]]
    report: dict[str, Any]

    @classmethod
    def setUpClass(cls) -> None:
        with tempfile.TemporaryDirectory() as root:
            pairs = [write_pair(Path(root), name, pair) for name, pair in {**EQUAL, **DIFFERENT}.items()]
            cls.report = compare.compare_all(pairs)
        cls.found = {pair["name"]: [] for pair in pairs}
        for entry in cls.report["tasks"]:
            cls.found[entry["pair"]] += entry["differences"]

    def test_equal_pairs_have_no_difference(self) -> None:
        for name in EQUAL:
            with self.subTest(name):
                self.assertEqual(self.found[name], [])

    def test_equal_pairs_are_proven(self) -> None:
        self.assertEqual(self.report["unproven"], [])
        proven = {entry["pair"] for entry in self.report["tasks"] if entry["task"]}
        self.assertEqual(set(EQUAL) - proven, set())

    def test_mutations_are_found(self) -> None:
        for name, pair in DIFFERENT.items():
            with self.subTest(name):
                self.assertTrue(any(pair.expected in text for text in self.found[name]), self.found[name])

    def test_an_added_package_is_reported(self) -> None:
        notes = [
            entry["notes"]
            for entry in self.report["tasks"]
            if entry["pair"] == "a package that only flytekit brought"
        ]
        self.assertEqual(notes, [["python-dateutil was added: only flytekit brought it"]])


class Parts(unittest.TestCase):
    """Small functions on their own."""

    def test_a_quantity_has_one_spelling(self) -> None:
        self.assertEqual({compare.quantity(value) for value in ("1000m", "1", 1, 1.0)}, {"1"})
        self.assertEqual(compare.quantity("1Ki"), "1024")

    def test_a_repository_is_named_by_its_last_part(self) -> None:
        self.assertTrue(compare.is_flyte1_package("git+https://github.com/flyteorg/flytekit.git@abc"))
        self.assertFalse(
            compare.is_flyte1_package("git+https://github.com/flyteorg/flytekit#subdirectory=plugins/x")
        )
        self.assertTrue(compare.is_flyte1_package("flytekit[extra]>=1.10"))

    def test_a_change_of_the_shell_is_seen_in_any_part(self) -> None:
        self.assertEqual(compare.state_change("ls && export A=1"), "export A=1")
        self.assertIsNone(compare.state_change("(cd x && make)"))
        self.assertIsNone(compare.state_change("echo export"))

    def test_src_is_not_part_of_a_module_name(self) -> None:
        self.assertEqual(compare.dotted_name("src/a/__init__.py"), "a")
        self.assertEqual(compare.dotted_name("a/b.py"), "a.b")


if __name__ == "__main__":
    unittest.main()
