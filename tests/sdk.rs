//! Runs both SDKs: each task of a migrated fixture has the image and the settings that it had before.
//!
//! The SDKs judge, not the tool's own model: `sdk/compare.py` evaluates the fixture under flytekit and
//! the result under flyte, `sdk/serialize.py` serializes every migrated task as a deployment would.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

#[path = "sdk/environment.rs"]
mod environment;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use environment::{python, repository, run};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What cannot be compared: fixture, task or module, and the reason.
const NOT_COMPARED: [(&str, &str, &str); 12] = [
    (
        "elastic_training",
        "train.py::train",
        "the real `Elastic` mounts more shared memory by itself; its stand-in does not",
    ),
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
        "python_exec_and_runtime_packages",
        "train.py::total",
        "--unsafe-fixes: another interpreter and packages of the start are made in other ways",
    ),
    ("bad_file_beside_a_good_one", "broken.py", "it does not parse, before and after"),
    ("requirement_pair_task_not_imported", "my_env.py", "Flyte 1 cannot load it: the page forgot the import"),
    (
        "unsupported_keyword_with_partial",
        "train.py::special",
        "--partial leaves it on Flyte 1 with a converted image, and says so with FM222",
    ),
];

/// Why images that are made by methods of a name have another order of layers.
const METHODS: &str = "methods of a name add layers as they are called, above those of the image";

/// A fixture and what the tool made of it.
struct Migrated {
    name: String,
    before: PathBuf,
    after: PathBuf,
    arguments: Vec<String>,
}

impl Migrated {
    /// The Python files that the tool changed.
    fn changed_files(&self) -> Vec<PathBuf> {
        let mut files = python_files(&self.after);
        files.retain(|file| {
            let relative = file.strip_prefix(&self.after).unwrap();
            fs::read(file).unwrap() != fs::read(self.before.join(relative)).unwrap()
        });
        files
    }
}

/// All Python files below a folder.
fn python_files(folder: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name();
    let paths = entries.into_iter().map(|entry| entry.unwrap().into_path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "py")).collect()
}

/// Migrates a copy of every fixture that must change, outside the repository and its ignore files.
fn migrated_fixtures(scratch: &TempDir) -> Vec<Migrated> {
    let mut folders: Vec<_> =
        fs::read_dir(repository("fixtures")).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders.iter().filter_map(|folder| migrated(folder, scratch.path())).collect()
}

/// Migrates a copy of one fixture; `None` if nothing in it may change.
fn migrated(fixture: &Path, scratch: &Path) -> Option<Migrated> {
    let case: toml::Table = fs::read_to_string(fixture.join("case.toml")).unwrap().parse().unwrap();
    if case["expect"].as_str() == Some("unchanged") {
        return None;
    }
    let arguments = case.get("args").and_then(toml::Value::as_array).into_iter().flatten();
    let name = fixture.file_name().unwrap().to_str().unwrap().to_owned();
    let migrated = Migrated {
        before: fixture.join("in"),
        after: scratch.join(&name),
        arguments: arguments.map(|argument| argument.as_str().unwrap().to_owned()).collect(),
        name,
    };
    copy(&migrated.before, &migrated.after);
    let mut tool = Command::new(env!("CARGO_BIN_EXE_flyte-migrate"));
    tool.args(["--write", "--project", ".", "--quiet"]).args(&migrated.arguments);
    // Findings that remain and files that do not parse are no failure here; a crash is.
    let status = tool.current_dir(&migrated.after).output().unwrap().status;
    assert!(matches!(status.code(), Some(0..=2)), "{}: {status}", migrated.name);
    assert!(!migrated.changed_files().is_empty(), "{}: nothing was changed", migrated.name);
    Some(migrated)
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let place = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(place).unwrap();
        } else {
            fs::copy(entry.path(), place).unwrap();
        }
    }
}

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
