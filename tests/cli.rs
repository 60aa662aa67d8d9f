//! The program from the outside: each flag, each exit code, and input that is no good.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use support::{Run, Tree, folder_with, git, program, read_tree, run};
use tempfile::TempDir;

/// An image and its task; nothing stands in the way.
const TRAIN: &str = r#"from flytekit import ImageSpec, task

image = ImageSpec(name="trainer", packages=["pandas"], platform="linux/amd64,linux/arm64")


@task(container_image=image)
def total(x: int) -> int:
    return x
"#;

/// A workflow that calls the task of `train.py`.
const FLOW: &str = r"from flytekit import workflow

from train import total


@workflow
def main(x: int) -> int:
    return total(x=x)
";

/// A syntax error in a file of Flyte 1.
const BROKEN: &str = "from flytekit import task\n\nx = (1\n";

/// Python that has nothing to do with Flyte.
const PLAIN: &str = "x = 1\n";

/// The files, in a folder that is the root of a git repository.
fn project(files: &[(&str, &str)]) -> TempDir {
    let tree: Tree = files.iter().map(|(name, text)| ((*name).into(), text.as_bytes().to_vec())).collect();
    let folder = folder_with(&tree);
    fs::create_dir(folder.path().join(".git")).unwrap();
    folder
}

fn read(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

/// `train.py` as it comes out of `--write`.
fn migrated_train() -> String {
    let folder = project(&[("train.py", TRAIN)]);
    assert_eq!(run(folder.path(), &["--write"]).code, Some(0));
    let text = read(&folder, "train.py");
    assert!(text.contains("@env.task") && !text.contains("flytekit"), "{text}");
    text
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap()
}

/// The lines of a concise report that carry the code.
fn lines_with<'a>(run: &'a Run, code: &str) -> Vec<&'a str> {
    run.stdout.lines().filter(|line| line.contains(code)).collect()
}

mod modes {
    use super::*;

    #[test]
    fn without_a_mode_findings_are_listed_and_nothing_is_changed() {
        let folder = project(&[("train.py", TRAIN)]);
        let report = run(folder.path(), &["."]);
        assert_eq!((report.code, report.stderr.as_str()), (Some(1), ""));
        assert!(report.stdout.contains("--> train.py:3:9"), "{}", report.stdout);
        assert!(report.stdout.contains("| image = ImageSpec("), "{}", report.stdout);
        assert!(report.stdout.lines().last().unwrap().starts_with("Found "), "{}", report.stdout);
        assert_eq!(read(&folder, "train.py"), TRAIN);
    }

    #[test]
    fn without_paths_the_current_folder_is_meant() {
        let folder = project(&[("train.py", TRAIN)]);
        assert_eq!(run::<&str>(folder.path(), &[]), run(folder.path(), &["."]));
    }

    #[test]
    fn diff_prints_what_git_apply_takes_and_changes_nothing() {
        let folder = project(&[("etl/flow.py", FLOW), ("train.py", TRAIN)]);
        let diff = run(folder.path(), &["--diff"]);
        assert_eq!((diff.code, read(&folder, "train.py").as_str()), (Some(1), TRAIN));
        assert!(diff.stdout.starts_with("--- a/etl/flow.py\n+++ b/etl/flow.py\n@@ "), "{}", diff.stdout);
        fs::write(folder.path().join("the.patch"), &diff.stdout).unwrap();
        let applied = git(folder.path(), &["apply", "the.patch"]);
        assert_eq!(applied.code, Some(0), "{}", applied.stderr);
        assert_eq!(read(&folder, "train.py"), migrated_train());
    }

    #[test]
    fn git_apply_takes_a_diff_that_was_made_in_a_folder_below() {
        let folder = project(&[("sub/plain.py", PLAIN), ("train.py", TRAIN)]);
        let below = folder.path().join("sub");
        let diff = run(&below, &["--diff", ".."]).stdout;
        let patch = folder.path().join("the.patch");
        fs::write(&patch, &diff).unwrap();
        let apply = |place: &Path| git(place, &["apply", patch.to_str().unwrap()]).code;
        assert!(apply(&below) == Some(0) || apply(folder.path()) == Some(0), "{diff}");
        assert_eq!(read(&folder, "train.py"), migrated_train());
    }

    #[test]
    fn diff_says_on_standard_error_what_remains() {
        let folder = project(&[("train.py", TRAIN), ("broken.py", BROKEN)]);
        let diff = run(folder.path(), &["--diff"]);
        assert_eq!(diff.code, Some(2));
        assert!(diff.stdout.starts_with("--- a/train.py\n"), "{}", diff.stdout);
        assert!(!diff.stdout.contains("FM001") && diff.stderr.contains("FM001"), "{diff:?}");
    }

    #[test]
    fn check_gives_one_line_and_changes_nothing() {
        let folder = project(&[("train.py", TRAIN)]);
        let check = run(folder.path(), &["--check"]);
        assert_eq!((check.code, read(&folder, "train.py").as_str()), (Some(1), TRAIN));
        assert_eq!(check.stdout.lines().count() + check.stderr.lines().count(), 1, "{check:?}");
        let quiet = run(folder.path(), &["--check", "-q"]);
        assert_eq!((quiet.code, quiet.stdout.as_str(), quiet.stderr.as_str()), (Some(1), "", ""));
    }

    #[test]
    fn check_of_a_migrated_project_is_clean() {
        let folder = project(&[("train.py", TRAIN), ("flow.py", FLOW)]);
        assert_eq!(run(folder.path(), &["--write"]).code, Some(0));
        for mode in ["--check", "--diff", "--write"] {
            assert_eq!(run(folder.path(), &[mode]).code, Some(0), "{mode}");
        }
    }

    #[test]
    fn write_changes_the_files_and_leaves_no_others() {
        let folder = project(&[("train.py", TRAIN), ("flow.py", FLOW), ("plain.py", PLAIN)]);
        let write = run(folder.path(), &["--write"]);
        assert_eq!((write.code, write.stderr.as_str()), (Some(0), ""));
        assert_eq!(read(&folder, "train.py"), migrated_train());
        assert_eq!(read(&folder, "plain.py"), PLAIN);
        let names: Vec<String> = read_tree(folder.path()).into_keys().collect();
        assert_eq!(names, ["flow.py", "plain.py", "train.py"]);
    }

    #[test]
    fn files_lists_what_would_be_analyzed_by_path() {
        let folder = project(&[
            ("b.py", PLAIN),
            ("a/z.py", TRAIN),
            ("a/notes.txt", ""),
            (".venv/lib.py", ""),
            ("node_modules/x.py", ""),
            ("a/__pycache__/y.py", ""),
            ("site-packages/s.py", ""),
            ("old/o.py", ""),
            (".gitignore", "old/\n"),
        ]);
        let files = |args: &[&str]| run(folder.path(), args);
        let all = files(&["--files"]);
        assert_eq!((all.code, all.stdout.as_str(), all.stderr.as_str()), (Some(0), "a/z.py\nb.py\n", ""));
        assert_eq!(files(&["--files", "a"]).stdout, "a/z.py\n");
        assert_eq!(files(&["--files", "--no-ignore"]).stdout, "a/z.py\nb.py\nold/o.py\n");
        assert_eq!(files(&["--files", "--exclude", "a/", "--exclude", "c*"]).stdout, "b.py\n");
    }

    #[test]
    fn modes_exclude_each_other() {
        let folder = project(&[("train.py", TRAIN)]);
        let modes = ["--diff", "--check", "--write", "--files"];
        for (index, first) in modes.iter().enumerate() {
            for second in &modes[index + 1..] {
                let refused = run(folder.path(), &[first, second]);
                assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""), "{first} {second}");
                assert!(refused.stderr.starts_with("error: "), "{}", refused.stderr);
            }
        }
        assert_eq!(read(&folder, "train.py"), TRAIN);
    }
}

mod flags {
    use super::*;

