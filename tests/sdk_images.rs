//! Compares the images that the tool reads with those that the SDK holds for the same code: `uri` and layer by layer.
//!
//! `sdk/images.py` loads the code under flyte 2.12.1 and prints its images; the tool never runs it.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

#[path = "sdk/chains.rs"]
mod chains;
#[path = "sdk/environment.rs"]
mod environment;
#[path = "sdk/faults.rs"]
mod faults;
#[path = "sdk/fixtures.rs"]
mod fixtures;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chains::{Project, Random};
use environment::{python, repository, run, target};
use faults::{FAULTS, Judge};
use fixtures::migrated_fixtures;
use flyte_migrate::flyte2::environment_check::PARAMETERS;
use flyte_migrate::flyte2::signature::{CONSTRUCTORS, DEVELOPER_METHODS, Kind, METHODS};
use flyte_migrate::image::document::Document;
use rayon::prelude::*;
use serde_json::{Value, json};

/// What the SDK holds for the code below a folder.
fn sdk_images(roots: &[Value]) -> Vec<Value> {
    let scratch = tempfile::tempdir().unwrap();
    let list = scratch.path().join("roots.json");
    fs::write(&list, serde_json::to_vec(roots).unwrap()).unwrap();
    let output = run(Command::new(python()).arg(repository("tests/sdk/images.py")).arg(&list), "images.py");
    let text = String::from_utf8(output.stdout).unwrap();
    let found: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(found.len(), roots.len());
    found
}

/// The version of the Python that runs the SDK.
fn python_version() -> String {
    let code = "import sys; print('%d.%d' % sys.version_info[:2])";
    let output = run(Command::new(python()).args(["-c", code]), "asking for the version of Python");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// What the tool reads in the code below a folder.
fn tool_images(root: &Path, registry: Option<&str>, arguments: &[String]) -> Value {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_flyte-migrate"));
    tool.args(["image", "show", "--output-format", "json", "--project", ".", "--no-ignore"]).args(arguments);
    tool.args(["--python-version", &python_version()]).current_dir(root).env_clear();
    tool.envs(registry.map(|registry| ("FLYTE_IMAGE_REGISTRY", registry)));
    let output = tool.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{}: {error}: {said}", root.display()))
}

/// An image of the tool in the form in which `images.py` prints it.
fn comparable(entry: &Value) -> Value {
    let mut entry = entry.clone();
    for name in ["filename", "variable", "location", "unknown", "problems", "tasks", "tag"] {
        entry.as_object_mut().unwrap().remove(name);
    }
    simplify(&mut entry);
    entry
}

/// A plain string has no fields of its own, and how `mount` is written is told by the `uri` alone.
fn simplify(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("is_mount_plain");
            fields.remove("pre_text");
            if fields.get("is_plain") == Some(&Value::Bool(true)) {
                fields.retain(|name, _| ["key", "is_plain"].contains(&name.as_str()));
            }
            fields.values_mut().for_each(simplify);
        }
        Value::Array(items) => items.iter_mut().for_each(simplify),
        _ => {}
    }
}

/// How the images of some code compare.
#[derive(Debug, Default)]
struct Comparison {
    /// Images that are known without running the code.
    known: usize,
    /// Images with an expression that is not known.
    unknown: usize,
    /// Images of which the SDK has no uri, as the tool says too.
    refused: usize,
    /// Images that the SDK holds and the tool did not find, and those that differ.
    differences: Vec<String>,
}

impl Comparison {
    fn add(&mut self, other: Self) {
        self.known += other.known;
        self.unknown += other.unknown;
        self.refused += other.refused;
        self.differences.extend(other.differences);
    }
}

/// Compares the images of variables, and those of tasks.
fn compare(root: &Path, tool: &Value, sdk: &Value) -> Comparison {
    let mut comparison = Comparison::default();
    let entries = tool["images"].as_array().unwrap();
    // Where it is not certain which, there are several.
    let mut by_variable: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    let mut by_task: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for entry in entries {
        let text = |name: &str| entry[name].as_str();
        if let (Some(file), Some(variable)) = (text("filename"), text("variable")) {
            by_variable.entry(format!("{file}::{variable}")).or_default().push(entry);
        }
        for task in entry["tasks"].as_array().unwrap() {
            by_task.entry(task.as_str().unwrap().to_owned()).or_default().push(entry);
        }
    }
    for (kind, found) in [("images", &by_variable), ("tasks", &by_task)] {
        for (name, expected) in sdk[kind].as_object().unwrap() {
            let place = format!("{}: {name}", root.display());
            // The name of an environment that is not followed is not known.
            let function = || found.get(name.rsplit_once('.')?.1).filter(|_| kind == "tasks");
            match found.get(name).or_else(function) {
                // A name that is imported, or another name for an image, is no image of its own.
                None if kind == "images" => {}
                None => comparison.differences.push(format!("{place}: not found")),
                Some(entries) => {
                    let mut expected = expected.clone();
                    let error = expected.as_object_mut().unwrap().remove("error").unwrap();
                    expected.as_object_mut().unwrap().remove("invalid");
                    let is_known = |entry: &&&Value| entry["unknown"].as_array().unwrap().is_empty();
                    if entries.iter().any(|entry| comparable(entry) == expected) {
                        *(if error.is_null() { &mut comparison.known } else { &mut comparison.refused }) += 1;
                    } else if let Some(entry) = entries.iter().find(is_known) {
                        let own = comparable(entry);
                        comparison
                            .differences
                            .push(format!("{place}: {error}\n  tool {own}\n  sdk  {expected}"));
                    } else {
                        comparison.unknown += 1;
                    }
                }
            }
        }
    }
    comparison
}

