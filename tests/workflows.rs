//! Random workflows: flytekit and, on what the tool makes of them, Flyte 2's local mode give the same, and no call is
//! gathered with one that it waits for.
//!
//! `WORKFLOWS` and `SEED` of the environment say how many modules are made, and which: `.ci/run` makes 500.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

#[path = "sdk/cases.rs"]
mod cases;
#[path = "sdk/environment.rs"]
mod environment;
#[path = "workflows/flow.rs"]
mod flow;
#[path = "support/random.rs"]
mod random;
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use flow::Module;
use serde_json::Value;

/// How many modules are made, if the environment does not say.
const WORKFLOWS: u64 = 40;

/// At least so many of a hundred must be migrated, and must gather calls, or the test says little.
const LEAST_MIGRATED: usize = 80;
const LEAST_GATHERED: usize = 60;

/// flytekit may refuse so many of a hundred.
const MOST_REFUSED: usize = 5;

/// So many failures are shown, the smallest.
const SHOWN: usize = 5;

#[test]
fn random_workflows_give_the_same_on_both_sdks() {
    let number =
        |name: &str, usual: u64| std::env::var(name).ok().map_or(usual, |text| text.parse().unwrap());
    let seed = number("SEED", 1);
    let modules: BTreeMap<String, Module> = (0..number("WORKFLOWS", WORKFLOWS))
        .map(|place| (format!("m{place:05}"), Module::random(seed * 1_000_003 + place)))
        .collect();
    let scratch = tempfile::tempdir().unwrap();
    let before = written(&scratch.path().join("before"), &modules);
    let after = written(&scratch.path().join("after"), &modules);
    let findings = migrate(&scratch.path().join("after"));
    let text = |name: &str| fs::read_to_string(after[name].join("main.py")).unwrap();
    let migrated: BTreeMap<String, PathBuf> = after
        .iter()
        .filter(|(name, _)| !text(name).contains("@workflow"))
        .map(|(name, path)| (name.clone(), path.clone()))
        .collect();
    let mut failures: BTreeMap<&str, String> = BTreeMap::new();
    for name in modules.keys().filter(|name| !migrated.contains_key(*name)) {
        if !findings.lines().any(|line| line.starts_with(&format!("{name}/main.py:"))) {
            failures.insert(name, "the module stays and nothing says so".to_owned());
        }
    }
    let (flyte1, flyte2) = thread::scope(|scope| {
        let flyte1 = scope.spawn(|| cases::results("flytekit", &before, scratch.path()));
        let flyte2 = cases::results("flyte", &migrated, scratch.path());
        (flyte1.join().unwrap(), flyte2)
    });
    let (mut gathered, mut refused) = (0, 0);
    for (name, result) in &flyte2 {
        let text = text(name);
        gathered += usize::from(text.contains(".gather("));
        if !flyte1[name]["error"].is_null() {
            refused += 1;
            continue;
        }
        let found = disagreement(&flyte1[name], result)
            .or_else(|| waiting_in_gather(&modules[name], &text))
            .or_else(|| wrong_order(&modules[name], result));
        if let Some(failure) = found {
            failures.insert(modules.get_key_value(name).unwrap().0, failure);
        }
    }
    let percent = |count: usize| count * 100 / modules.len();
    println!(
        "{} modules, {} of 100 migrated, {} of 100 gather",
        modules.len(),
        percent(migrated.len()),
        percent(gathered)
    );
    let mut shown: Vec<(&str, String)> = failures.into_iter().collect();
    let total = shown.len();
    shown.sort_by_key(|(name, _)| modules[*name].text.len());
    let shown = shown.into_iter().take(SHOWN).map(|(name, failure)| {
        format!("{name}: {failure}\n--- before\n{}\n--- after\n{}", modules[name].text, text(name))
    });
    let shown: Vec<String> = shown.collect();
    assert!(shown.is_empty(), "{total} of {} fail\n{}", modules.len(), shown.join("\n\n"));
    assert!(percent(migrated.len()) >= LEAST_MIGRATED, "too few are migrated:\n{findings}");
    assert!(percent(refused) <= MOST_REFUSED, "flytekit refuses {refused}");
    assert!(percent(gathered) >= LEAST_GATHERED, "too few gather");
}

/// Writes each module into a folder of its own.
fn written(folder: &Path, modules: &BTreeMap<String, Module>) -> BTreeMap<String, PathBuf> {
    let write = |(name, module): (&String, &Module)| {
        let path = folder.join(name);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("main.py"), &module.text).unwrap();
        (name.clone(), path)
    };
    modules.iter().map(write).collect()
}

/// Migrates a folder; the findings.
fn migrate(folder: &Path) -> String {
    let args = ["--write", "--project", ".", "--output-format", "concise", "--unsafe-fixes"];
    let run = support::run(folder, &args);
    // 2 is that of a file whose new text failed the tool's own check.
    assert!(matches!(run.code, Some(0 | 1)), "{}{}", run.stdout, run.stderr);
    run.stdout
}

/// What differs between the SDKs.
fn disagreement(flyte1: &Value, flyte2: &Value) -> Option<String> {
    if let Some(error) = flyte2["error"].as_str() {
        return Some(format!("flyte refuses it: {error}"));
    }
    (flyte1["results"] != flyte2["results"])
        .then(|| format!("the results are {} and {}", flyte1["results"], flyte2["results"]))
}

/// Calls in one `gather` of which one waits for the other.
fn waiting_in_gather(module: &Module, text: &str) -> Option<String> {
    for (at, opening) in text.match_indices(".gather(") {
        let calls: Vec<usize> =
            elements(&text[at + opening.len()..]).iter().filter_map(|element| call(element)).collect();
        for &later in &calls {
            if let Some(earlier) = calls.iter().find(|&&earlier| module.waits(later, earlier)) {
                return Some(format!("call {later} waits for {earlier}, and is gathered with it"));
            }
        }
    }
    None
}

/// The arguments of a call, up to the bracket that closes it.
fn elements(text: &str) -> Vec<&str> {
    let (mut depth, mut start) = (0, 0);
    let mut elements = Vec::new();
    for (at, character) in text.char_indices() {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => {
                elements.push(&text[start..at]);
                return elements;
            }
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                elements.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    elements
}

/// The number of the call that an element of `gather` is: the outermost `k`. Calls of workflows have none.
fn call(element: &str) -> Option<usize> {
    let mut depth = 0;
    let mut found: Option<(usize, usize)> = None;
    for (at, character) in element.char_indices() {
        match character {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            'k' if element[at..].starts_with("k=") => {
                let digits = element[at + 2..].split(|c: char| !c.is_ascii_digit()).next().unwrap();
                let is_outer = found.is_none_or(|(other, _)| depth < other);
                found = if is_outer { Some((depth, digits.parse().unwrap())) } else { found };
            }
            _ => {}
        }
    }
    found.filter(|(depth, _)| *depth <= 3).map(|(_, number)| number)
}

/// Calls that `>>` puts in an order in which they did not run.
fn wrong_order(module: &Module, result: &Value) -> Option<String> {
    let events: Vec<(&str, u64)> = result["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (event[0].as_str().unwrap(), event[1].as_u64().unwrap()))
        .collect();
    for &(earlier, later) in &module.orders {
        let mut ahead = 0_i64;
        for &(what, number) in &events {
            ahead += i64::from(what == "end" && number == earlier as u64);
            ahead -= i64::from(what == "start" && number == later as u64);
            if ahead < 0 {
                return Some(format!("call {later} ran before {earlier}"));
            }
        }
    }
    None
}
