//! Runs both SDKs: each task of a migrated fixture has the image and the settings that it had before.
//!
//! The SDKs judge, not the tool's own model: `sdk/compare.py` evaluates the fixture under flytekit and
//! the result under flyte, `sdk/serialize.py` serializes every migrated task as a deployment would.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

#[path = "sdk/environment.rs"]
mod environment;
#[path = "sdk/fixtures.rs"]
mod fixtures;

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use environment::{python, repository, run};
use fixtures::{Migrated, migrated_fixtures};
use serde_json::{Value, json};

/// What cannot be compared: fixture, task or module, and the reason.
const NOT_COMPARED: [(&str, &str, &str); 25] = [
    (
        "elastic_training",
        "train.py::train",
        "the real `Elastic` mounts more shared memory by itself; its stand-in does not",
    ),
    (
        "actor_unsafe",
        "train.py::report",
        "--unsafe-fixes: it shares the image of actors, which gets `unionai-reuse`, and FM225 says so",
    ),
    ("commands_in_python", "run.py", "it is no Flyte code, and runs other programs when it is loaded"),
    (
        "secrets_in_lists_of_lists",
        "train.py::two",
        "a tuple of secrets is taken by the decorator of flytekit and refused when the task is registered",
    ),
    ("eager_that_gathers", "earlier.py", "flytekit 1.16 has no `flytekit.experimental.eager`"),
    ("partial_beside_a_syntax_error", "broken.py", "it does not parse, before and after"),
    ("methods_on_a_name", "train.py::one", METHODS),
    ("methods_on_a_name", "train.py::two", METHODS),
    ("methods_on_a_name", "train.py::three", METHODS),
    ("with_packages_on_a_spec", "train.py::total", METHODS),
    (
        "image_that_is_flyte2_already",
        "train.py::step",
        "before the run a Flyte 1 task holds a Flyte 2 image, as a first, partial run leaves it",
    ),
    (
        "flyte2_clone_as_image",
        "train.py::step",
        "before the run a Flyte 1 task holds a Flyte 2 image, as a first, partial run leaves it",
    ),
    (
        "rare_keywords_unsafe",
        "train.py::total",
        "--unsafe-fixes: an entrypoint is lost, and says so with FM115",
    ),
    (
        "python_exec_and_runtime_packages",
        "train.py::total",
        "--unsafe-fixes: another interpreter and packages of the start are made in other ways",
    ),
    ("image_name_in_a_pod_template", "train.py::other", ADDRESS),
    ("image_name_in_a_pod_template", "train.py::beside", ADDRESS),
    ("bad_file_beside_a_good_one", "broken.py", "it does not parse, before and after"),
    ("requirement_pair_task_not_imported", "my_env.py", "Flyte 1 cannot load it: the page forgot the import"),
    (
        "unsupported_keyword_with_partial",
        "train.py::special",
        "--partial leaves it on Flyte 1 with a converted image, and says so with FM222",
    ),
    (
        "derived_images_with_partial",
        "bases.py::second",
        "--partial leaves it on Flyte 1 with a converted base, and says so with FM222",
    ),
    ("base_image_that_is_flyte2_already", "train.py::fit", CONVERTED_BASE),
    ("base_image_that_is_flyte2_already", "stays.py::fit", CONVERTED_BASE),
    ("builder_noop_is_a_bare_base", "runtime.py::first", STARTED),
    ("builder_noop_is_a_bare_base", "runtime.py::second", STARTED),
    (
        "builder_noop_is_a_bare_base",
        "derived.py::third",
        "the image below is used as it is, and must contain flyte, as FM108 says",
    ),
];

/// Why images on a base that an earlier run converted differ.
const CONVERTED_BASE: &str = "Flyte 1 takes no image of Flyte 2 as a base";

/// Why images that nothing is built for differ if they have packages.
const STARTED: &str = "Flyte 1 installs these packages when a task starts";

/// Why pod templates that hold the address of an image differ.
const ADDRESS: &str = "the tag of an image is another hash on Flyte 2, also in a pod template";

