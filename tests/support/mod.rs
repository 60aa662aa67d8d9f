//! What the tests of the program share: folders as values, and the program run in one.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The files of a folder: the path from it, with `/` between folders, and the bytes.
pub(crate) type Tree = BTreeMap<String, Vec<u8>>;

/// Reads everything below `folder`; a folder that is not there holds nothing.
#[allow(dead_code, reason = "each test binary compiles this module, and not all of them need it")]
pub(crate) fn read_tree(folder: &Path) -> Tree {
    let mut tree = Tree::new();
    for entry in walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok) {
        if entry.file_type().is_file() {
            let relative = entry.path().strip_prefix(folder).unwrap();
            let name = relative.to_str().unwrap().replace('\\', "/");
            tree.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    tree
}

/// Writes the files below `folder`.
pub(crate) fn write_tree(folder: &Path, tree: &Tree) {
    for (name, bytes) in tree {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// The files in a temporary folder, which goes when the value does.
#[allow(dead_code, reason = "each test binary compiles this module, and not all of them need it")]
pub(crate) fn folder_with(tree: &Tree) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_tree(folder.path(), tree);
    folder
}

/// How a run of the program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    /// The exit code; `None` if a signal ended it, as a stack overflow does.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The program in `folder`, before it is started.
pub(crate) fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flyte-migrate"));
    without_settings(&mut command).current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs the program in `folder`.
pub(crate) fn run<S: AsRef<str>>(folder: &Path, args: &[S]) -> Run {
    program(folder).args(args.iter().map(AsRef::as_ref)).output().unwrap().into()
}

/// Runs `git` in `folder`.
#[allow(dead_code, reason = "each test binary compiles this module, and not all of them need git")]
pub(crate) fn git(folder: &Path, args: &[&str]) -> Run {
    // Not in a repository that the temporary folder may happen to lie in.
    let above = folder.parent().unwrap();
    let mut command = Command::new("git");
    without_settings(&mut command).args(args).current_dir(folder).env("GIT_CEILING_DIRECTORIES", above);
    command.output().unwrap().into()
}

/// Takes the settings of whoever runs the tests away: their ignore files, line endings and colors.
fn without_settings(command: &mut Command) -> &mut Command {
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "RUST_BACKTRACE", "GIT_DIR"] {
        command.env_remove(name);
    }
    let nowhere = if cfg!(windows) { "NUL" } else { "/dev/null" };
    command
        .env("GIT_CONFIG_GLOBAL", nowhere)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("HOME", nowhere)
        .env("XDG_CONFIG_HOME", nowhere)
}
