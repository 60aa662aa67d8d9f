//! The virtual environment that holds both SDKs: made once under `target/`, shared by all tests.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Oldest Python that the pinned packages support.
const OLDEST_PYTHON: &str = "(3, 10)";

/// Newest Python that flytekit declares to support.
const NEWEST_PYTHON: &str = "(3, 12)";

/// A path inside the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A path inside Cargo's target folder.
pub(crate) fn target(path: &str) -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    scratch.parent().unwrap_or(scratch).join(path)
}

/// The Python of the environment, which is made first if it is missing or has other pins.
///
/// The lock is a file, because each test binary is a process of its own.
#[allow(dead_code, reason = "each test binary compiles this module, and one needs another environment")]
pub(crate) fn python() -> PathBuf {
    python_of("sdk-venv", "tests/sdk/requirements.txt")
}

/// The Python of an environment below `target/` with what a file pins.
pub(crate) fn python_of(name: &str, pins: &str) -> PathBuf {
    let folder = target(name);
    let lock = File::create(target(&format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let pins = repository(pins);
    let stamp = folder.join("installed.txt");
    if !is_ready(&python, &stamp, &pins) {
        make(&folder, &python, &pins);
        fs::copy(&pins, &stamp).unwrap();
    }
    python
}

/// Whether the environment holds what the pins say, and its Python still runs.
fn is_ready(python: &Path, stamp: &Path, pins: &Path) -> bool {
    let same = fs::read(stamp).is_ok_and(|installed| installed == fs::read(pins).unwrap());
    same && Command::new(python).args(["-c", ""]).status().is_ok_and(|status| status.success())
}

/// Makes the environment from nothing.
fn make(folder: &Path, python: &Path, pins: &Path) {
    if folder.exists() {
        fs::remove_dir_all(folder).unwrap();
    }
    let system = system_python();
    run(Command::new(system).args(["-m", "venv"]).arg(folder), "making the virtual environment");
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(pins);
    if !is_at_most(system, NEWEST_PYTHON) {
        // flytekit is written in Python alone; it runs on newer ones than it declares.
        pip.arg("--ignore-requires-python");
    }
    run(&mut pip, "installing the SDKs with pip");
}

/// A Python of this machine, if possible one that flytekit declares.
fn system_python() -> &'static str {
    let names = ["python3.12", "python3.11", "python3.10", "python3", "python"];
    names.into_iter().find(|name| answers_yes(name, &format!("{OLDEST_PYTHON} <= version"))).unwrap_or_else(
        || {
            panic!(
                "the tests that run the SDKs need Python {OLDEST_PYTHON} or newer as `python3` or `python`"
            )
        },
    )
}

/// Whether a Python is no newer than that.
fn is_at_most(python: &str, newest: &str) -> bool {
    answers_yes(python, &format!("version <= {newest}"))
}

/// Whether there is such a Python, and a condition on its version holds.
fn answers_yes(python: &str, condition: &str) -> bool {
    let check = format!("import sys, venv; version = sys.version_info[:2]; sys.exit(not ({condition}))");
    Command::new(python).args(["-c", &check]).output().is_ok_and(|output| output.status.success())
}

/// Runs a command that must succeed; what it printed is in the message if it does not.
pub(crate) fn run(command: &mut Command, what: &str) -> Output {
    let output =
        command.output().unwrap_or_else(|error| panic!("{what}: {command:?} does not start: {error}"));
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what} failed: {command:?}, {}\n{said}", output.status);
    output
}