    #[test]
    fn help_and_version_are_no_errors() {
        let folder = project(&[]);
        for (flag, expected) in [
            ("--help", "Usage: flyte-migrate"),
            ("-h", "Exit codes:"),
            ("--version", concat!("flyte-migrate ", env!("CARGO_PKG_VERSION"))),
        ] {
            let run = run(folder.path(), &[flag]);
            assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{flag}");
            assert!(run.stdout.contains(expected), "{}", run.stdout);
        }
    }

    #[test]
    fn bad_usage_exits_with_2() {
        let folder = project(&[("train.py", TRAIN)]);
        for args in [
            &["--no-such-flag"][..],
            &["--output-format", "yaml"],
            &["--layer-order", "random"],
            &["--color", "sometimes"],
            &["--threads", "0"],
            &["--threads", "many"],
            &["--exclude", "{a", "--files"],
            &["--project", ".", "--no-project"],
            &["--project", "nowhere"],
            &["--project", "train.py"],
            &["rule"],
            &["rule", "FM103", "--all"],
        ] {
            let refused = run(folder.path(), args);
            assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""), "{args:?}");
            assert!(refused.stderr.starts_with("error: "), "{args:?}: {}", refused.stderr);
        }
    }

    #[test]
    fn unsafe_fixes_are_applied_only_when_asked_for() {
        let text = TRAIN
            .replace("import ImageSpec, ", "import ImageSpec, Resources, ")
            .replace("container_image=image", "container_image=image, limits=Resources(cpu=\"1\")");
        let folder = project(&[("train.py", &text)]);
        let safe = run(folder.path(), &["--write", "--output-format", "concise"]);
        assert_eq!((safe.code, read(&folder, "train.py")), (Some(1), text));
        assert!(safe.stdout.contains("[~]"), "{}", safe.stdout);
        assert_eq!(run(folder.path(), &["--write", "--unsafe-fixes"]).code, Some(0));
        assert!(read(&folder, "train.py").contains("resources="), "{}", read(&folder, "train.py"));
    }

    #[test]
    fn partial_converts_what_can_be_and_says_what_breaks() {
        let folder = project(&[("train.py", TRAIN), ("flow.py", FLOW)]);
        let partial = run(folder.path(), &["--write", "--partial", "--output-format", "concise", "train.py"]);
        assert_eq!(partial.code, Some(1), "{}", partial.stdout);
        assert_eq!(read(&folder, "flow.py"), FLOW);
        assert!(read(&folder, "train.py").contains("@env.task"));
        assert!(partial.stdout.contains("FM222"), "{}", partial.stdout);
    }

    #[test]
    fn layers_come_in_the_order_asked_for() {
        let text = TRAIN.replace("[\"pandas\"]", "[\"pandas\"], apt_packages=[\"git\"]");
        let is_apt_first = |args: &[&str]| {
            let folder = project(&[("train.py", &text)]);
            assert_eq!(run(folder.path(), &[&["--write"], args].concat()).code, Some(0));
            let text = read(&folder, "train.py");
            text.find("with_apt_packages").unwrap() < text.find("with_pip_packages").unwrap()
        };
        assert!(is_apt_first(&[]));
        assert!(is_apt_first(&["--layer-order", "flyte1"]));
        assert!(!is_apt_first(&["--layer-order", "source"]));
    }

    #[test]
    fn excluded_files_stay() {
        let folder = project(&[("train.py", TRAIN), ("old/train.py", TRAIN)]);
        assert_eq!(run(folder.path(), &["--write", "--exclude", "old"]).code, Some(0));
        assert_eq!(read(&folder, "old/train.py"), TRAIN);
        assert_eq!(read(&folder, "train.py"), migrated_train());
    }

    #[test]
    fn ignored_files_stay_unless_asked_for() {
        let folder = project(&[("train.py", TRAIN), (".gitignore", "train.py\n")]);
        assert_eq!(run(folder.path(), &["--write"]).code, Some(0));
        assert_eq!(read(&folder, "train.py"), TRAIN);
        assert_eq!(run(folder.path(), &["--write", "--no-ignore"]).code, Some(0));
        assert_eq!(read(&folder, "train.py"), migrated_train());
    }

    #[test]
    fn a_file_that_is_named_is_taken_though_it_is_ignored() {
        let folder = project(&[("train.py", TRAIN), (".gitignore", "*.py\n")]);
        assert_eq!(run(folder.path(), &["--write", "train.py"]).code, Some(0));
        assert_eq!(read(&folder, "train.py"), migrated_train());
    }

    #[test]
    fn quiet_prints_nothing_for_people_but_the_diff_and_json_stay() {
        let folder = project(&[("train.py", TRAIN), ("broken.py", BROKEN)]);
        for flag in ["-q", "--quiet"] {
            let quiet = run(folder.path(), &[flag]);
            assert_eq!((quiet.code, quiet.stdout.as_str(), quiet.stderr.as_str()), (Some(2), "", ""));
        }
        let diff = run(folder.path(), &["-q", "--diff"]);
        assert_eq!((diff.stderr.as_str(), &diff.stdout), ("", &run(folder.path(), &["--diff"]).stdout));
        let object = run(folder.path(), &["-q", "--output-format", "json"]);
        assert_eq!(object, run(folder.path(), &["--output-format", "json"]));
    }

    #[test]
    fn quiet_means_the_same_in_both_formats_for_people() {
        let folder = project(&[("train.py", TRAIN)]);
        let of = |format: &str| run(folder.path(), &["-q", "--output-format", format]).stdout.is_empty();
        assert_eq!(of("full"), of("concise"));
    }

    #[test]
    fn exit_zero_hides_findings_but_no_errors() {
        let folder = project(&[("train.py", TRAIN)]);
        for mode in [&[][..], &["--check"], &["--diff"]] {
            let code = |args: &[&str]| run(folder.path(), &[mode, args].concat()).code;
            assert_eq!((code(&[]), code(&["--exit-zero"])), (Some(1), Some(0)), "{mode:?}");
        }
        fs::write(folder.path().join("broken.py"), BROKEN).unwrap();
        assert_eq!(run(folder.path(), &["--exit-zero"]).code, Some(2));
    }

    #[test]
    fn colors_come_when_asked_for() {
        let folder = project(&[("train.py", TRAIN)]);
        let is_colored = |args: &[&str], variable: Option<&str>| {
            let mut command = program(folder.path());
            command.args(args).envs(variable.map(|name| (name, "1")));
            Run::from(command.output().unwrap()).stdout.contains('\u{1b}')
        };
        for mode in [&[][..], &["--diff"]] {
            let with = |args: &[&str], variable| is_colored(&[mode, args].concat(), variable);
            assert!(!with(&[], None), "{mode:?}");
            assert!(!with(&["--color", "auto"], Some("NO_COLOR")), "{mode:?}");
            assert!(!with(&["--color", "never"], Some("CLICOLOR_FORCE")), "{mode:?}");
            assert!(with(&["--color", "always"], None), "{mode:?}");
            assert!(with(&["--color", "always"], Some("NO_COLOR")), "{mode:?}");
            assert!(with(&[], Some("CLICOLOR_FORCE")), "CLICOLOR_FORCE {mode:?}");
        }
    }

    #[test]
    fn output_is_the_same_whatever_the_thread_count() {
        let mut tree = Tree::new();
        for number in 0..60 {
            tree.insert(format!("p{}/m{number}.py", number % 7), TRAIN.into());
        }
        tree.insert("p3/broken.py".into(), BROKEN.into());
        let folder = folder_with(&tree);
        for mode in
            [&["--output-format", "json"][..], &["--diff"], &["--files"], &["--output-format", "full"]]
        {
            let with = |threads: &str| run(folder.path(), &[mode, &["--threads", threads]].concat());
            let single = with("1");
            assert!(!single.stdout.is_empty());
            for threads in ["2", "4", "16"] {
                assert_eq!(single, with(threads), "{mode:?} {threads}");
            }
        }
    }

    #[test]
    fn the_line_length_of_the_project_counts() {
        let folder = project(&[("train.py", TRAIN), ("pyproject.toml", "[tool.ruff]\nline-length = 160\n")]);
        assert_eq!(run(folder.path(), &["--write"]).code, Some(0));
        let text = read(&folder, "train.py");
        assert!(
            text.lines().any(|line| line.starts_with("image = ") && line.ends_with("(\"pandas\")")),
            "{text}"
        );
    }
}

