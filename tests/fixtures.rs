//! One test for each folder in `fixtures/`.
//!
//! A case holds `in/`, the files before; `out/`, those of them that differ afterward; `report.txt`, what `--write`
//! prints (no file where it prints nothing); and `case.toml`. `BLESS=1 cargo test --test fixtures` writes `out/` and
//! `report.txt` anew: read the difference before it is committed.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use serde::Deserialize;
use support::{Run, Tree, folder_with, git, read_tree, run, write_tree};

/// The UTF-8 byte order mark.
const BOM: &[u8] = "\u{feff}".as_bytes();

/// What a folder of a case may hold.
const ENTRIES: [&str; 4] = ["case.toml", "in", "out", "report.txt"];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(fixtures).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let trial = |folder: PathBuf| Trial::test(name(&folder), move || test(&folder));
    libtest_mimic::run(&arguments, folders.into_iter().map(trial).collect()).exit_code()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// What `case.toml` says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Why the case is there.
    intent: String,
    expect: Expect,
    /// Arguments behind those that every case gets.
    #[serde(default)]
    args: Vec<String>,
    /// Whether an `error:` on standard error belongs to the case.
    #[serde(default)]
    errors: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Expect {
    /// Files change, and nothing is left to do.
    Changed,
    /// No file changes.
    Unchanged,
    /// Files change, and something is left to do.
    Partial,
}

/// A case, read from its folder.
struct Case {
    folder: PathBuf,
    settings: Settings,
    before: Tree,
}

impl Case {
    fn read(folder: &Path) -> Result<Self, Failed> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            ensure(ENTRIES.contains(&name(&path).as_str()), || {
                format!("nothing reads `{}`", path.display())
            })?;
        }
        let text = fs::read_to_string(folder.join("case.toml"))
            .map_err(|error| format!("`case.toml` cannot be read: {error}"))?;
        let settings: Settings = toml::from_str(&text)?;
        ensure(!settings.intent.trim().is_empty(), || "the intent is empty".into())?;
        let before = read_tree(&folder.join("in"));
        ensure(!before.is_empty(), || "there are no files in `in/`".into())?;
        Ok(Self { folder: folder.to_path_buf(), settings, before })
    }

    /// Runs the program on the files in `folder`.
    fn run(&self, folder: &Path, args: &[&str]) -> Result<Run, Failed> {
        let own = self.settings.args.iter().map(String::as_str);
        let args: Vec<&str> = ["--project", "."].into_iter().chain(args.iter().copied()).chain(own).collect();
        let run = run(folder, &args);
        let is_clean = |line: &str| !line.starts_with("error:") && !line.contains("panicked at");
        ensure(matches!(run.code, Some(0..=2)), || format!("{args:?} crashed: {run:?}"))?;
        ensure(self.settings.errors || run.stderr.lines().all(is_clean), || {
            format!("{args:?} says on standard error:\n{}", run.stderr)
        })?;
        Ok(run)
    }

    /// Runs the program on `before` with `--write`: the files afterward, and how it went.
    fn write(&self, before: &Tree) -> Result<(Tree, Run), Failed> {
        let folder = folder_with(before);
        let run = self.run(folder.path(), &["--write", "--output-format", "concise"])?;
        Ok((read_tree(folder.path()), run))
    }

    /// The files that should be there afterward.
    fn expected(&self) -> Result<Tree, Failed> {
        let out = self.folder.join("out");
        let changed = read_tree(&out);
        ensure(out.exists() != changed.is_empty(), || "`out/` is empty".into())?;
        for (name, bytes) in &changed {
            ensure(self.before.get(name) != Some(bytes), || {
                format!("`out/{name}` is the same as `in/{name}`: only what changes belongs there")
            })?;
        }
        let mut expected = self.before.clone();
        expected.extend(changed);
        Ok(expected)
    }

    /// Writes `out/` and `report.txt` anew.
    fn bless(&self, after: &Tree, report: &str) -> Result<(), Failed> {
        let (out, report_file) = (self.folder.join("out"), self.folder.join("report.txt"));
        if out.exists() {
            fs::remove_dir_all(&out)?;
        }
        let is_changed = |(name, bytes): &(&String, &Vec<u8>)| self.before.get(*name) != Some(*bytes);
        let changed =
            after.iter().filter(is_changed).map(|(name, bytes)| (name.clone(), bytes.clone())).collect();
        write_tree(&out, &changed);
        if !report.is_empty() {
            fs::write(report_file, report)?;
        } else if report_file.exists() {
            fs::remove_file(report_file)?;
        }
        Ok(())
    }
}

