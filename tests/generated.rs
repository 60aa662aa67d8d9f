//! Random Flyte 1 modules: whatever is migrated means the same to both SDKs, and whatever is not has a finding.
//!
//! The SDKs judge, as they do for the fixtures (`tests/sdk.rs`). A module that fails is made as small as it can be and
//! still fail, and is then worth a fixture. `MODULES` and `SEED` of the environment say how many
//! modules are made, and which: `.ci/run` makes 2,000.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

#[path = "sdk/environment.rs"]
mod environment;
#[path = "generated/module.rs"]
mod module;
#[path = "support/random.rs"]
mod random;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use environment::{python, repository};
use module::Module;
use serde_json::{Value, json};

/// How many modules are made, if the environment does not say.
const MODULES: u64 = 200;

/// At least so many of a hundred must be migrated, or the test says little.
const LEAST_MIGRATED: usize = 60;

/// So many kinds of failures are made small and shown.
const KINDS: usize = 8;

/// How the migration is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Safe,
    Unsafe,
}

/// What is wrong with modules, by their place in the list, and how many were migrated.
struct Outcome {
    failures: BTreeMap<usize, String>,
    migrated: usize,
}

#[test]
fn random_modules_mean_the_same_to_both_sdks() {
    let number =
        |name: &str, usual: u64| std::env::var(name).ok().map_or(usual, |text| text.parse().unwrap());
    let seed = number("SEED", 1);
    let modules: Vec<Module> =
        (0..number("MODULES", MODULES)).map(|place| Module::random(seed * 1_000_003 + place)).collect();
    let (safe, is_unsafe) = modules.split_at(modules.len() / 2);
    let mut messages = Vec::new();
    for (mode, modules) in [(Mode::Safe, safe), (Mode::Unsafe, is_unsafe)] {
        let outcome = check(modules, mode);
        let percent = outcome.migrated * 100 / modules.len();
        println!("{mode:?}: {} modules, {percent} of 100 migrated", modules.len());
        if mode == Mode::Unsafe && percent < LEAST_MIGRATED {
            messages.push(format!("only {percent} of 100 modules are migrated"));
        }
        messages.extend(described(modules, mode, &outcome));
    }
    assert!(messages.is_empty(), "{}", messages.join("\n\n"));
}

/// A kind of failure, and a module that fails so.
struct Failure {
    kind: String,
    count: usize,
    module: Module,
    message: String,
}

/// The first few kinds of failures, each with a module that is as small as it gets.
fn described(modules: &[Module], mode: Mode, outcome: &Outcome) -> Vec<String> {
    let mut kinds: BTreeMap<String, Failure> = BTreeMap::new();
    for (&place, message) in &outcome.failures {
        let module = || modules[place].clone();
        let failure = kinds.entry(kind(message)).or_insert_with_key(|kind| Failure {
            kind: kind.clone(),
            count: 0,
            module: module(),
            message: message.clone(),
        });
        failure.count += 1;
    }
    for failure in kinds.values() {
        println!("{} fail: {}\n--- before\n{}", failure.count, failure.message, failure.module.text());
    }
    let mut failures: Vec<Failure> = kinds.into_values().take(KINDS).collect();
    shrink(&mut failures, mode);
    let text = |failure: Failure| {
        let Failure { kind, count, module, message } = failure;
        let total = modules.len();
        format!("{count} of {total} modules, {mode:?}: {kind}\n{message}\n--- before\n{}", module.text())
    };
    failures.into_iter().map(text).collect()
}

/// What a message says without the names and numbers of its module.
fn kind(message: &str) -> String {
    let message = message.lines().next().unwrap_or_default();
    let words = message.split(|c: char| !c.is_alphabetic() && c != '_').filter(|word| word.len() > 2);
    words.take(8).collect::<Vec<_>>().join(" ")
}

/// Takes parts away as long as each module still fails in the same way; all in one go, because starting the SDKs
/// takes most of the time.
fn shrink(failures: &mut [Failure], mode: Mode) {
    loop {
        let candidates: Vec<(usize, Module)> = failures
            .iter()
            .enumerate()
            .flat_map(|(owner, failure)| {
                failure.module.smaller().into_iter().map(move |module| (owner, module))
            })
            .collect();
        let modules: Vec<Module> = candidates.iter().map(|(_, module)| module.clone()).collect();
        let found = if modules.is_empty() { BTreeMap::new() } else { check(&modules, mode).failures };
        let mut is_smaller = vec![false; failures.len()];
        for (place, message) in found {
            let (owner, module) = &candidates[place];
            if !is_smaller[*owner] && kind(&message) == failures[*owner].kind {
                is_smaller[*owner] = true;
                failures[*owner].module = module.clone();
                failures[*owner].message = message;
            }
        }
        if !is_smaller.contains(&true) {
            return;
        }
    }
}