#[test]
fn constructors_and_methods_are_those_of_the_sdk() {
    let mut script = Command::new(python());
    let output = run(script.arg(repository("tests/sdk/images.py")).arg("--signatures"), "images.py");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let own = CONSTRUCTORS.iter().chain(METHODS).map(|signature| {
        let parameters = signature.parameters.iter().map(|parameter| {
            let kind = match parameter.kind {
                Kind::Usual => "POSITIONAL_OR_KEYWORD",
                Kind::Keyword => "KEYWORD_ONLY",
                Kind::Variadic => "VAR_POSITIONAL",
            };
            json!([parameter.name, kind, parameter.is_required || parameter.kind == Kind::Variadic])
        });
        (signature.name.to_owned(), Value::Array(parameters.collect()))
    });
    let own: BTreeMap<String, Value> = own.collect();
    let mut signatures: BTreeMap<String, Value> =
        serde_json::from_value(found["signatures"].clone()).unwrap();
    for name in DEVELOPER_METHODS {
        assert!(signatures.remove(name).is_some(), "{name} is gone");
    }
    assert_eq!(own, signatures);
    assert_eq!(json!(PARAMETERS), found["environment"]);
}

#[test]
fn random_chains_come_out_as_the_sdk_has_them() {
    const ROOTS: usize = 20;
    const IMAGES: usize = 100;
    let scratch = tempfile::tempdir().unwrap();
    let mut random = Random::new(7);
    let roots: Vec<PathBuf> = (0..ROOTS).map(|index| scratch.path().join(format!("p{index}"))).collect();
    let registry = |index: usize| (index % 4 == 3).then_some("configured.io/team");
    for root in &roots {
        Project::write(root, IMAGES, &mut random);
    }
    let list: Vec<Value> = roots
        .iter()
        .enumerate()
        .map(|(index, root)| json!({"root": root, "registry": registry(index)}))
        .collect();
    let mut total = Comparison::default();
    for (index, (root, sdk)) in roots.iter().zip(sdk_images(&list)).enumerate() {
        assert_eq!(sdk["errors"], json!({}), "the generator must make code that the SDK takes");
        let comparison = compare(root, &tool_images(root, registry(index), &[]), &sdk);
        total.add(comparison);
    }
    assert!(
        total.differences.is_empty(),
        "{} differ:\n{}",
        total.differences.len(),
        total.differences[..total.differences.len().min(5)].join("\n")
    );
    // A base in place of the one that a configuration or a Dockerfile names is all that cannot be known.
    assert!(total.unknown < 20, "{total:?}");
    assert!(total.known + total.refused >= 1900, "{total:?}");
    assert!(total.known >= 1500, "{total:?}");
}

/// Images by way of comprehensions and functions; the names of some change while the module runs.
const COMPUTED: [(&str, &str); 2] = [
    (
        "shared.py",
        r#"
import flyte

VERSION = "1"

def common(name, packages=("numpy",), *, base=None):
    """An image of the team."""
    return flyte.Image.from_debian_base(name=name).with_pip_packages(*[f"{p}=={VERSION}" for p in packages])

VERSION = "2"
"#,
    ),
    (
        "images.py",
        r#"
import os

import flyte
import shared
from shared import common

NAMES = ["pandas", "polars"]
PINS = [("a", "1"), ("b", "2")]
SUFFIX = "1"

def local(name):
    return flyte.Image.from_debian_base(name=name + SUFFIX)

def twice(name):
    return local(name + "x").with_apt_packages("git")

def unused(name):
    return flyte.Image.from_debian_base(name=name)

def passed(name):
    return flyte.Image.from_debian_base(name=name)

base = flyte.Image.from_debian_base(name="base")
listed = base.with_pip_packages(*[f"{name}=={SUFFIX}" for name in NAMES if name != "polars"])
paired = base.with_pip_packages(*[f"{n}=={v}" for n, v in PINS])
nested = base.with_apt_packages(*[a + b for a, b in [(x, "c") for x in ("k", "l")]])
variables = base.with_env_vars({name: name + SUFFIX for name in NAMES})
MORE = dict({"a": "0"}, a="1", b="2")
keywords = base.with_env_vars(MORE).with_pip_packages(*[f"{name}=={pin}" for name, pin in MORE.items()])
first = local("one")
second = twice("two")

class Images:
    held = local("held")

SUFFIX = "2"
third = local(name="three").with_pip_packages("x")
fourth = base.with_pip_packages(*[name + SUFFIX for name in NAMES])
fifth = common("five")
sixth = shared.common("six", ["q"])
uncertain = base.with_pip_packages("x", secret_mounts=sorted(["s"]))
unknown = local(os.environ["NOT_THERE"] if "NOT_THERE" in os.environ else "x")
for turn in ("r", "s"):
    looped = local(turn)

many = list(map(passed, ["m"]))
one = passed("n")

env = flyte.TaskEnvironment("env", image=common("seven", packages=["z"]))

def options(name):
    return {"image": flyte.Image.from_debian_base(name=name)}

given = flyte.TaskEnvironment("given", **options("eight"))

@env.task
def work(): ...

@given.task
def work_too(): ...
"#,
    ),
];