/// Every check of a case; what fails comes out together.
fn test(folder: &Path) -> Result<(), Failed> {
    let case = Case::read(folder)?;
    let (after, write) = case.write(&case.before)?;
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        case.bless(&after, &write.stdout)?;
    }
    let checks = [
        comes_out_as_stored(&case, &after, &write.stdout),
        is_what_was_expected(&case, &after, &write),
        a_second_run_changes_nothing(&case, &after),
        the_diff_does_the_same(&case, &after),
        the_check_agrees(&case, &after),
        line_endings_are_kept(&case, &after, &write.stdout),
        byte_order_marks_are_kept(&case, &after, &write.stdout),
    ];
    let messages: Vec<String> = checks
        .into_iter()
        .filter_map(Result::err)
        .filter_map(|failed| Some(failed.message()?.into()))
        .collect();
    ensure(messages.is_empty(), || messages.join("\n\n"))
}

fn comes_out_as_stored(case: &Case, after: &Tree, report: &str) -> Result<(), Failed> {
    same_trees("--write", &case.expected()?, after)?;
    let file = case.folder.join("report.txt");
    let stored = if file.exists() { fs::read_to_string(&file)? } else { String::new() };
    ensure(!(file.exists() && stored.is_empty()), || "`report.txt` is empty: no file says the same".into())?;
    ensure(stored == report, || {
        format!("the report differs from `report.txt`\n--- stored\n{stored}--- printed\n{report}")
    })
}

fn is_what_was_expected(case: &Case, after: &Tree, write: &Run) -> Result<(), Failed> {
    let Run { code, stdout, .. } = write;
    let actual = match (*after == case.before, code) {
        (true, _) => Expect::Unchanged,
        (false, Some(0)) => Expect::Changed,
        (false, _) => Expect::Partial,
    };
    ensure(actual == case.settings.expect, || {
        format!("expect = {:?}, but it is {actual:?} (exit code {code:?})\n{stdout}", case.settings.expect)
    })?;
    ensure(actual != Expect::Unchanged || !case.folder.join("out").exists(), || {
        "nothing should change, yet there is an `out/`".into()
    })
}

fn a_second_run_changes_nothing(case: &Case, after: &Tree) -> Result<(), Failed> {
    let (again, _) = case.write(after)?;
    same_trees("a second --write", after, &again)
}

fn the_diff_does_the_same(case: &Case, after: &Tree) -> Result<(), Failed> {
    let folder = folder_with(&case.before);
    let diff = case.run(folder.path(), &["--diff"])?.stdout;
    same_trees("--diff", &case.before, &read_tree(folder.path()))?;
    let patch = tempfile::NamedTempFile::new()?;
    fs::write(patch.path(), &diff)?;
    // An empty patch is refused by git.
    if !diff.is_empty() {
        let applied = git(folder.path(), &["apply", patch.path().to_str().unwrap()]);
        ensure(applied.code == Some(0), || {
            format!("git refuses the diff: {}\n{diff}", applied.stderr.trim_end())
        })?;
    }
    same_trees("--diff with git apply", after, &read_tree(folder.path()))
}

/// What the checks need of the JSON report.
#[derive(Deserialize)]
struct Report {
    diagnostics: Vec<Diagnostic>,
}

#[derive(Deserialize)]
struct Diagnostic {
    severity: String,
    status: String,
}

fn the_check_agrees(case: &Case, after: &Tree) -> Result<(), Failed> {
    let folder = folder_with(&case.before);
    let check = case.run(folder.path(), &["--check"])?;
    let json = case.run(folder.path(), &["--output-format", "json"])?;
    let diff = case.run(folder.path(), &["--diff"])?;
    same_trees("--check, or no mode,", &case.before, &read_tree(folder.path()))?;
    let findings = serde_json::from_str::<Report>(&json.stdout)?.diagnostics;
    let expected = if findings.iter().any(|finding| finding.severity == "error") {
        2
    } else {
        i32::from(*after != case.before || findings.iter().any(|finding| finding.status != "info"))
    };
    for (mode, run) in [("--check", check), ("no mode", json), ("--diff", diff)] {
        ensure(run.code == Some(expected), || {
            format!("{mode} exits with {:?} where {expected} is right", run.code)
        })?;
    }
    Ok(())
}

