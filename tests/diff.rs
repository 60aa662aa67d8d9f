//! The diffs are taken by `git apply` and by `patch -p1`, and give the bytes that were meant.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use flyte_migrate::diff::{new_file_diff, unified_diff};

/// Runs a tool in `folder` with `input`; `None` where it is not installed.
fn run(folder: &Path, program: &str, args: &[&str], input: &str) -> Option<Result<(), String>> {
    let mut command = Command::new(program);
    // The settings of whoever runs the tests must not change line endings.
    command
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().ok()?;
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    Some(if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&said).into_owned()) })
}

/// Applies the diff from `before` to `after` with each tool, forward and back.
fn assert_applies(name: &str, before: &str, after: &str) {
    let diff = unified_diff(name, before, after);
    let tools: [(&str, &[&str], &[&str]); 2] = [
        ("git", &["apply", "-"], &["apply", "-R", "-"]),
        ("patch", &["-p1", "--binary", "--no-backup-if-mismatch"], &["-p1", "-R", "--binary"]),
    ];
    for (program, forward, back) in tools {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, before).unwrap();
        for (args, expected) in [(forward, after), (back, before)] {
            let Some(result) = run(folder.path(), program, args, &diff) else { continue };
            assert_eq!(result, Ok(()), "{program} {name}\n{diff}");
            assert_eq!(fs::read_to_string(&path).unwrap_or_default(), expected, "{program} {name}\n{diff}");
        }
    }
}

/// Numbered lines with the ending given.
fn lines(count: usize, ending: &str) -> String {
    (1..=count).flat_map(|number| [format!("line {number}"), ending.to_owned()]).collect()
}

#[test]
fn changes_at_every_place_are_taken() {
    let before = lines(40, "\n");
    assert_applies("a.py", &before, &before.replace("line 1\n", "").replace("line 20\n", "x\ny\n"));
    assert_applies("a.py", &before, &format!("{before}more\n"));
    assert_applies("a.py", &before, &before.replace("line 40\n", ""));
    assert_applies("a.py", "x\n", "y\n");
}

#[test]
fn every_line_ending_is_kept() {
    for ending in ["\n", "\r\n", "\r"] {
        let before = lines(30, ending);
        assert_applies("a.py", &before, &before.replace("line 15", "changed"));
    }
    assert_applies("mixed.py", "a\r\nb\nc\rd\ne\r\n", "a\r\nB\nc\rD\ne\r\n");
}

#[test]
fn a_missing_final_newline_is_kept_added_and_removed() {
    assert_applies("a.py", "a\nb", "A\nb");
    assert_applies("a.py", "a\nb", "a\nB");
    assert_applies("a.py", "a\nb", "a\nb\n");
    assert_applies("a.py", "a\nb\n", "a\nb");
    assert_applies("a.py", "a\r\nb\r", "a\r\nB\r");
}

#[test]
fn odd_characters_are_kept() {
    assert_applies("a.py", "\u{feff}a\nb\n", "\u{feff}A\nb\n");
    assert_applies("a.py", "\u{feff}a\r\n", "\u{feff}import x\r\na\r\n");
    assert_applies("a.py", "é\u{c}\u{2028}\n\tx\n", "é\u{c}\u{2028}\n\ty \n");
    assert_applies("a.py", "-- a\n++ b\n@@ -1 +1 @@\nx\n", "-- A\n++ b\n@@ -1 +1 @@\ny\n");
}

#[test]
fn odd_names_are_understood() {
    for name in ["dir with space/a b.py", "é/ü.py", "a/b/c.py", "-a.py"] {
        assert_applies(name, "x\ny\n", "x\nz\n");
    }
    if cfg!(unix) {
        for name in ["quo\"te.py", "back\\slash.py", "tab\there é.py"] {
            assert_applies(name, "x\ny\n", "x\nz\n");
        }
    }
}

#[test]
fn a_diff_shown_from_a_folder_of_a_repository_is_taken_there() {
    let folder = tempfile::tempdir().unwrap();
    let sub = folder.path().join("sub");
    fs::create_dir(&sub).unwrap();
    fs::write(sub.join("a.py"), "x\n").unwrap();
    if run(folder.path(), "git", &["init", "-q"], "").is_none() {
        return;
    }
    let diff = unified_diff("a.py", "x\n", "y\n");
    assert_eq!(run(&sub, "git", &["apply", "-"], &diff), Some(Ok(())));
    assert_eq!(fs::read_to_string(sub.join("a.py")).unwrap(), "y\n");
}

#[test]
fn diffs_of_several_files_and_new_ones_are_taken_together() {
    for (program, args) in [("git", &["apply", "-"][..]), ("patch", &["-p1", "--binary"])] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a b.py"), "x").unwrap();
        fs::write(folder.path().join("c.py"), "x\n").unwrap();
        let diff = [
            unified_diff("a b.py", "x", "y"),
            unified_diff("c.py", "x\n", "y\n"),
            new_file_diff("new/d e.py", "n\r\n"),
        ]
        .concat();
        let Some(result) = run(folder.path(), program, args, &diff) else { continue };
        assert_eq!(result, Ok(()), "{program}\n{diff}");
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(
            (read("a b.py"), read("c.py"), read("new/d e.py")),
            ("y".into(), "y\n".into(), "n\r\n".into())
        );
    }
}

#[test]
fn a_great_many_changes_are_taken() {
    let before = lines(3000, "\n");
    let kept = before.split_inclusive('\n').filter(|line| !line.ends_with("7\n"));
    let after: String = kept.map(|line| line.replace('3', "three")).collect();
    assert_applies("a.py", &before, &after);
}