mod configuration {
    use super::*;

    const SPEC: &str = "from flytekit import ImageSpec, task\n\nimage = ImageSpec(name=\"a\", packages=[\"b\"], \
                        apt_packages=[\"c\"])\n\n\n@task(container_image=image)\ndef f() -> int:\n    return 1\n";
    const SOURCE: &str = "[tool.flyte-migrate]\nlayer-order = \"source\"\nplatform = \"flyte1\"\n";

    /// The line of the diff that defines the image.
    fn image(folder: &TempDir, args: &[&str]) -> String {
        let run = run(folder.path(), &[&["--diff", "--quiet"], args].concat());
        assert_eq!((run.code, run.stderr.as_str()), (Some(1), ""), "{run:?}");
        let lines = run.stdout.lines().filter(|line| line.starts_with('+') && !line.contains("import"));
        lines.map(|line| line[1..].trim()).collect::<String>().split("env =").next().unwrap().to_owned()
    }

    #[test]
    fn the_nearest_pyproject_says_what_the_command_line_does_not() {
        let folder = project(&[("pyproject.toml", SOURCE), ("train.py", SPEC)]);
        let configured = image(&folder, &[]);
        assert!(configured.contains("platform=(\"linux/amd64\",)"), "{configured}");
        assert!(configured.find("\"b\"") < configured.find("\"c\""), "{configured}");
        let typed = image(&folder, &["--layer-order", "flyte1", "--platform", "flyte2"]);
        assert_eq!(typed, image(&folder, &["--isolated"]));
        assert!(!typed.contains("platform"), "{typed}");
    }

    #[test]
    fn a_pyproject_without_the_table_is_passed_by() {
        let other = "[tool.ruff]\nline-length = 79\n";
        let folder =
            project(&[("pyproject.toml", SOURCE), ("sub/pyproject.toml", other), ("sub/train.py", SPEC)]);
        assert!(image(&folder, &["sub"]).contains("platform="));
    }

    #[test]
    fn another_file_can_be_named() {
        let folder = project(&[("ci.toml", SOURCE), ("train.py", SPEC)]);
        assert!(image(&folder, &["--config", "ci.toml"]).contains("platform="));
        for args in [["--config", "train.py"], ["--config", "nowhere.toml"]] {
            let run = run(folder.path(), &args);
            assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{run:?}");
        }
    }

    #[test]
    fn excluded_folders_add_up() {
        let text = "[tool.flyte-migrate]\nexclude = [\"a/\"]\n";
        let folder = project(&[("pyproject.toml", text), ("a/x.py", ""), ("b/x.py", ""), ("c/x.py", "")]);
        assert_eq!(run(folder.path(), &["--files", "--exclude", "b/"]).stdout, "c/x.py\npyproject.toml\n");
    }

    #[test]
    fn a_misspelled_key_ends_the_run() {
        let folder = project(&[
            ("pyproject.toml", "[tool.flyte-migrate]\nlayer_order = \"source\"\n"),
            ("train.py", SPEC),
        ]);
        let run = run(folder.path(), &["--write"]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
        assert!(run.stderr.contains("did you mean `layer-order`?"), "{}", run.stderr);
        assert_eq!(read(&folder, "train.py"), SPEC);
    }
}

mod rule {
    use super::*;

    #[test]
    fn a_rule_is_explained_by_code_or_name() {
        let folder = project(&[]);
        let explained = run(folder.path(), &["rule", "FM103"]);
        assert_eq!((explained.code, explained.stderr.as_str()), (Some(0), ""));
        assert!(explained.stdout.starts_with("# image-spec-packages (FM103)\n"), "{}", explained.stdout);
        assert_eq!(explained, run(folder.path(), &["rule", "fm103"]));
        assert_eq!(explained, run(folder.path(), &["rule", "image-spec-packages"]));
    }

    #[test]
    fn all_rules_are_listed_by_code() {
        let all = run(project(&[]).path(), &["rule", "--all"]);
        let codes: Vec<&str> =
            all.stdout.lines().filter(|line| line.starts_with("FM")).map(|line| &line[..5]).collect();
        assert_eq!(all.code, Some(0));
        assert!(codes.is_sorted() && codes.contains(&"FM001") && codes.contains(&"FM900"), "{codes:?}");
    }

    #[test]
    fn an_unknown_rule_is_an_error() {
        let unknown = run(project(&[]).path(), &["rule", "FM999"]);
        assert_eq!((unknown.code, unknown.stdout.as_str()), (Some(2), ""));
        assert!(
            unknown.stderr.starts_with("error: ") && unknown.stderr.contains("FM999"),
            "{}",
            unknown.stderr
        );
    }
}

mod bad_input {
    use super::*;

    /// Runs `--write` where `train.py` lies beside a file that is no good: that one stays, `train.py` is done.
    fn beside_train(name: &str, bytes: &[u8]) -> Run {
        let folder = project(&[("train.py", TRAIN)]);
        fs::write(folder.path().join(name), bytes).unwrap();
        let write = run(folder.path(), &["--write", "--output-format", "concise"]);
        assert!(matches!(write.code, Some(0..=2)), "{write:?}");
        assert!(fs::read(folder.path().join(name)).unwrap() == bytes, "{name} was changed");
        assert_eq!(read(&folder, "train.py"), migrated_train(), "{}", write.stdout);
        assert!(!write.stderr.contains("panicked"), "{}", write.stderr);
        write
    }

    #[test]
    fn an_empty_folder_has_nothing_to_migrate() {
        let folder = project(&[]);
        let report = run(folder.path(), &["."]);
        assert_eq!((report.code, report.stderr.as_str()), (Some(0), ""));
        assert_eq!(report.stdout, "Nothing to migrate.\n");
        for mode in ["--diff", "--files"] {
            let run = run(folder.path(), &[mode, "-q"]);
            assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (Some(0), "", ""), "{mode}");
        }
    }

    #[test]
    fn what_does_not_exist_is_named() {
        let folder = project(&[("train.py", TRAIN)]);
        for path in ["nowhere", "nowhere/at/all", "nothing.py"] {
            let refused = run(folder.path(), &[path]);
            assert_eq!((refused.code, refused.stdout.contains("train.py")), (Some(2), false), "{path}");
            assert!(refused.stderr.starts_with("error: ") && refused.stderr.contains(path), "{refused:?}");
        }
    }

    #[test]
    fn what_does_not_exist_does_not_stop_the_others() {
        for path in ["nowhere", "nothing.py"] {
            let folder = project(&[("train.py", TRAIN)]);
            let write = run(folder.path(), &["--write", path, "train.py"]);
            assert_eq!(write.code, Some(2), "{write:?}");
            assert!(write.stderr.contains(path), "{write:?}");
            assert_eq!(read(&folder, "train.py"), migrated_train(), "{write:?}");
        }
    }

    #[test]
    fn a_syntax_error_is_a_finding_with_its_place() {
        let write = beside_train("broken.py", BROKEN.as_bytes());
        assert_eq!((write.code, lines_with(&write, "FM001").len()), (Some(2), 1), "{write:?}");
        assert!(write.stdout.starts_with("broken.py:"), "{}", write.stdout);
    }

    #[test]
    fn a_syntax_error_in_a_file_without_flyte_is_none_of_our_business() {
        let write = beside_train("broken.py", b"x = (1\n");
        assert_eq!((write.code, write.stdout.contains("broken.py")), (Some(0), false));
    }

