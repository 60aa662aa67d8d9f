//! Runs cases before and behind the migration: workflows give the same on both SDKs.
//!
//! Each folder in `cases/` holds a module `main` and what it imports. `sdk/run_cases.py` runs its `CALLS` under
//! flytekit, and what the tool makes of it in Flyte 2's local mode; `sdk/serialize.py` serializes the result.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

#[path = "sdk/environment.rs"]
mod environment;
#[path = "sdk/cases.rs"]
mod runs;
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use environment::{python, repository};
use runs::results;
use serde_json::Value;
use support::{read_tree, run, write_tree};

/// The folders of the cases, by name.
fn cases() -> BTreeMap<String, PathBuf> {
    let entries = fs::read_dir(repository("tests/cases")).unwrap();
    let folders = entries.map(|entry| entry.unwrap().path());
    folders.map(|folder| (folder.file_name().unwrap().to_str().unwrap().to_owned(), folder)).collect()
}

/// Migrates a copy of each case, with everything that has to be migrated.
fn migrated(scratch: &Path, args: &[&str]) -> BTreeMap<String, PathBuf> {
    let mut migrated = BTreeMap::new();
    let mut incomplete = Vec::new();
    for (name, folder) in cases() {
        let copy = scratch.join(&name);
        write_tree(&copy, &read_tree(&folder));
        let args: Vec<&str> = ["--write", "--project", ".", "--output-format", "concise"]
            .into_iter()
            .chain(args.iter().copied())
            .collect();
        let run = run(&copy, &args);
        if run.code != Some(0) {
            incomplete.push(format!("{name}:\n{}{}", run.stdout, run.stderr));
        }
        migrated.insert(name, copy);
    }
    assert!(incomplete.is_empty(), "not migrated as a whole:\n{}", incomplete.join("\n"));
    migrated
}

/// Compares all cases, migrated with these arguments.
fn compare(args: &[&str]) {
    let scratch = tempfile::tempdir().unwrap();
    let migrated = migrated(scratch.path(), args);
    let before = results("flytekit", &cases(), scratch.path());
    let after = results("flyte", &migrated, scratch.path());
    let mut complaints = Vec::new();
    for (name, before) in before {
        let is_empty = before["results"].as_array().is_none_or(Vec::is_empty);
        if before != after[&name] || is_empty || !before["error"].is_null() {
            let text = fs::read_to_string(migrated[&name].join("main.py")).unwrap();
            complaints.push(format!("{name}\n{before:#}\n{:#}\n{text}", after[&name]));
        }
    }
    assert!(complaints.is_empty(), "{} differ:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn cases_give_the_same_on_both_sdks() {
    compare(&["--unsafe-fixes"]);
}

#[test]
fn cases_give_the_same_without_parallelism() {
    compare(&["--unsafe-fixes", "--parallelism", "sequential"]);
}

#[test]
fn migrated_cases_serialize() {
    let scratch = tempfile::tempdir().unwrap();
    let migrated = migrated(scratch.path(), &["--unsafe-fixes"]);
    let files: Vec<_> = migrated.values().map(|folder| (folder.clone(), folder.join("main.py"))).collect();
    let list = scratch.path().join("files.json");
    fs::write(&list, serde_json::to_vec(&files).unwrap()).unwrap();
    let mut command = Command::new(python());
    let output = command.arg(repository("tests/sdk/serialize.py")).arg("--list").arg(list).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let results: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let failed: Vec<_> = results.iter().filter(|result| !result["error"].is_null()).collect();
    assert!(failed.is_empty(), "{} fail:\n{failed:#?}", failed.len());
    assert_eq!(results.len(), files.len(), "{}", String::from_utf8_lossy(&output.stderr));
}
