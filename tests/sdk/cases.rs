//! Runs modules under one of the SDKs, many in one process.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::environment::{python, repository};

/// What the cases in these folders give under an SDK, by name.
pub(crate) fn results(
    sdk: &str,
    folders: &BTreeMap<String, PathBuf>,
    scratch: &Path,
) -> BTreeMap<String, Value> {
    let list = scratch.join(format!("{sdk}.json"));
    fs::write(&list, serde_json::to_vec(&json!(folders.iter().collect::<Vec<_>>())).unwrap()).unwrap();
    let mut command = Command::new(python());
    command.arg(repository("tests/sdk/run_cases.py")).arg(sdk).arg(list);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let results: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(results.len(), folders.len(), "{}", String::from_utf8_lossy(&output.stderr));
    results.into_iter().map(|result| (result["case"].as_str().unwrap().to_owned(), result)).collect()
}