/// The tree with CRLF comes out as the tree with LF does, with CRLF. Files that have other line endings already, or
/// are not UTF-8, take part as they are.
fn line_endings_are_kept(case: &Case, after: &Tree, report: &str) -> Result<(), Failed> {
    let is_plain = |bytes: &[u8]| {
        std::str::from_utf8(bytes).is_ok_and(|text| text.contains('\n') && !text.contains('\r'))
    };
    // What is created ends its lines as the file that needs it.
    let mut plain = names(after, |name, bytes| !case.before.contains_key(name) && is_plain(bytes));
    plain.extend(names(&case.before, |_, bytes| is_plain(bytes)));
    let with_crlf = |tree: &Tree| {
        map_files(tree, &plain, |bytes| {
            String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace('\n', "\r\n").into()
        })
    };
    let (actual, run) = case.write(&with_crlf(&case.before))?;
    same_trees("--write with CRLF", &with_crlf(after), &actual)?;
    ensure(run.stdout == report, || format!("with CRLF the report is another:\n{}", run.stdout))
}

/// A byte order mark in front of every Python file stays there, and changes nothing else.
fn byte_order_marks_are_kept(case: &Case, after: &Tree, report: &str) -> Result<(), Failed> {
    let plain = names(&case.before, |name, bytes| {
        Path::new(name).extension().is_some_and(|suffix| suffix == "py")
            && std::str::from_utf8(bytes).is_ok()
            && !bytes.starts_with(BOM)
    });
    let with_bom = |tree: &Tree| map_files(tree, &plain, |bytes| [BOM, bytes].concat());
    let (actual, run) = case.write(&with_bom(&case.before))?;
    same_trees("--write with byte order marks", &with_bom(after), &actual)?;
    ensure(run.stdout == report, || format!("with byte order marks the report is another:\n{}", run.stdout))
}

/// The names of the files that are as wanted.
fn names(tree: &Tree, is_wanted: impl Fn(&str, &[u8]) -> bool) -> BTreeSet<String> {
    tree.iter().filter(|(name, bytes)| is_wanted(name, bytes)).map(|(name, _)| name.clone()).collect()
}

/// The tree with the files of these names changed.
fn map_files(tree: &Tree, names: &BTreeSet<String>, change: impl Fn(&[u8]) -> Vec<u8>) -> Tree {
    let changed = |name: &String, bytes: &Vec<u8>| {
        if names.contains(name) { change(bytes) } else { bytes.clone() }
    };
    tree.iter().map(|(name, bytes)| (name.clone(), changed(name, bytes))).collect()
}

/// Fails with a diff of the first file that differs.
fn same_trees(what: &str, expected: &Tree, actual: &Tree) -> Result<(), Failed> {
    let names: BTreeSet<&String> = expected.keys().chain(actual.keys()).collect();
    for name in names {
        match (expected.get(name), actual.get(name)) {
            (Some(left), Some(right)) if left != right => {
                let diff = difference(left, right);
                return fail(format!("{what}: `{name}` is not as expected (-) but:\n{diff}"));
            }
            (Some(_), None) => return fail(format!("{what}: `{name}` is gone")),
            (None, Some(_)) => return fail(format!("{what}: `{name}` should not be there")),
            _ => {}
        }
    }
    Ok(())
}

/// A diff for people, with what cannot be seen in it written out.
fn difference(expected: &[u8], actual: &[u8]) -> String {
    let visible = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes)
            .replace('\r', "\\r")
            .replace('\u{feff}', "\\u{feff}")
            .replace('\0', "\\0")
    };
    let (expected, actual) = (visible(expected), visible(actual));
    similar::TextDiff::from_lines(&expected, &actual).unified_diff().to_string()
}

fn ensure(holds: bool, message: impl FnOnce() -> String) -> Result<(), Failed> {
    if holds { Ok(()) } else { fail(message()) }
}

fn fail(message: String) -> Result<(), Failed> {
    Err(message.into())
}