    #[test]
    fn what_is_not_utf_8_is_a_finding() {
        let latin1 = b"# -*- coding: latin-1 -*-\nfrom flytekit import task\nname = \"caf\xe9\"\n";
        let write = beside_train("latin.py", latin1);
        assert_eq!((write.code, lines_with(&write, "FM002").len()), (Some(2), 1), "{write:?}");
        assert!(lines_with(&write, "FM002")[0].starts_with("latin.py:"), "{}", write.stdout);
        assert_eq!(beside_train("latin.py", b"name = \"caf\xe9\"\n").code, Some(0));
    }

    #[test]
    fn nul_bytes_are_a_finding() {
        for text in
            ["from flytekit import task\nx = 1\0\n", "from flytekit import task\n# \0\n", "\0\0flytekit\0"]
        {
            let write = beside_train("nul.py", text.as_bytes());
            assert_eq!((write.code, lines_with(&write, "FM001").len()), (Some(2), 1), "{text:?} {write:?}");
        }
    }

    #[test]
    fn files_with_next_to_nothing_in_them_are_fine() {
        for bytes in
            [&b""[..], b"\n", b"\r", b"\x0c", b"#", b"# flytekit", b"\xef\xbb\xbf", b"\xef\xbb\xbf# union"]
        {
            let write = beside_train("little.py", bytes);
            assert_eq!((write.code, write.stdout.contains("little.py")), (Some(0), false), "{bytes:?}");
        }
    }

    #[test]
    fn deep_nesting_crashes_nothing() {
        for depth in [1_000, 20_000] {
            for (open, inner, close) in [
                ("(", "1", ")"),
                ("[", "", "]"),
                ("{", "", "}"),
                ("{1: ", "1", "}"),
                ("f(", "", ")"),
                ("x[", "1", "]"),
                ("-", "1", ""),
                ("not ", "x", ""),
                ("lambda: ", "x", ""),
                ("1 + ", "1", ""),
                ("1 if x else ", "1", ""),
                ("", "x", "()"),
                ("", "1", " ** 1"),
                ("(", "1", ""),
            ] {
                let text = format!(
                    "from flytekit import task\nx = {}{inner}{}\n",
                    open.repeat(depth),
                    close.repeat(depth)
                );
                beside_train("deep.py", text.as_bytes());
            }
        }
    }

    #[test]
    fn long_chains_crash_nothing() {
        for (link, count) in [(".y", 2_000), (".y()", 2_000), ("[0]", 20_000), ("()", 20_000)] {
            let text = format!("from flytekit import task\nx = y{}\n", link.repeat(count));
            beside_train("long.py", text.as_bytes());
        }
    }

    #[test]
    fn deep_statements_crash_nothing() {
        let nested: Vec<String> = (0..400).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect();
        let text = format!("from flytekit import task\n{}{}pass\n", nested.concat(), " ".repeat(400));
        beside_train("deep.py", text.as_bytes());
        let chain =
            format!("from flytekit import task\nif x:\n    pass\n{}", "elif x:\n    pass\n".repeat(5_000));
        beside_train("deep.py", chain.as_bytes());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn an_unreadable_file_is_a_finding() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = project(&[("train.py", TRAIN), ("secret.py", TRAIN)]);
        let secret = folder.path().join("secret.py");
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
        if fs::read(&secret).is_ok() {
            // Root reads everything, except what the kernel itself cannot read: its own memory from address 0.
            fs::remove_file(&secret).unwrap();
            symlink("/proc/self/mem", &secret).unwrap();
        }
        let args = ["--write", "--output-format", "concise", "--project", ".", "secret.py", "train.py"];
        let write = run(folder.path(), &args);
        assert_eq!((write.code, lines_with(&write, "FM002").len()), (Some(2), 1), "{write:?}");
        assert_eq!(read(&folder, "train.py"), migrated_train());
    }

    #[test]
    fn a_folder_called_like_a_file_is_a_folder() {
        let folder = project(&[("odd.py/train.py", TRAIN)]);
        assert_eq!(run(folder.path(), &["--files"]).stdout, "odd.py/train.py\n");
        assert_eq!(run(folder.path(), &["--files", "odd.py"]).stdout, "odd.py/train.py\n");
    }

    #[test]
    #[cfg(unix)]
    fn a_pipe_is_refused_rather_than_waited_for() {
        let folder = project(&[("train.py", TRAIN)]);
        let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe.py")).status();
        assert!(made.unwrap().success());
        assert_eq!(run(folder.path(), &["--files"]).stdout, "train.py\n");
        let refused = run(folder.path(), &["pipe.py"]);
        assert_eq!(refused.code, Some(2));
        assert!(refused.stderr.contains("pipe.py"), "{}", refused.stderr);
    }

    #[test]
    fn odd_file_names_are_fine() {
        let names = ["a b.py", "é.py", "-x.py", "quo\"te.py", "class.py", "1.py"];
        let folder = project(&names.map(|name| (name, TRAIN)));
        let diff = run(folder.path(), &["--diff"]);
        fs::write(folder.path().join("the.patch"), &diff.stdout).unwrap();
        let applied = git(folder.path(), &["apply", "the.patch"]);
        assert_eq!(applied.code, Some(0), "{}\n{}", applied.stderr, diff.stdout);
        for name in names {
            assert!(read(&folder, name).contains("@env.task"), "{name}");
        }
    }
}

mod writing {
    use super::*;