#[test]
fn computed_images_come_out_as_the_sdk_has_them() {
    let scratch = tempfile::tempdir().unwrap();
    for (name, code) in COMPUTED {
        fs::write(scratch.path().join(name), code).unwrap();
    }
    let tool = tool_images(scratch.path(), None, &[]);
    let sdk = sdk_images(&[json!({"root": scratch.path(), "registry": null})]).remove(0);
    assert_eq!(sdk["errors"], json!({}));
    let comparison = compare(scratch.path(), &tool, &sdk);
    assert!(comparison.differences.is_empty(), "{}", comparison.differences.join("\n"));
    let entries = tool["images"].as_array().unwrap();
    let unknown: Vec<&Value> = entries
        .iter()
        .filter(|entry| entry["unknown"] != json!([]))
        .map(|entry| &entry["variable"])
        .collect();
    let nameless = json!(null);
    let named = [json!("uncertain"), json!("unknown"), json!("looped")];
    let expected: Vec<&Value> = [&nameless, &nameless].into_iter().chain(&named).chain([&nameless]).collect();
    assert_eq!(unknown, expected, "{tool:#}");
    // What is not known is no fault.
    assert!(entries.iter().all(|entry| entry["problems"] == json!([])), "{tool:#}");
    // The body of a class runs before the name is bound again.
    assert!(entries.iter().any(|entry| entry["name"] == "held1"), "{tool:#}");
    assert_eq!(comparison.known, 15, "{comparison:?}");
}

/// Texts over several lines, in a file with the line endings of Windows.
const LINES: &str = r#"
import flyte

base = flyte.Image.from_debian_base(name="base")
NAME = "x"
plain = base.with_commands(["""echo a \
  b
echo c""", r"""d
e"""])
formatted = base.with_env_vars({"A": f"""{NAME}
y""", "B": ("z" f"{NAME}" """
"""), "C": "x\ry\r\nz"})
mixed = base.with_commands(["""a\r
b"""])
"#;

#[test]
fn lines_of_a_text_end_as_python_reads_them() {
    let scratch = tempfile::tempdir().unwrap();
    fs::write(scratch.path().join("lines.py"), LINES.replace('\n', "\r\n")).unwrap();
    let tool = tool_images(scratch.path(), None, &[]);
    let sdk = sdk_images(&[json!({"root": scratch.path(), "registry": null})]).remove(0);
    assert_eq!(sdk["errors"], json!({}));
    let comparison = compare(scratch.path(), &tool, &sdk);
    assert!(comparison.differences.is_empty(), "{}", comparison.differences.join("\n"));
    assert_eq!(comparison.known, 3, "{comparison:?}");
    let mixed = tool["images"].as_array().unwrap().iter().find(|entry| entry["variable"] == "mixed").unwrap();
    assert_ne!(mixed["unknown"], json!([]));
}

/// Names that are bound again, to what is made of their image and to what may be.
const BOUND_AGAIN: &str = r#"
import copy

import flyte

step = flyte.Image.from_debian_base(name="step")
step = step.with_pip_packages("x")
kept = flyte.Image.from_debian_base(name="kept").with_pip_packages("x")
kept = copy.copy(kept)
between = flyte.Image.from_debian_base(name="between")
between = copy.copy(between)
between = flyte.Image.from_debian_base(name="last")
deleted = flyte.Image.from_debian_base(name="deleted")
del deleted
"#;

#[test]
fn an_image_is_a_step_only_to_another_image() {
    let scratch = tempfile::tempdir().unwrap();
    fs::write(scratch.path().join("again.py"), BOUND_AGAIN).unwrap();
    let tool = tool_images(scratch.path(), None, &[]);
    let mut names: Vec<String> = Vec::new();
    for entry in tool["images"].as_array().unwrap() {
        names.push(format!(
            "{} {}",
            entry["name"].as_str().unwrap(),
            entry["layers"].as_array().unwrap().len()
        ));
    }
    assert_eq!(names, ["step 1", "kept 1", "between 0", "last 0", "deleted 0"], "{tool:#}");
}

/// Whether the images of a case are known, what it is about, and its files.
type Case = (bool, &'static str, Vec<(&'static str, &'static str)>);

/// The cases of `sdk/changed.txt`.
fn changed() -> Vec<Case> {
    let cases = include_str!("sdk/changed.txt").split("#=== ").skip(1);
    let case = |case: &'static str| {
        let (head, files) = case.split_once('\n').unwrap();
        let (kind, name) = head.split_once(' ').unwrap();
        let files = files.split("#--- ").skip(1).map(|file| file.split_once('\n').unwrap());
        (kind == "known", name, files.collect())
    };
    cases.map(case).collect()
}