/// Migrates the modules, each in a folder of its own, and holds them against the SDKs.
fn check(modules: &[Module], mode: Mode) -> Outcome {
    let scratch = tempfile::tempdir().unwrap();
    let (before, after) = (scratch.path().join("before"), scratch.path().join("after"));
    for folder in [&before, &after] {
        for (place, module) in modules.iter().enumerate() {
            write(&folder.join(folder_of(place)), module);
        }
    }
    let report = migrate(&after, mode);
    let changed: BTreeSet<usize> = (0..modules.len())
        .filter(|&place| {
            let text = fs::read_to_string(after.join(folder_of(place)).join("train.py")).unwrap();
            text != modules[place].text()
        })
        .collect();
    let mut failures: BTreeMap<usize, String> = BTreeMap::new();
    for place in (0..modules.len()).filter(|place| !changed.contains(place)) {
        let start = format!("{}/train.py:", folder_of(place));
        let lines: Vec<&str> = report.lines().filter_map(|line| line.strip_prefix(&start)).collect();
        if lines.is_empty() {
            failures.insert(place, "the module stays and nothing says so".to_owned());
        }
        if let Some(line) = lines.into_iter().find(|line| line.contains(" FM900 ")) {
            failures.insert(place, format!("the tool refuses its own result: {line}"));
        }
    }
    let pairs: Vec<Value> = changed
        .iter()
        .map(|&place| {
            let name = folder_of(place);
            json!({"name": name, "flyte1": before.join(&name), "flyte2": after.join(&name)})
        })
        .collect();
    let files: Vec<Value> = changed
        .iter()
        .map(|&place| json!([after.join(folder_of(place)), after.join(folder_of(place)).join("train.py")]))
        .collect();
    let comparison = start("compare.py", &[], scratch.path(), "pairs.json", &pairs);
    let serialization = start("serialize.py", &["--list"], scratch.path(), "files.json", &files);
    let printed = String::from_utf8(serialization.wait_with_output().unwrap().stdout).unwrap();
    let results: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(results.len(), files.len(), "serialize.py ended early");
    for (&place, result) in changed.iter().zip(&results) {
        if let Some(error) = result["error"].as_str() {
            failures.insert(place, format!("it does not serialize: {error}"));
        }
    }
    let printed = comparison.wait_with_output().unwrap().stdout;
    let report: Value = serde_json::from_slice(&printed).unwrap();
    for entry in report["tasks"].as_array().unwrap() {
        for difference in entry["differences"].as_array().unwrap() {
            let (place, difference) = (place_of(&entry["pair"]), difference.as_str().unwrap());
            let is_known =
                difference.starts_with("order of layers:") && modules[place].calls_methods_of_names();
            if !is_known {
                failures.entry(place).or_insert_with(|| difference.to_owned());
            }
        }
    }
    for module in report["unproven"].as_array().unwrap() {
        failures.insert(place_of(&module["pair"]), format!("flytekit refuses it: {}", module["error"]));
    }
    for (&place, message) in &mut failures {
        let text = fs::read_to_string(after.join(folder_of(place)).join("train.py")).unwrap();
        message.push_str(&format!("\n--- after\n{text}"));
    }
    Outcome { failures, migrated: changed.len() }
}

fn folder_of(place: usize) -> String {
    format!("m{place:05}")
}

fn place_of(pair: &Value) -> usize {
    pair.as_str().unwrap()[1..].parse().unwrap()
}

fn write(folder: &Path, module: &Module) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("train.py"), module.text()).unwrap();
    for (name, text) in module.files() {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// Migrates a folder; what is printed.
fn migrate(folder: &Path, mode: Mode) -> String {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_flyte-migrate"));
    tool.args(["--write", "--project", ".", "--output-format", "concise"]).current_dir(folder);
    if mode == Mode::Unsafe {
        tool.arg("--unsafe-fixes");
    }
    let output = tool.output().unwrap();
    // 2 is that of a file whose new text failed the tool's own check, which is looked for in the report.
    assert!(matches!(output.status.code(), Some(0..=2)), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Starts one of the scripts in `tests/sdk` on a list.
fn start(script: &str, options: &[&str], scratch: &Path, name: &str, list: &[Value]) -> Child {
    let file = scratch.join(name);
    fs::write(&file, serde_json::to_vec(list).unwrap()).unwrap();
    let mut process = Command::new(python());
    process.arg(repository("tests/sdk").join(script)).args(options).arg(&file);
    process.stdout(Stdio::piped()).spawn().unwrap()
}
