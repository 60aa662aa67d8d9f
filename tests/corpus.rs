//! Runs the tool over Flyte 1 code that others published, and compares the counts with the table in `docs`.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

#[path = "sdk/environment.rs"]
mod environment;

use std::process::Command;

use environment::{python, repository, run, target};

#[test]
fn published_code_comes_out_as_the_table_says() {
    let mut script = Command::new(python());
    script.arg(repository("scripts/corpus.py")).arg(env!("CARGO_BIN_EXE_flyte-migrate"));
    script.arg("--folder").arg(target("corpus")).arg("--check");
    run(&mut script, "scripts/corpus.py");
}
