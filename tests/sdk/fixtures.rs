//! The fixtures, migrated: what the tests that run the SDKs look at.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::environment::repository;

/// A fixture and what the tool made of it.
pub(crate) struct Migrated {
    /// Its folder's name.
    pub(crate) name: String,
    /// The files before.
    pub(crate) before: PathBuf,
    /// The files afterward.
    pub(crate) after: PathBuf,
    /// Further arguments of the tool.
    pub(crate) arguments: Vec<String>,
}

impl Migrated {
    /// The Python files that the tool changed.
    pub(crate) fn changed_files(&self) -> Vec<PathBuf> {
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
pub(crate) fn migrated_fixtures(scratch: &TempDir) -> Vec<Migrated> {
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