#[test]
fn what_code_changes_is_not_known() {
    let scratch = tempfile::tempdir().unwrap();
    let cases = changed();
    let roots: Vec<PathBuf> = (0..cases.len()).map(|case| scratch.path().join(case.to_string())).collect();
    for (root, (_, _, files)) in roots.iter().zip(&cases) {
        for (name, text) in files {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), text).unwrap();
        }
    }
    let list: Vec<Value> = roots.iter().map(|root| json!({"root": root, "registry": null})).collect();
    // What is replaced in the SDK stays so for all that the same process loads.
    let is_alone = |case: &Case| case.1.starts_with("replaced");
    let (alone, together): (Vec<usize>, Vec<usize>) =
        (0..cases.len()).partition(|&case| is_alone(&cases[case]));
    let batch: Vec<Value> = together.iter().map(|&case| list[case].clone()).collect();
    let mut loaded: BTreeMap<usize, Value> = together.into_iter().zip(sdk_images(&batch)).collect();
    let load = |case: usize| (case, sdk_images(std::slice::from_ref(&list[case])).remove(0));
    loaded.extend(alone.into_par_iter().map(load).collect::<Vec<_>>());
    let mut wrong: Vec<String> = Vec::new();
    for ((root, (is_known, name, _)), sdk) in roots.iter().zip(cases).zip(loaded.into_values()) {
        let tool = tool_images(root, None, &[]);
        let comparison = compare(root, &tool, &sdk);
        let mut images = tool["images"].as_array().unwrap().iter();
        let is_all_known = images.all(|image| image["unknown"] == json!([]));
        if sdk["errors"] != json!({})
            || !comparison.differences.is_empty()
            || comparison.known + comparison.unknown == 0
            || is_all_known != is_known
        {
            wrong.push(format!("{name}: {}\n{:#?}\n{tool:#}", sdk["errors"], comparison.differences));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Arguments of other types than they should be.
const ODD: &str = r#"
import os
from pathlib import Path

import flyte

base = flyte.Image.from_debian_base(name="base")
apt = base.with_apt_packages("git", os.getenv("NOT_THERE", None))
pip = base.with_pip_packages("a", None)
options = base.with_pip_packages("a", index_url=None, extra_index_urls=None, pre=None, extra_args=None)
urls = base.with_pip_packages("a", extra_index_urls=[None])
command = base.with_commands(None)
workdir = base.with_workdir(None)
file = base.with_source_file(Path("odd.py"), dst=None)
folder = base.with_source_folder(Path("folder"), dst=None)
contents = base.with_source_folder(Path("folder"), dst=None, copy_contents_only=True)
ignore = base.with_dockerignore(None)
number = base.with_env_vars({"A": 4, "B": None, "C": True, "D": 1.5, "E": ["it's", 2, ("x",)]})
key = base.with_env_vars({1: "a", None: "b"})
letters = base.with_uv_project("folder/pyproject.toml", extra_index_urls="http://x")
mode = base.with_uv_project("folder/pyproject.toml", project_install_mode=None)
lock = base.with_uv_project("folder/pyproject.toml", uvlock="folder/uv.lock")
poetry = base.with_poetry_project("folder/pyproject.toml", poetry_lock=None, project_install_mode=None)
pixi = base.with_pixi_project("folder/pyproject.toml", environment=None)
plain = flyte.Image.from_debian_base(install_flyte=None, flyte_version=None, python_version=None)
secret = flyte.Image.from_debian_base(registry_secret="pull")
name = base.clone(name=5, registry=6)
python = flyte.Image.from_debian_base(name="x", python_version="3.12")
parts = flyte.Image.from_debian_base(name="x", python_version=("3", "12"), platform="linux/amd64")
platform = base.clone(platform=("linux/riscv",)).with_apt_packages("git")
nothing = base.clone(name=None, registry=None, base_image=None, extendable=None, platform=None)
reference = flyte.Image.from_ref_name(None)
"#;

#[test]
fn odd_arguments_have_the_uri_of_the_sdk() {
    let scratch = tempfile::tempdir().unwrap();
    fs::create_dir(scratch.path().join("folder")).unwrap();
    fs::write(scratch.path().join("odd.py"), ODD).unwrap();
    for name in ["pyproject.toml", "uv.lock", "poetry.lock"] {
        fs::write(scratch.path().join("folder").join(name), "[project]\nname = \"x\"\nversion = \"1\"\n")
            .unwrap();
    }
    let tool = tool_images(scratch.path(), None, &[]);
    let sdk = sdk_images(&[json!({"root": scratch.path(), "registry": null})]).remove(0);
    assert_eq!(sdk["errors"], json!({}));
    let entries = tool["images"].as_array().unwrap();
    let expected = sdk["images"].as_object().unwrap();
    assert_eq!(entries.len(), expected.len());
    for entry in entries {
        let variable = entry["variable"].as_str().unwrap();
        assert_eq!(entry["uri"], expected[&format!("odd.py::{variable}")]["uri"], "{variable}: {entry:#}");
    }
}

/// Environments whose images are strings, none, and those of other environments.
const ENVIRONMENTS: &str = r#"
import flyte

URI = "ghcr.io/acme/tools:1"
base = flyte.Image.from_debian_base(name="base")
env = flyte.TaskEnvironment("env", image=base)
same = env.clone_with("same", image=None)
other = env.clone_with("other", base.with_apt_packages("git"))
bare = flyte.TaskEnvironment("bare")
auto = flyte.TaskEnvironment("auto", image="auto")
bare_clone = bare.clone_with("bare-clone")
text = flyte.TaskEnvironment("text", image=URI)
text_clone = text.clone_with("text-clone", image=None)
placed = flyte.TaskEnvironment("placed", [], None, None, None, None, None, False, base)
unused = flyte.TaskEnvironment("unused")
imageless = flyte.TaskEnvironment("imageless", image=None)

@env.task
def a(): ...

@same.task
def b(): ...

@other.task
def c(): ...

@bare.task
def d(): ...

@auto.task
def e(): ...

@bare_clone.task
def f(): ...

@text.task
def g(): ...

@text_clone.task
def h(): ...

@placed.task
def i(): ...

@imageless.task
def j(): ...

first = flyte.Image.from_debian_base(name="first")
second = first.clone(name="second")
BY_NAME = {"first": first, "second": second}
IN_ORDER = [first, second]
by_name = flyte.TaskEnvironment("by_name", image=BY_NAME["second"])
in_order = flyte.TaskEnvironment("in_order", image=IN_ORDER[-2])

@by_name.task
def k(): ...

@in_order.task
def l(): ...

looked_up = getattr(base, "with_apt_packages")("git")
held = (lambda image=base.with_pip_packages("x"): image)()
"#;

#[test]
fn tasks_of_every_environment_have_the_image_of_the_sdk() {
    let scratch = tempfile::tempdir().unwrap();
    fs::write(scratch.path().join("environments.py"), ENVIRONMENTS).unwrap();
    let tool = tool_images(scratch.path(), None, &[]);
    let sdk = sdk_images(&[json!({"root": scratch.path(), "registry": null})]).remove(0);
    assert_eq!(sdk["errors"], json!({}));
    let comparison = compare(scratch.path(), &tool, &sdk);
    assert_eq!(comparison.differences, [""; 0]);
    assert_eq!((comparison.known, comparison.unknown), (14, 1), "{comparison:?}");
    let entries = tool["images"].as_array().unwrap();
    let tasks: Vec<&str> = entries
        .iter()
        .flat_map(|entry| entry["tasks"].as_array().unwrap())
        .map(|task| task.as_str().unwrap())
        .collect();
    assert_eq!(tasks.len(), 12, "{tasks:?}");
    // What is looked up by its name is not followed, but named; a default is an image as any other.
    assert!(entries.iter().any(|entry| entry["unknown"] == json!(["getattr(base, \"with_apt_packages\")"])));
    assert!(
        entries.iter().any(|entry| entry["variable"].is_null() && entry["layers"][0]["packages"][0] == "x")
    );
}

/// Values of `pre` of which the SDK hashes the text.
const PRE: &str = r#"
import flyte

base = flyte.Image.from_debian_base(name="base")
yes = base.with_pip_packages("x", pre=True)
no = base.with_pip_packages("x", pre=0).with_pip_packages("y", pre="")
text = base.with_pip_packages("x", pre="0")
number = base.with_requirements("requirements.txt", pre=1)
other = base.with_pip_packages("x", pre=object())
"#;

#[test]
fn what_stands_for_pre_is_in_the_uri() {
    let scratch = tempfile::tempdir().unwrap();
    fs::write(scratch.path().join("pre.py"), PRE).unwrap();
    fs::write(scratch.path().join("requirements.txt"), "pandas\n").unwrap();
    let tool = tool_images(scratch.path(), None, &[]);
    let sdk = sdk_images(&[json!({"root": scratch.path(), "registry": null})]).remove(0);
    assert_eq!(sdk["errors"], json!({}));
    let comparison = compare(scratch.path(), &tool, &sdk);
    assert!(comparison.differences.is_empty(), "{}", comparison.differences.join("\n"));
    let entries = tool["images"].as_array().unwrap();
    let unknown: Vec<&Value> = entries.iter().map(|entry| &entry["unknown"][0]).collect();
    let expected = [json!(null), json!(null), json!(null), json!(null), json!(null), json!("object()")];
    assert_eq!(unknown, expected.iter().collect::<Vec<_>>(), "{tool:#}");
}

/// Images and tasks in places that take some following, and in others that cannot be followed.
const HIDDEN: &str = r#"
import functools

import flyte

base = flyte.Image.from_debian_base(name="base")

class Envs:
    """All environments."""
    IMAGE = base.with_pip_packages("c")
    train = flyte.TaskEnvironment("train", image=IMAGE)
    other = flyte.TaskEnvironment("other", image=base.with_pip_packages("o"))

@Envs.train.task
def in_class(): ...

@Envs.other.task
def in_class_too(): ...

def steps(name):
    """An image in two steps."""
    full = f"{name}-full"
    image: flyte.Image = base.with_pip_packages(full)
    image = image.with_apt_packages("git")
    return image

stepped = steps("s")
env = flyte.TaskEnvironment("env", image=steps("inline"))
again = flyte.TaskEnvironment("again", image=Envs.IMAGE)

@env.task
def in_steps(): ...

@again.task
def in_class_again(): ...

def handed_over(): ...

task = again.task
made_by_call = env.task(handed_over)

@task
def by_another_name(): ...

DEBUG = False
chained = twin = base.with_pip_packages("t")
left, right = base.with_pip_packages("l"), base.with_pip_packages("r")
chosen = base.with_pip_packages("y") if DEBUG else base.with_pip_packages("n")
kept = base.with_pip_packages("k") if DEBUG else base
(walrus := base.with_pip_packages("w"))
Make = flyte.Image
make = flyte.Image.from_debian_base
make_too = Make.from_base
aliased = Make.from_debian_base(name="aliased")
called = make(name="called", flyte_version="2.0.0+local")
above = flyte.Image.from_base(stepped.uri).clone(name=stepped.name + "-above", extendable=True)
of_class = Envs.IMAGE.with_apt_packages("x")

def choosing(name):
    if name:
        return base.with_pip_packages(name)
    return base

choice = choosing("a")
padded = base.with_pip_packages(f"x{DEBUG:>10}", "y")
every = base.with_pip_packages(*["a", "b"][::2])
short = lambda name: base.with_pip_packages(name)
by_lambda = short("a")
by_partial = functools.partial(base.with_pip_packages, "a")()

def factory(name):
    def make():
        return base.with_pip_packages(name)
    return make

class Factory:
    def make(self):
        return base.with_pip_packages("a")

by_factory = factory("a")()
by_method = Factory().make()
images = {}
for name in ("a", "b"):
    images[name] = base.with_pip_packages(name)
more = images["a"].with_apt_packages("x")
add = base.with_pip_packages
later = functools.partial(flyte.Image.from_debian_base, name="p")
environments = {"e": flyte.TaskEnvironment("e", image=images["a"])}

@environments["e"].task
def in_dict(): ...

def environment(name):
    return flyte.TaskEnvironment(name, image=base)

made = environment("made")

@made.task
def in_made(): ...

COMMON = {"image": base}
spread = flyte.TaskEnvironment("spread", **COMMON)
cloned = spread.clone_with("cloned", **COMMON)

@spread.task
def in_spread(): ...

@cloned.task
def in_cloned(): ...
"#;

/// Calls that are named as those of images are, and are none; and a file that takes tasks from another.
const OTHERS: [(&str, &str); 2] = [
    (
        "others.py",
        r#"
import dagger
import flyte
from celery import Celery
from flytekit import ImageSpec

class Builder:
    image = flyte.Image.from_debian_base(python_version=(3, 12), name="held")

    def with_commands(self, commands):
        return self

app = Celery()
container = dagger.dag.container().with_workdir("/x")
more = container.with_commands([])
builder = Builder()
built = builder.with_commands(["a"]).with_workdir("/")
if app:
    spec = ImageSpec(name="x", conda_packages=["y"]).with_apt_packages(["git"])
read = Builder().image.with_apt_packages("git")

@app.task
def of_celery(): ...

def environment(name):
    return flyte.TaskEnvironment(name, image=builder)
"#,
    ),
    ("uses.py", "from others import environment\n\n@environment(\"a\").task\ndef taken(): ...\n"),
];

#[test]
fn what_is_of_others_is_not_named() {
    let scratch = tempfile::tempdir().unwrap();
    for (name, code) in OTHERS {
        fs::write(scratch.path().join(name), code).unwrap();
    }
    let tool = tool_images(scratch.path(), None, &[]);
    let seen = tool["images"].as_array().unwrap().iter().map(|entry| {
        let unknown = entry["unknown"].as_array().unwrap().first().and_then(|text| text.as_str());
        (unknown, entry["tasks"].to_string())
    });
    let expected = [
        (None, "[]"),
        (Some("Builder().image.with_apt_packages(\"git\")"), "[]"),
        (Some("builder"), "[]"),
        (Some("environment(\"a\").task"), "[\"taken\"]"),
    ];
    assert_eq!(seen.collect::<Vec<_>>(), expected.map(|(unknown, tasks)| (unknown, tasks.to_owned())));
}

#[test]
fn what_is_not_followed_is_named() {
    let scratch = tempfile::tempdir().unwrap();
    fs::write(scratch.path().join("images.py"), HIDDEN).unwrap();
    let tool = tool_images(scratch.path(), None, &[]);
    let mut sdk = sdk_images(&[json!({"root": scratch.path(), "registry": null})]).remove(0);
    assert_eq!(sdk["errors"], json!({}));
    // What they run in is not known, and so is the name of their environment.
    for task in ["e.in_dict", "made.in_made"] {
        assert!(sdk["tasks"].as_object_mut().unwrap().remove(task).is_some(), "{task}");
    }
    let comparison = compare(scratch.path(), &tool, &sdk);
    assert!(comparison.differences.is_empty(), "{}", comparison.differences.join("\n"));
    assert_eq!((comparison.known, comparison.unknown), (19, 8), "{comparison:?}");
    let entries = tool["images"].as_array().unwrap().iter();
    let unknown = entries.filter(|entry| entry["unknown"] != json!([])).map(|entry| {
        let unknown = entry["unknown"][0].as_str().unwrap().to_owned();
        (entry["variable"].as_str(), unknown, entry["tasks"].to_string())
    });
    let expected = [
        (None, "name", "[]"),
        (Some("choice"), "choosing(\"a\")", "[]"),
        (Some("padded"), "f\"x{DEBUG:>10}\"", "[]"),
        (Some("every"), "[\"a\", \"b\"][::2]", "[]"),
        (None, "name", "[]"),
        (Some("by_lambda"), "short(\"a\")", "[]"),
        (Some("by_partial"), "functools.partial(base.with_pip_packages, \"a\")()", "[]"),
        (None, "name", "[]"),
        (Some("by_factory"), "factory(\"a\")()", "[]"),
        (Some("by_method"), "Factory().make()", "[]"),
        (None, "name", "[]"),
        (Some("more"), "images[\"a\"].with_apt_packages(\"x\")", "[]"),
        (None, "base.with_pip_packages", "[]"),
        (None, "flyte.Image.from_debian_base", "[]"),
        (None, "images[\"a\"]", "[]"),
        (None, "environments[\"e\"].task", "[\"in_dict\"]"),
        (None, "made.task", "[\"in_made\"]"),
    ];
    let expected = expected.map(|(variable, text, tasks)| (variable, text.to_owned(), tasks.to_owned()));
    assert_eq!(unknown.collect::<Vec<_>>(), expected);
}

/// Tasks of an environment that may be another one.
const UNCERTAIN: [(&str, &str); 4] = [
    (
        "envs.py",
        "import flyte\nenv = flyte.TaskEnvironment(\"a\", image=flyte.Image.from_debian_base(name=\"a\"))\n",
    ),
    (
        "more.py",
        "import flyte\nenv = flyte.TaskEnvironment(\"b\", image=flyte.Image.from_debian_base(name=\"b\"))\n",
    ),
    ("behind_a_star.py", "from envs import env\nfrom more import *\n\n@env.task\ndef starred(): ...\n"),
    (
        "in_a_loop.py",
        r#"
import flyte

image = flyte.Image.from_debian_base(name="c")
other = flyte.Image.from_debian_base(name="d")
for turn in range(2):
    env = flyte.TaskEnvironment(f"env{turn}", image=image)
    image = other

@env.task
def looped(): ...
"#,
    ),
];

#[test]
fn tasks_of_uncertain_environments_have_no_image() {
    let scratch = tempfile::tempdir().unwrap();
    for (name, code) in UNCERTAIN {
        fs::write(scratch.path().join(name), code).unwrap();
    }
    let tool = tool_images(scratch.path(), None, &[]);
    let entries = tool["images"].as_array().unwrap().iter();
    let tasks = entries.filter(|entry| entry["tasks"] != json!([]));
    let seen: Vec<(String, String)> =
        tasks.map(|entry| (entry["unknown"].to_string(), entry["tasks"].to_string())).collect();
    let expected = [("[\"env.task\"]", "[\"starred\"]"), ("[\"image\"]", "[\"looped\"]")];
    assert_eq!(seen, expected.map(|(unknown, tasks)| (unknown.to_owned(), tasks.to_owned())));
}

#[test]
fn images_of_migrated_fixtures_are_those_of_the_sdk_and_valid() {
    let scratch = tempfile::tempdir().unwrap();
    let fixtures = migrated_fixtures(&scratch);
    let list: Vec<Value> =
        fixtures.iter().map(|fixture| json!({"root": fixture.after, "registry": null})).collect();
    let answers = sdk_images(&list);
    let read = fixtures.par_iter().zip(&answers).map(|(fixture, sdk)| {
        let comparison = compare(&fixture.after, &tool_images(&fixture.after, None, &[]), sdk);
        (comparison, codes(&fixture.after, &["image", "validate"]))
    });
    let mut total = Comparison::default();
    for (fixture, (comparison, codes)) in fixtures.iter().zip(read.collect::<Vec<_>>()) {
        // Made with --unsafe-fixes, whose finding says that the command begins with an option.
        let expected: &[&str] =
            if fixture.name == "commands_with_an_option_of_run" { &["FM534"] } else { &[] };
        assert_eq!(codes, expected, "{}: what comes out of a migration is valid", fixture.name);
        total.add(comparison);
    }
    assert!(
        total.differences.is_empty(),
        "{} differ:\n{}",
        total.differences.len(),
        total.differences.join("\n")
    );
    assert!(total.known > 200, "{total:?}");
}

#[test]
fn images_printed_as_data_are_read_back() {
    let scratch = tempfile::tempdir().unwrap();
    Project::write(scratch.path(), 50, &mut Random::new(3));
    let printed = tool_images(scratch.path(), None, &[]);
    let document: Document = serde_json::from_value(printed.clone()).unwrap();
    assert_eq!(document.version, 1);
    assert!(document.images.len() >= 40);
    assert_eq!(serde_json::to_value(&document).unwrap(), printed);
}

/// The codes of the findings about images in the code below a folder.
fn codes(root: &Path, command: &[&str]) -> Vec<String> {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_flyte-migrate"));
    tool.args(command).args(["--output-format", "json", "--project", ".", "--no-ignore"]).current_dir(root);
    let output = tool.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let findings = report["diagnostics"].as_array().unwrap().iter();
    let manual = findings.filter(|finding| finding["status"] == "manual");
    manual.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

/// What the SDK says against the code below a folder, when it loads it, names its images and validates them.
fn complaint(sdk: &Value) -> Option<String> {
    let errors = sdk["errors"].as_object().unwrap().values().cloned();
    let images = sdk["images"].as_object().unwrap().values();
    let of_images = images.flat_map(|image| [image["error"].clone(), image["invalid"].clone()]);
    errors.chain(of_images).find_map(|error| error.as_str().map(str::to_owned))
}

#[test]
fn each_fault_is_one_to_the_sdk_and_its_neighbor_is_none() {
    let scratch = tempfile::tempdir().unwrap();
    let mut list = Vec::new();
    for (index, fault) in FAULTS.iter().enumerate() {
        for (name, code) in [("wrong", fault.wrong), ("right", fault.right)] {
            let root = scratch.path().join(format!("{index}-{name}"));
            faults::write(&root, code);
            list.push(json!({"root": root, "registry": null}));
        }
    }
    let answers = sdk_images(&list);
    FAULTS.par_iter().enumerate().for_each(|(index, fault)| {
        let root = |name: &str| scratch.path().join(format!("{index}-{name}"));
        let (wrong, right) = (complaint(&answers[2 * index]), complaint(&answers[2 * index + 1]));
        let what = format!("{} {}", fault.code, fault.wrong);
        assert_eq!(right, None, "{what}: the SDK must take the neighbor");
        match fault.judge {
            Judge::Sdk => assert!(wrong.is_some(), "{what}: the SDK takes it"),
            Judge::Build(why) => {
                assert_eq!(wrong, None, "{what}: the SDK refuses it, not only because {why}");
            }
        }
        assert_eq!(codes(&root("wrong"), &["image", "validate"]), [fault.code], "{what}");
        assert_eq!(codes(&root("wrong"), &[]), [fault.code], "{what}: without a command");
        assert_eq!(codes(&root("right"), &["image", "validate"]), [""; 0], "{}", fault.right);
    });
}

#[test]
fn every_rule_on_images_has_a_fault() {
    let rules =
        flyte_migrate::rules::codes::RULES.iter().filter(|rule| ("FM500".."FM580").contains(&rule.code));
    for rule in rules {
        assert!(FAULTS.iter().any(|fault| fault.code == rule.code), "{} has no fault", rule.code);
    }
}

/// The images of published examples, package by package, as the table in `docs/images.md` has them.
#[derive(Debug, Default)]
struct Row {
    package: String,
    files: usize,
    /// Images that the tool finds, and those that it knows.
    images: usize,
    known: usize,
    comparison: Comparison,
    /// Files that the SDK does not load: an example is not always a program.
    not_loaded: usize,
}

const TABLE_HEAD: &str = "<!-- Made by tests/sdk_images.rs with BLESS=1; do not edit. -->
# Images of published Flyte 2 code

flyte and its plugins publish no source distributions of version 2, so these are the Python blocks in the READMEs, skills and docstrings that their packages carry (`scripts/image_examples.py`).
Each block is a file of its own.
The tool reads it without running it; an image is known if every expression in it is.
The SDK loads the same files; images of variables and tasks are compared by `uri` and layer by layer, and a difference fails the test.
A block that does not run by itself, because it leaves something out or needs a cluster, is not loaded, and nothing is compared.

| Package | Files | Images | Known | Not loaded | Compared | Equal | Without `uri` in both |
|---|---:|---:|---:|---:|---:|---:|---:|
";

fn row(folder: &Path, package: &str, sdk: &Value) -> Row {
    let read = tool_images(folder, None, &[]);
    let images = read["images"].as_array().unwrap();
    let known = images.iter().filter(|image| image["unknown"].as_array().unwrap().is_empty());
    Row {
        package: package.to_owned(),
        files: fs::read_dir(folder).unwrap().count(),
        images: images.len(),
        known: known.count(),
        comparison: compare(folder, &read, sdk),
        not_loaded: sdk["errors"].as_object().unwrap().len(),
    }
}

#[test]
fn published_examples_come_out_as_the_sdk_has_them_and_as_the_table_says() {
    let folder = target("image-examples");
    let output = run(
        Command::new(python()).arg(repository("scripts/image_examples.py")).arg(&folder),
        "scripts/image_examples.py",
    );
    let packages = String::from_utf8(output.stdout).unwrap();
    let roots: Vec<Value> =
        packages.lines().map(|package| json!({"root": folder.join(package), "registry": null})).collect();
    let mut table = TABLE_HEAD.to_owned();
    let mut known = 0;
    for (package, sdk) in packages.lines().zip(sdk_images(&roots)) {
        let row = row(&folder.join(package), package, &sdk);
        let Comparison { known: equal, refused, differences, .. } = &row.comparison;
        assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
        table.push_str(&format!(
            "| {} | {} | {} | {} | {} | {} | {equal} | {refused} |\n",
            row.package,
            row.files,
            row.images,
            row.known,
            row.not_loaded,
            equal + refused,
        ));
        known += row.known;
    }
    let file = repository("docs/images.md");
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        fs::write(&file, &table).unwrap();
    }
    assert_eq!(fs::read_to_string(file).unwrap_or_default(), table, "docs/images.md is out of date");
    assert!(known >= 60, "{known} images are known");
}