    #[cfg(unix)]
    fn set_mode(folder: &TempDir, name: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    #[cfg(unix)]
    fn the_mode_of_a_file_is_kept() {
        use std::os::unix::fs::PermissionsExt as _;
        for mode in [0o755, 0o600] {
            let folder = project(&[("train.py", TRAIN)]);
            set_mode(&folder, "train.py", mode);
            assert_eq!(run(folder.path(), &["--write"]).code, Some(0));
            assert_eq!(read(&folder, "train.py"), migrated_train());
            let after = fs::metadata(folder.path().join("train.py")).unwrap().permissions().mode();
            assert_eq!(after & 0o7777, mode);
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_read_only_file_is_said_and_the_others_are_written() {
        let folder = project(&[("locked.py", TRAIN), ("train.py", TRAIN)]);
        set_mode(&folder, "locked.py", 0o444);
        let write = run(folder.path(), &["--write", "--output-format", "json"]);
        assert_eq!(write.code, Some(2));
        assert!(write.stderr.starts_with("error: locked.py: "), "{}", write.stderr);
        assert_eq!((read(&folder, "locked.py"), read(&folder, "train.py")), (TRAIN.into(), migrated_train()));
        for finding in json(&write)["diagnostics"].as_array().unwrap() {
            let is_locked = finding["filename"] == "locked.py";
            assert_eq!(finding["status"] == "fixed", !is_locked, "{finding}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_group_with_a_read_only_file_is_not_written_by_half() {
        for locked in ["flow.py", "train.py"] {
            let folder = project(&[("flow.py", FLOW), ("train.py", TRAIN)]);
            set_mode(&folder, locked, 0o444);
            let write = run(folder.path(), &["--write"]);
            assert_eq!(write.code, Some(2), "{write:?}");
            assert_eq!(
                (read(&folder, "flow.py").as_str(), read(&folder, "train.py").as_str()),
                (FLOW, TRAIN)
            );
        }
    }

    #[test]
    #[cfg(unix)]
    fn symbolic_links_are_not_followed_in_walks() {
        use std::os::unix::fs::symlink;
        let outside = project(&[("train.py", TRAIN)]);
        let folder = project(&[("src/plain.py", PLAIN)]);
        symlink(outside.path().join("train.py"), folder.path().join("link.py")).unwrap();
        symlink(outside.path(), folder.path().join("linked")).unwrap();
        symlink(folder.path(), folder.path().join("src/loop")).unwrap();
        symlink("nowhere", folder.path().join("dangling.py")).unwrap();
        let write = run(folder.path(), &["--write"]);
        assert_eq!((write.code, write.stderr.as_str()), (Some(0), ""));
        assert_eq!(read(&outside, "train.py"), TRAIN);
        assert_eq!(run(folder.path(), &["--files"]).stdout, "src/plain.py\n");
    }

    #[test]
    #[cfg(unix)]
    fn a_symbolic_link_that_is_named_is_written_through() {
        let folder = project(&[("train.py", TRAIN)]);
        std::os::unix::fs::symlink("train.py", folder.path().join("link.py")).unwrap();
        assert_eq!(run(folder.path(), &["--write", "link.py"]).code, Some(0));
        assert!(folder.path().join("link.py").is_symlink());
        assert_eq!(read(&folder, "train.py"), migrated_train());
    }
}

mod projects {
    use super::*;

    #[test]
    fn a_file_comes_out_the_same_alone_and_with_its_fellows() {
        let files =
            [("train.py", TRAIN), ("etl/train.py", TRAIN), ("src/score.py", TRAIN), ("plain.py", PLAIN)];
        let together = project(&files);
        assert_eq!(run(together.path(), &["--write"]).code, Some(0));
        for (name, _) in files {
            let alone = project(&files);
            assert_eq!(run(alone.path(), &["--write", name]).code, Some(0));
            for (other, text) in files {
                let expected = if other == name { read(&together, name) } else { text.into() };
                assert_eq!(read(&alone, other), expected, "{other} when {name} is named");
            }
        }
    }

    #[test]
    fn a_file_comes_out_the_same_from_any_folder() {
        let files = [("train.py", TRAIN), ("etl/deep/train.py", TRAIN)];
        let (above, inside) = (project(&files), project(&files));
        assert_eq!(run(above.path(), &["--write", "etl/deep/train.py"]).code, Some(0));
        assert_eq!(run(&inside.path().join("etl/deep"), &["--write"]).code, Some(0));
        assert_eq!(read_tree(above.path()), read_tree(inside.path()));
        assert!(read(&above, "etl/deep/train.py").contains("name=\"etl_deep_train\""));
    }

    #[test]
    fn a_group_that_reaches_outside_the_paths_stays_and_says_so() {
        for (named, outside) in [("train.py", "flow.py"), ("flow.py", "train.py")] {
            let folder = project(&[("flow.py", FLOW), ("train.py", TRAIN)]);
            let write = run(folder.path(), &["--write", "--output-format", "concise", named]);
            assert_eq!(write.code, Some(1), "{write:?}");
            assert_eq!(
                (read(&folder, "flow.py").as_str(), read(&folder, "train.py").as_str()),
                (FLOW, TRAIN)
            );
            let stays = lines_with(&write, "FM220");
            assert_eq!(stays.len(), 1, "{}", write.stdout);
            assert!(stays[0].starts_with(named) && stays[0].contains(outside), "{}", stays[0]);
            let full = run(folder.path(), &[named]).stdout;
            assert!(full.contains("--partial"), "{full}");
        }
    }

    #[test]
    fn without_a_project_only_the_paths_count() {
        let folder = project(&[("flow.py", FLOW), ("train.py", TRAIN)]);
        assert_eq!(run(folder.path(), &["--write", "--no-project", "train.py"]).code, Some(0));
        assert_eq!((read(&folder, "flow.py"), read(&folder, "train.py")), (FLOW.into(), migrated_train()));
    }

    #[test]
    fn the_project_that_is_named_gives_names_and_bounds() {
        let files = [("etl/train.py", TRAIN), ("flow.py", &FLOW.replace("from train", "from etl.train"))];
        let folder = project(&files);
        assert_eq!(run(folder.path(), &["--write", "--project", "etl", "etl"]).code, Some(0));
        assert!(
            read(&folder, "etl/train.py").contains("name=\"train\""),
            "{}",
            read(&folder, "etl/train.py")
        );
        let folder = project(&files);
        assert_eq!(run(folder.path(), &["--write", "--project", ".", "etl"]).code, Some(1));
        assert_eq!(read(&folder, "etl/train.py"), TRAIN);
    }

    #[test]
    fn without_git_the_nearest_pyproject_bounds_the_project() {
        let folder = project(&[("p/etl/train.py", TRAIN), ("p/pyproject.toml", "")]);
        fs::remove_dir(folder.path().join(".git")).unwrap();
        assert_eq!(run(folder.path(), &["--write", "p/etl/train.py"]).code, Some(0));
        assert!(read(&folder, "p/etl/train.py").contains("name=\"etl_train\""));
    }

    #[test]
    fn a_path_named_twice_counts_once() {
        let folder = project(&[("train.py", TRAIN)]);
        assert_eq!(run(folder.path(), &["train.py", "./train.py", "."]), run(folder.path(), &["."]));
    }

    #[test]
    fn findings_outside_the_paths_are_not_reported() {
        let folder = project(&[("a/broken.py", BROKEN), ("b/train.py", TRAIN)]);
        let write = run(folder.path(), &["--write", "--output-format", "concise", "b"]);
        assert_eq!((write.code, write.stdout.contains("broken.py")), (Some(0), false), "{}", write.stdout);
    }
}

mod json_report {
    use super::*;

    /// The names of an object's fields, sorted.
    fn fields(value: &Value) -> Vec<&str> {
        value.as_object().unwrap().keys().map(String::as_str).collect()
    }

    /// Asserts that an object has these fields, whatever their order, and no others.
    fn assert_fields(value: &Value, expected: &[&str]) {
        let (mut actual, mut expected) = (fields(value), expected.to_vec());
        actual.sort_unstable();
        expected.sort_unstable();
        assert_eq!(actual, expected, "{value}");
    }

    fn place(location: &Value) -> (u64, u64) {
        assert_fields(location, &["row", "column"]);
        let (row, column) = (location["row"].as_u64().unwrap(), location["column"].as_u64().unwrap());
        assert!(row >= 1 && column >= 1, "{location}");
        (row, column)
    }

    fn assert_fix(fix: &Value) {
        assert_fields(fix, &["applicability", "title", "edits"]);
        assert!(["safe", "unsafe"].contains(&fix["applicability"].as_str().unwrap()), "{fix}");
        assert!(!fix["title"].as_str().unwrap().is_empty(), "{fix}");
        for edit in fix["edits"].as_array().unwrap() {
            assert_fields(edit, &["content", "location", "end_location"]);
            assert!(edit["content"].is_string());
            assert!(place(&edit["location"]) <= place(&edit["end_location"]), "{edit}");
        }
    }

    fn assert_diagnostic(finding: &Value) {
        let expected = [
            "code",
            "name",
            "severity",
            "status",
            "message",
            "filename",
            "location",
            "end_location",
            "help",
            "fix",
        ];
        assert_fields(finding, &expected);
        let text = |field: &str| finding[field].as_str().unwrap();
        assert!(text("code").len() == 5 && text("code").starts_with("FM"), "{finding}");
        assert!(!text("name").is_empty() && !text("message").is_empty() && !text("filename").is_empty());
        assert!(["error", "warning", "info"].contains(&text("severity")), "{finding}");
        assert!(["fixed", "fixable", "unsafe", "manual", "info"].contains(&text("status")), "{finding}");
        assert_eq!(text("severity") == "info", text("status") == "info", "{finding}");
        assert!(place(&finding["location"]) <= place(&finding["end_location"]), "{finding}");
        assert!(finding["help"].is_null() || !text("help").is_empty(), "{finding}");
        if !finding["fix"].is_null() {
            assert_fix(&finding["fix"]);
        }
        // One unsafe finding speaks for a whole group, whose edits are not all in its file.
        if text("status") != "unsafe" {
            let has_fix = ["fixed", "fixable"].contains(&text("status"));
            assert_eq!(has_fix, !finding["fix"].is_null(), "{finding}");
        }
    }

    fn assert_report(report: &Value) {
        assert_fields(report, &["version", "summary", "diagnostics"]);
        assert_eq!(report["version"], 1);
        let findings = report["diagnostics"].as_array().unwrap();
        findings.iter().for_each(assert_diagnostic);
        let summary = &report["summary"];
        let counts = [
            "files_checked",
            "files_with_findings",
            "findings",
            "fixed",
            "fixable",
            "unsafe",
            "manual",
            "info",
        ];
        assert_fields(summary, &counts);
        for status in ["fixed", "fixable", "unsafe", "manual", "info"] {
            let count = findings.iter().filter(|finding| finding["status"] == status).count();
            assert_eq!(summary[status], count, "{status}: {summary}");
        }
        let left = findings.iter().filter(|finding| finding["status"] != "info").count();
        assert_eq!(summary["findings"], left, "{summary}");
        let names: Vec<&Path> =
            findings.iter().map(|finding| Path::new(finding["filename"].as_str().unwrap())).collect();
        assert!(names.is_sorted(), "{names:?}");
    }

    /// Files with findings of every status but `fixed`.
    fn mixed_project() -> TempDir {
        let risky = TRAIN
            .replace("import ImageSpec, ", "import ImageSpec, Resources, ")
            .replace("container_image=image", "container_image=image, limits=Resources(cpu=\"1\")");
        let by_hand = TRAIN.replace("name=\"trainer\"", "name=\"é\", conda_packages=[\"x\"]");
        let noted = TRAIN.replace(", platform=\"linux/amd64,linux/arm64\"", "");
        project(&[
            ("b/risky.py", &risky),
            ("by_hand.py", &by_hand),
            ("noted.py", &noted),
            ("a.py", TRAIN),
            ("broken.py", BROKEN),
            ("plain.py", PLAIN),
        ])
    }

    #[test]
    fn the_object_is_as_promised() {
        let folder = mixed_project();
        let report = run(folder.path(), &["--output-format", "json"]);
        assert_eq!((report.code, report.stderr.as_str()), (Some(2), ""));
        let report = json(&report);
        assert_report(&report);
        assert_eq!(report["summary"]["files_checked"], 6, "{}", report["summary"]);
        for status in ["fixable", "unsafe", "manual", "info"] {
            assert_ne!(report["summary"][status], 0, "{status}: {}", report["summary"]);
        }
        assert_eq!(report["summary"]["fixed"], 0);
    }

    #[test]
    fn with_write_what_was_done_is_fixed() {
        let folder = mixed_project();
        let report = json(&run(folder.path(), &["--write", "--output-format", "json"]));
        assert_report(&report);
        assert_eq!(report["summary"]["fixable"], 0, "{}", report["summary"]);
        assert_ne!(report["summary"]["fixed"], 0, "{}", report["summary"]);
        assert_eq!(read(&folder, "a.py"), migrated_train().replace("\"train\"", "\"a\""));
    }

    #[test]
    fn nothing_found_is_an_object_too() {
        let report = run(project(&[]).path(), &["--output-format", "json"]);
        assert_eq!(report.code, Some(0));
        assert_report(&json(&report));
    }

    /// The byte offset of a place that a report names.
    fn offset(text: &str, location: &Value) -> usize {
        let (row, column) = place(location);
        let line: usize =
            text.split_inclusive('\n').take(usize::try_from(row).unwrap() - 1).map(str::len).sum();
        let columns = usize::try_from(column).unwrap() - 1;
        line + text[line..].chars().take(columns).map(char::len_utf8).sum::<usize>()
    }

    #[test]
    fn the_edits_of_a_file_give_what_write_gives() {
        let text =
            TRAIN.replace("import ImageSpec", "import  ImageSpec").replace("return x", "return x  # é");
        let folder = project(&[("train.py", &text)]);
        let report = json(&run(folder.path(), &["--output-format", "json"]));
        let mut edits: Vec<(usize, usize, String)> = report["diagnostics"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|finding| finding["fix"]["edits"].as_array().into_iter().flatten())
            .map(|edit| {
                let content = edit["content"].as_str().unwrap().to_owned();
                (offset(&text, &edit["location"]), offset(&text, &edit["end_location"]), content)
            })
            .collect();
        // From the back, so that places in front stay where they are; findings may share an edit.
        edits.sort();
        edits.dedup();
        let mut edited = text.clone();
        for (start, end, content) in edits.iter().rev() {
            edited.replace_range(*start..*end, content);
        }
        assert_eq!(run(folder.path(), &["--write"]).code, Some(0));
        assert_eq!(edited, read(&folder, "train.py"));
    }
}

mod pipes {
    use super::*;

    /// Enough to fill any pipe several times.
    fn large_project() -> TempDir {
        let mut tree = Tree::new();
        for number in 0..400 {
            tree.insert(format!("m{number}.py"), TRAIN.into());
        }
        folder_with(&tree)
    }

    #[test]
    fn who_reads_one_line_only_is_no_error() {
        let folder = large_project();
        let mut child = program(folder.path())
            .arg("--diff")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let end = Run::from(child.wait_with_output().unwrap());
        assert_eq!((line.as_str(), end.code, end.stderr.as_str()), ("--- a/m0.py\n", Some(0), ""));
    }

    #[test]
    fn who_reads_nothing_at_all_is_no_error() {
        let folder = large_project();
        for args in [&["--diff"][..], &["--output-format", "json"], &["."], &["--files"], &["rule", "--all"]]
        {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let end =
                program(folder.path()).args(args).stdout(writer).stderr(Stdio::piped()).output().unwrap();
            let end = Run::from(end);
            assert_eq!((end.code, end.stderr.as_str()), (Some(0), ""), "{args:?}");
        }
    }

    #[test]
    fn files_are_written_though_nobody_reads_the_report() {
        let folder = project(&[("train.py", TRAIN)]);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let end = program(folder.path()).arg("--write").stdout(writer).output().unwrap();
        assert_eq!(Run::from(end).code, Some(0));
        assert_eq!(read(&folder, "train.py"), migrated_train());
    }

    #[test]
    fn an_error_that_nobody_reads_is_still_an_error() {
        let folder = project(&[("train.py", TRAIN)]);
        for args in [&["nowhere"][..], &["rule", "FM999"], &["--no-such-flag"]] {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let end = program(folder.path()).args(args).stderr(writer).output().unwrap();
            assert_eq!(end.status.code(), Some(2), "{args:?}");
        }
    }
}

mod images {
    use super::*;

    /// An image of Flyte 2 with a task.
    const FLYTE2: &str = r#"import flyte

image = flyte.Image.from_debian_base(python_version=(3, 12), name="etl").with_requirements("requirements.txt")
env = flyte.TaskEnvironment("etl", image=image)


@env.task
def load() -> int:
    return 1
"#;

    #[test]
    fn images_of_both_versions_of_flyte_are_listed_and_nothing_is_changed() {
        let folder = project(&[("train.py", TRAIN), ("etl.py", FLYTE2), ("requirements.txt", "pandas\n")]);
        let list = run(folder.path(), &["image", "list", "--python-version", "3.12"]);
        assert_eq!(list.code, Some(0), "{}", list.stderr);
        let rows: Vec<&str> = list.stdout.lines().collect();
        assert_eq!(rows.len(), 3, "{}", list.stdout);
        assert!(rows[1].starts_with("etl.py:3:9") && rows[1].ends_with("etl.load"), "{}", rows[1]);
        assert!(rows[2].starts_with("train.py:") && rows[2].ends_with("train.total"), "{}", rows[2]);
        assert_eq!(read(&folder, "train.py"), TRAIN);
    }

    #[test]
    fn a_class_of_environments_that_a_function_gives_is_followed() {
        let text = FLYTE2
            .replace("image = flyte.Image.from", "make = (\n    flyte.Image.from")
            .replace("from_debian_base(python", "from_debian_base\n)\nimage = make(python")
            .replace("env = flyte.TaskEnvironment(", "Env = kind()\nenv = Env(")
            .replace(
                "import flyte\n",
                "import flyte\n\n\ndef kind():\n    return flyte.TaskEnvironment\n\n\n",
            );
        let folder = project(&[("etl.py", &text), ("requirements.txt", "pandas\n")]);
        let list = run(folder.path(), &["image", "list"]);
        let rows: Vec<&str> = list.stdout.lines().collect();
        assert_eq!(rows.len(), 2, "{}", list.stdout);
        assert!(rows[1].contains(" image ") && rows[1].ends_with("etl.load"), "{}", rows[1]);
    }

    #[test]
    fn images_before_a_migration_are_those_after_it() {
        let folder = project(&[("train.py", TRAIN), ("flow.py", FLOW)]);
        let uri = || run(folder.path(), &["image", "uri", "--image", "trainer", "--python-version", "3.11"]);
        let before = uri();
        assert_eq!(before.code, Some(0), "{}", before.stderr);
        assert!(
            before.stdout.starts_with("trainer:") && before.stdout.trim().len() == 40,
            "{}",
            before.stdout
        );
        assert_eq!(run(folder.path(), &["--write"]).code, Some(0));
        assert_eq!(uri().stdout, before.stdout);
    }

    #[test]
    fn an_image_that_is_not_known_has_no_uri_and_says_why() {
        let text = FLYTE2.replace("\"etl\").with", "name_of_the_image()).with");
        let folder = project(&[("etl.py", &text), ("requirements.txt", "pandas\n")]);
        let end = run(folder.path(), &["image", "uri"]);
        assert_eq!((end.code, end.stdout.as_str()), (Some(1), ""));
        assert!(end.stderr.contains("unknown: name_of_the_image()"), "{}", end.stderr);
        let document = json(&run(folder.path(), &["image", "show", "--output-format", "json"]));
        assert_eq!(document["images"][0]["unknown"], serde_json::json!(["name_of_the_image()"]));
        assert_eq!(document["images"][0]["uri"], Value::Null);
    }

    #[test]
    fn an_image_that_is_not_there_and_code_that_does_not_parse_are_errors() {
        let folder = project(&[("etl.py", FLYTE2), ("requirements.txt", ""), ("broken.py", BROKEN)]);
        let end = run(folder.path(), &["image", "uri", "--image", "nobody"]);
        assert_eq!(end.code, Some(2));
        assert!(end.stderr.contains("there is no image `nobody`"), "{}", end.stderr);
        let end = run(folder.path(), &["image", "list"]);
        assert_eq!(end.code, Some(2), "{}", end.stdout);
        assert!(end.stderr.contains("broken.py"), "{}", end.stderr);
    }

    #[test]
    fn a_path_that_is_right_from_the_project_is_only_a_note_from_elsewhere() {
        let folder = project(&[("etl.py", FLYTE2), ("requirements.txt", "pandas\n"), ("deep/x.py", PLAIN)]);
        let validate = |place: &str, path: &str| {
            run(&folder.path().join(place), &["image", "validate", "--output-format", "concise", path])
        };
        assert_eq!(validate("", ".").code, Some(0));
        let below = validate("deep", "..");
        assert_eq!(below.code, Some(0), "{}", below.stdout);
        assert!(below.stdout.contains("FM524"), "{}", below.stdout);
        fs::remove_file(folder.path().join("requirements.txt")).unwrap();
        assert_eq!(validate("", ".").code, Some(1));
    }

    #[test]
    fn the_version_of_the_sdk_is_the_one_that_the_project_locks() {
        let lock = "[[package]]\nname = \"flyte\"\nversion = \"2.4.1\"\n";
        let folder = project(&[("etl.py", FLYTE2), ("requirements.txt", ""), ("uv.lock", lock)]);
        let base = |args: &[&str]| {
            let args = [&["image", "show", "--output-format", "json"], args].concat();
            json(&run(folder.path(), &args))["images"][0]["base"]["reference"].clone()
        };
        assert_eq!(base(&[]), "ghcr.io/flyteorg/flyte:py3.12-v2.4.1");
        assert_eq!(base(&["--flyte-version", "2.12.1"]), "ghcr.io/flyteorg/flyte:py3.12-v2.12.1");
    }

    #[test]
    fn every_name_of_an_image_leads_to_it() {
        let code = "import flyte\n\nfirst = second = flyte.Image.from_debian_base(python_version=(3, 12), name=\"x\")\nthird = second\n\n\nclass Held:\n    IMAGE = flyte.Image.from_debian_base(python_version=(3, 12), name=\"y\")\n\n\nfourth = Held.IMAGE\n";
        let folder = project(&[("etl.py", code)]);
        let uri = |name: &str| run(folder.path(), &["image", "uri", "--image", name]).stdout;
        assert!(uri("first").starts_with("x:"));
        assert_eq!([uri("second"), uri("third")], [uri("first"), uri("first")]);
        assert!(uri("fourth").starts_with("y:"));
        assert_eq!(run(folder.path(), &["image", "uri", "--image", "fifth"]).code, Some(2));
    }

    #[test]
    fn images_that_the_configuration_names_are_those() {
        let code = "import flyte\n\nnamed = flyte.Image.from_ref_name(\"foo\")\nother = flyte.Image.from_ref_name(\"bar\")\nenv = flyte.TaskEnvironment(\"env\")\n\n\n@env.task\ndef t(): ...\n";
        let config = "image:\n  image_refs:\n    foo: r.io/foo:1\n    default: r.io/default:2\n";
        let folder = project(&[("etl.py", code), ("config.yaml", config)]);
        assert_eq!(run(folder.path(), &["image", "uri", "--image", "named"]).stdout, "r.io/foo:1\n");
        let list = run(folder.path(), &["image", "list"]).stdout;
        assert!(list.contains("r.io/default:2"), "{list}");
        assert!(list.contains("refused: the configuration names no image `bar`"), "{list}");
        assert!(!list.contains("no image `foo`"), "{list}");
    }

    #[test]
    fn a_clone_without_a_name_is_a_fault_only_where_it_is_used() {
        let validate = |code: &str| {
            let head =
                "import flyte\n\nbase = flyte.Image.from_base(\"ghcr.io/acme/x:1\").clone(extendable=True)\n";
            let folder = project(&[("etl.py", &format!("{head}{code}"))]);
            run(folder.path(), &["image", "validate", "--output-format", "concise", "."])
        };
        let cloned = validate("named = base.clone(name=\"named\").with_apt_packages(\"git\")\n");
        assert_eq!(cloned.code, Some(0), "{cloned:?}");
        let used =
            validate("named = base.clone(name=\"named\")\nenv = flyte.TaskEnvironment(\"e\", image=base)\n");
        assert!(used.code == Some(1) && used.stdout.contains("FM503"), "{used:?}");
    }

    #[test]
    fn what_is_no_python_is_an_error_of_every_command() {
        let folder =
            project(&[("etl.py", "import flyte\ndef (\n"), ("other.py", "def (\n"), ("fine.py", "x = 1\n")]);
        for file in ["etl.py", "other.py"] {
            for command in ["list", "show", "uri", "validate", "dockerfile"] {
                let run = run(folder.path(), &["image", command, file]);
                assert_eq!(run.code, Some(2), "{command} {file}: {run:?}");
                assert!(run.stderr.contains("does not parse"), "{command} {file}: {run:?}");
            }
        }
        assert_eq!(run(folder.path(), &["image", "list", "fine.py"]).code, Some(0));
        let stdin = run(folder.path(), &["image", "list", "-"]);
        assert_eq!(stdin.code, Some(2));
        assert!(stdin.stderr.contains("standard input is not read"), "{stdin:?}");
    }

    /// Images whose packages are certain, and images whose packages only seem to be.
    const CERTAIN_OR_NOT: &str = r#"import os
import random
from pathlib import Path

import flyte
from flyte import Image

base = Image.from_debian_base(python_version=(3, 12), name="x")
CONSTANT = "numpy"
LIST = ["a", "b"]
GROWN = ["a"]
GROWN.append("b")
EXTENDED = ["a"]
EXTENDED += ["b"]
SET = {"A": "1"}
SET["B"] = "2"
if random.random() > 0.5:
    CHOSEN = "one"
else:
    CHOSEN = "two"
looped = base
for name in LIST:
    looped = looped.with_pip_packages(name)
for name in LIST:
    last = base.with_pip_packages(CONSTANT)


def rebind():
    global REBOUND
    REBOUND = "b"


REBOUND = "a"


def made(packages):
    return base.with_pip_packages(*packages)


def local():
    names = ["a"]
    names.append("b")
    return base.with_pip_packages(*names)


sure_constant = base.with_pip_packages(CONSTANT, *LIST, f"{CONSTANT}-x", "a" if CONSTANT == "numpy" else "b")
sure_path = base.with_requirements(Path(__file__).parent / "requirements.txt")
sure_variable = base.with_pip_packages(os.getenv("NO_SUCH_VARIABLE") or os.environ.get("NOR_THIS", "x"))
unsure_grown = base.with_pip_packages(*GROWN)
unsure_extended = base.with_pip_packages(*EXTENDED)
unsure_set = base.with_env_vars(SET)
unsure_chosen = base.with_pip_packages(CHOSEN)
unsure_looped = looped.with_workdir("/x")
unsure_last = last.with_workdir("/x")
unsure_rebound = base.with_pip_packages(REBOUND)
sure_made = made(LIST).with_workdir("/x")
unsure_argument = made([os.environ["NO_SUCH_VARIABLE"]]).with_workdir("/x")
unsure_local = local().with_workdir("/x")
unsure_variable = base.with_pip_packages(os.environ["NO_SUCH_VARIABLE"])
unsure_half = base.with_commands(["\ud800"])
unsure_random = base.with_pip_packages(f"x=={random.random()}")
unsure_format = base.with_pip_packages(f"{CONSTANT:>10}")
sure_comprehension = base.with_pip_packages(*[name for name in LIST])
unsure_rounds = base.with_pip_packages(*[one + two for one in LIST for two in LIST])
"#;

    #[test]
    fn what_is_not_certain_is_named_and_never_guessed() {
        let folder = project(&[("images.py", CERTAIN_OR_NOT), ("requirements.txt", "")]);
        let document = json(&run(folder.path(), &["image", "show", "--output-format", "json"]));
        let images = document["images"].as_array().unwrap();
        let mut counts = (0, 0);
        for image in images {
            let variable = image["variable"].as_str().unwrap_or_default();
            let is_known = image["uri"].is_string();
            if variable.starts_with("sure_") {
                assert!(is_known, "{image}");
                counts.0 += 1;
            } else if variable.starts_with("unsure_") {
                assert!(!is_known && image["unknown"] != serde_json::json!([]), "{image}");
                counts.1 += 1;
            }
        }
        assert_eq!(counts, (5, 14), "{document:#}");
        let of_functions = images.iter().filter(|image| image["variable"].is_null());
        assert!(of_functions.clone().count() >= 2);
        assert!(
            of_functions.into_iter().all(|image| image["unknown"] != serde_json::json!([])),
            "{document:#}"
        );
    }
}

/// An image of Flyte 1 that is made of files which its migration changes: requirements, code, a new manifest.
const MADE_OF_FILES: [(&str, &str); 4] = [
    (
        "train.py",
        r#"from flytekit import ImageSpec, task

image = ImageSpec(name="trainer", python_version="3.12", requirements="requirements.txt", source_root=".")
conda = ImageSpec(name="conda", python_version="3.12", conda_packages=["numpy"])


@task(container_image=image)
def total(x: int) -> int:
    return x


@task(container_image=conda)
def other(x: int) -> int:
    return x
"#,
    ),
    ("requirements.txt", "flytekit\npandas\n"),
    ("pyproject.toml", "[tool.flyte-migrate]\nconda = \"pixi\"\n"),
    (".dockerignore", ".git\n.env\n.venv\n"),
];

#[test]
fn what_fails_in_new_images_is_told_by_the_run_that_writes_them() {
    let tool = "tool @ git+https://example.org/tool.git";
    let before = format!(
        "import flyte\nfrom flytekit import ImageSpec, task\n\n\
         old = flyte.Image.from_debian_base(name=\"old\").with_pip_packages(\"{tool}\")\n\
         image = ImageSpec(name=\"new\", packages=[\"{tool}\"])\n\
         fine = ImageSpec(name=\"fine\", apt_packages=[\"git\"], packages=[\"{tool}\"])\n\n\n\
         @task(container_image=image)\ndef one() -> int:\n    return 1\n\n\n\
         @task(container_image=fine)\ndef two() -> int:\n    return 2\n"
    );
    let folder = project(&[("train.py", &before)]);
    let first = run(folder.path(), &["--write", "--output-format", "concise", "."]);
    let places: Vec<&str> =
        lines_with(&first, "FM526").into_iter().filter_map(|line| line.split(" FM526").next()).collect();
    assert_eq!(places, ["train.py:4:66:", "train.py:5:9:"], "{first:?}");
    assert_eq!(first.code, Some(1));
    let second = run(folder.path(), &["--output-format", "concise", "."]);
    assert_eq!(lines_with(&second, "FM526").len(), 2, "{second:?}");
}

#[test]
fn images_are_the_same_before_and_after_write() {
    let folder = project(&MADE_OF_FILES);
    let images = |command: &str, more: &[&str]| {
        run(folder.path(), &[&["image", command, "--unsafe-fixes"][..], more].concat())
    };
    let uris = images("uri", &[]);
    let shown = images("show", &[]).stdout;
    assert_eq!(uris.code, Some(0), "{uris:?}");
    assert!(uris.stderr.contains("read as `--write` would leave them"), "{}", uris.stderr);
    assert_eq!(images("dockerfile", &["-o", "before"]).code, Some(0));
    let before = read_tree(&folder.path().join("before"));
    fs::remove_dir_all(folder.path().join("before")).unwrap();
    assert!(!folder.path().join("pixi.toml").exists());
    assert_eq!(run(folder.path(), &["--write", "--unsafe-fixes"]).code, Some(0));
    assert!(read(&folder, "requirements.txt").contains("flyte>="), "{}", read(&folder, "requirements.txt"));
    let names = |text: &str| -> Vec<String> {
        text.split_whitespace()
            .filter(|word| word.contains(':') && word.len() > 32)
            .map(str::to_owned)
            .collect()
    };
    let after = images("uri", &[]);
    assert_eq!(names(&after.stdout), names(&uris.stdout));
    assert_eq!(names(&after.stdout).len(), 2);
    assert_eq!(after.stderr, "");
    let rest =
        |text: &str| text.lines().filter(|line| !line.contains("train.py:")).collect::<Vec<_>>().join("\n");
    assert_eq!(rest(&images("show", &[]).stdout), rest(&shown));
    assert_eq!(images("dockerfile", &["-o", "after"]).code, Some(0));
    let after = read_tree(&folder.path().join("after"));
    assert!(!before.is_empty() && before == after, "{:?}\n{:?}", before.keys(), after.keys());
}

#[test]
fn what_the_remote_builder_is_sent_is_the_same_before_and_after_write() {
    let folder = project(&MADE_OF_FILES);
    let pack = |output: &str| {
        let args = ["image", "build", "--builder", "remote", "--dry-run", "--unsafe-fixes", "-o", output];
        let run = run(folder.path(), &args);
        assert_eq!(run.code, Some(0), "{run:?}");
        let tree = read_tree(&folder.path().join(output));
        fs::remove_dir_all(folder.path().join(output)).unwrap();
        tree
    };
    let before = pack("sent");
    assert_eq!(run(folder.path(), &["--write", "--unsafe-fixes"]).code, Some(0));
    assert!(before.keys().any(|name| name.ends_with("context.tar.gz")));
    assert!(pack("sent") == before);
}
