//! Scripts that stand in the place of programs.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Writes a script that can be started.
///
/// Another process writes it: while this one has it open, a process that another thread starts would have it open as
/// well, and what is open for writing cannot be started.
pub(crate) fn write_script(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", "printf '%s' \"$2\" > \"$1\" && chmod 755 \"$1\"", "sh"]).arg(path).arg(text);
    assert!(shell.status().unwrap().success());
}