/// Why images that are made by methods of a name have another order of layers.
const METHODS: &str = "methods of a name add layers as they are called, above those of the image";

/// A pair for `compare.py`.
fn pair(migrated: &Migrated) -> Value {
    let from_source = migrated.arguments.iter().any(|argument| argument == "source");
    json!({
        "name": migrated.name,
        "flyte1": migrated.before,
        "flyte2": migrated.after,
        "layer_order": if from_source { "source" } else { "build" },
    })
}

/// Fixture, task or module, and text of each task that differs and each module that did not load before.
fn complaints(report: &Value) -> BTreeMap<(String, String), String> {
    let tasks = report["tasks"].as_array().unwrap().iter();
    let different = tasks.filter(|task| !task["differences"].as_array().unwrap().is_empty());
    let unproven = report["unproven"].as_array().unwrap().iter();
    let key = |entry: &Value, part: &str| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&entry["pair"]), text(&entry[part]))
    };
    different
        .map(|task| (key(task, "task"), task["differences"].to_string()))
        .chain(unproven.map(|module| (key(module, "module"), module["error"].to_string())))
        .collect()
}

#[test]
fn images_and_settings_of_the_fixtures_stay_the_same() {
    let scratch = tempfile::tempdir().unwrap();
    let fixtures = migrated_fixtures(&scratch);
    let pairs: Vec<_> = fixtures.iter().map(pair).collect();
    let list = scratch.path().join("pairs.json");
    fs::write(&list, serde_json::to_vec(&pairs).unwrap()).unwrap();
    let output = Command::new(python()).arg(repository("tests/sdk/compare.py")).arg(list).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let mut complaints = complaints(&report);
    for (fixture, part, reason) in NOT_COMPARED {
        let known = complaints.remove(&(fixture.to_owned(), part.to_owned()));
        assert!(
            known.is_some(),
            "{fixture} {part} can be compared by now: it is on the list because {reason}"
        );
    }
    assert!(complaints.is_empty(), "{} differences:\n{complaints:#?}", complaints.len());
    assert_eq!(report["summary"]["pairs"], pairs.len());
}

#[test]
fn changed_files_of_the_fixtures_serialize_under_flyte() {
    let scratch = tempfile::tempdir().unwrap();
    let fixtures = migrated_fixtures(&scratch);
    let files: Vec<_> = fixtures
        .iter()
        .flat_map(|fixture| fixture.changed_files().into_iter().map(|file| (fixture.after.clone(), file)))
        .collect();
    let list = scratch.path().join("files.json");
    fs::write(&list, serde_json::to_vec(&files).unwrap()).unwrap();
    let output = Command::new(python())
        .arg(repository("tests/sdk/serialize.py"))
        .arg("--list")
        .arg(list)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let results: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let failed: Vec<_> = results.iter().filter(|result| !result["error"].is_null()).collect();
    assert!(failed.is_empty(), "{} files fail:\n{failed:#?}", failed.len());
    assert_eq!(results.len(), files.len(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn comparison_finds_what_it_must_find() {
    let mut unit_tests = Command::new(python());
    unit_tests.args(["-m", "unittest", "discover", "-s"]).arg(repository("tests/sdk"));
    run(&mut unit_tests, "the unit tests of compare.py");
}

#[test]
fn table_of_brought_packages_is_up_to_date() {
    let mut script = Command::new(python());
    script.arg(repository("scripts/brought_packages.py")).arg("--check");
    run(&mut script, "scripts/brought_packages.py");
}

#[test]
fn parameters_are_the_fields_of_the_installed_image_spec() {
    let mut script = Command::new(python());
    let program =
        "import dataclasses, flytekit; print(*(f.name for f in dataclasses.fields(flytekit.ImageSpec)))";
    let output = run(script.args(["-c", program]), "reading the fields of ImageSpec");
    let text = String::from_utf8(output.stdout).unwrap();
    let fields: Vec<&str> = text.split_whitespace().collect();
    assert_eq!(fields, flyte_migrate::rules::image_spec::FIELDS, "another flytekit has other parameters");
}
