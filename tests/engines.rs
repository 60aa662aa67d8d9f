//! How docker, podman and buildah are called, argument by argument: a recorder stands in their place.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

#[path = "support/script.rs"]
mod script;
#[expect(dead_code, reason = "other tests use the rest")]
mod support;
#[path = "support/terminal.rs"]
mod terminal;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::{Run, program, read_tree};
use tempfile::TempDir;
use terminal::on_a_terminal;

const CODE: &str = r#"import flyte
from flyte import Secret

base = flyte.Image.from_debian_base(python_version=(3, 11), name="base").with_env_vars({"A": "a\nb"})
above = (
    flyte.Image.from_base("registry.example/me/base:TAG")
    .clone(name="above", registry="registry.example/me", python_version=(3, 11), extendable=True)
    .with_commands(["true"], secret_mounts=[Secret("token"), Secret(group="g", key="file")])
)
"#;

/// What the recorder does: it writes its arguments down, and fails where it is told to.
const RECORDER: &str = r#"#!/bin/sh
log="$(dirname "$0")/../calls"
{ printf '%s' "$(basename "$0")"; for word in "$@"; do printf '\t%s' "$word"; done; printf '\0'; } >> "$log"
case "$*" in
    "buildx version") [ ! -e "$(dirname "$0")/../no-buildx" ] || exit 1 ;;
    *inspect*|*exists*) [ -e "$(dirname "$0")/../is-there" ] || exit 1 ;;
    *--file*)
        while [ "$1" != --file ]; do shift; done
        mkdir -p "$(dirname "$0")/../seen"
        cp -R "$(dirname "$2")/." "$(dirname "$0")/../seen/"
        if [ -e "$(dirname "$0")/../slow" ]; then echo "STEP 1/2: FROM x"; sleep 1; fi
        if [ -e "$(dirname "$0")/../hangs" ]; then touch "$(dirname "$0")/../started"; exec sleep 60; fi
        if [ -e "$(dirname "$0")/../fails" ]; then cat "$(dirname "$0")/../fails" >&2; exit 1; fi ;;
esac
exit 0
"#;

/// A project with the recorder in place of the engines.
struct Project {
    folder: TempDir,
    tag: String,
}

impl Project {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let project = Self { folder, tag: String::new() };
        for engine in ["docker", "podman", "buildah"] {
            script::write_script(&project.path("bin").join(engine), RECORDER);
        }
        fs::create_dir(project.path("code")).unwrap();
        fs::create_dir(project.path("tmp")).unwrap();
        fs::write(project.path("code/a.py"), CODE).unwrap();
        let uri = project.run(&["uri", "--image", "base"]).stdout;
        let tag = uri.trim().rsplit(':').next().unwrap().to_owned();
        fs::write(project.path("code/a.py"), CODE.replace("TAG", &tag)).unwrap();
        Self { tag, ..project }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Run {
        self.command(args).output().unwrap().into()
    }

    fn command(&self, args: &[&str]) -> Command {
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        let mut command = program(&self.path("code"));
        command.arg("image").args(args).arg(".");
        command
            .env("PATH", path)
            .env("TOKEN", "a secret")
            .env("G_FILE", "another")
            .env("TMPDIR", self.path("tmp"));
        command.env("FLYTE_IMAGE_REGISTRY", "registry.example/me");
        command.env("FLYTE_DOCKER_BUILD_EXTRA_ARGS", "--network host --label 'a b'");
        for name in ["FLYTE_DOCKER_BUILDKIT_BUILDER_NAME", "BUILDAH_LAYERS", "FLYTE_IMAGE_BUILDER"] {
            command.env_remove(name);
        }
        command
    }

    /// The calls so far, with the temporary folder and the tags by name; the log begins anew.
    fn calls(&self) -> Vec<Vec<String>> {
        let text = fs::read_to_string(self.path("calls")).unwrap_or_default();
        let _ = fs::remove_file(self.path("calls"));
        let temporary = format!("{}/", self.path("tmp").display());
        let calls = text.split_terminator('\0').map(|call| {
            let words = call.split('\t').map(|word| match word.strip_prefix(&temporary) {
                Some(rest) => rest.split_once('/').map_or(rest, |(_, rest)| rest).to_owned(),
                None => word.replace(&self.tag, "TAG"),
            });
            words.collect()
        });
        calls.collect()
    }

    /// The calls of a command, each as one text.
    fn calls_of(&self, args: &[&str]) -> Vec<String> {
        let run = self.run(args);
        assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
        let left: Vec<_> = fs::read_dir(self.path("tmp")).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
        let above = self.run(&["uri", "--image", "above"]).stdout;
        let tag = above.trim().rsplit(':').next().unwrap().to_owned();
        self.calls().into_iter().map(|call| call.join("\t").replace(&tag, "TAG2")).collect()
    }
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join("\t").replace("a~b", "a b").replace('~', "\n")
}

const BASE: &str = "registry.example/me/base:TAG";
const ABOVE: &str = "registry.example/me/above:TAG2";
const SECRETS: &str = "--secret id=token,env=TOKEN --secret id=g_file,env=G_FILE";
const EXTRA: &str = "--network host --label a~b context";

fn host() -> String {
    flyte_migrate::image::engine::host_platform()
}

#[test]
fn docker_builds_with_buildx_and_pushes_as_it_builds() {
    let project = Project::new();
    let mut calls = project.calls_of(&["build", "--engine", "docker", "--jobs", "1"]);
    assert_eq!(calls.remove(0), words("docker buildx version"));
    let check = |uri: &str| {
        [
            words(&format!("docker image inspect {uri}")),
            words(&format!("docker buildx imagetools inspect --raw {uri}")),
        ]
    };
    let build = format!("docker buildx build --progress plain --file Dockerfile --platform {} --tag", host());
    let expected = [
        &check(BASE)[..],
        &[words(&format!("{build} {BASE} --load --build-arg FLYTE_CHARACTER_0A=~ {EXTRA}"))],
        &check(ABOVE),
        &[words(&format!(
            "docker buildx build --progress plain --file Dockerfile --platform linux/amd64 --tag {ABOVE} --load {SECRETS} {EXTRA}"
        ))],
    ];
    assert_eq!(calls, expected.concat());

    let calls = project.calls_of(&["build", "--engine", "docker", "--jobs", "1", "--push", "--force"]);
    let build = "docker buildx build --progress plain --file Dockerfile --platform";
    let expected = [
        "docker buildx version".to_owned(),
        format!(
            "{build} linux/amd64,linux/arm64 --tag {BASE} --push --build-arg FLYTE_CHARACTER_0A=~ {EXTRA}"
        ),
        format!("{build} linux/amd64 --tag {ABOVE} --push {SECRETS} {EXTRA}"),
    ];
    assert_eq!(calls, expected.map(|call| words(&call)));
}

#[test]
fn podman_and_buildah_push_when_they_have_built() {
    for (engine, build, check) in [
        ("podman", "podman build --format docker", "podman image exists"),
        ("buildah", "buildah build --format docker --layers --force-rm", "buildah inspect --type image"),
    ] {
        let project = Project::new();
        let calls =
            project.calls_of(&["build", "--engine", engine, "--image", "above", "--platform", "linux/arm64"]);
        let expected = [
            format!("{check} {ABOVE}"),
            format!("{engine} manifest inspect docker://{ABOVE}"),
            format!("{build} --file Dockerfile --platform linux/arm64 --tag {ABOVE} {SECRETS} {EXTRA}"),
        ];
        assert_eq!(calls, expected.map(|call| words(&call)));

        let calls = project.calls_of(&["build", "--engine", engine, "--jobs", "1", "--push"]);
        let expected = [
            format!("{engine} manifest inspect docker://{BASE}"),
            format!(
                "{build} --file Dockerfile --platform linux/amd64,linux/arm64 --manifest {BASE} \
                 --build-arg FLYTE_CHARACTER_0A=~ {EXTRA}"
            ),
            format!("{engine} manifest push --all {BASE} docker://{BASE}"),
            format!("{engine} manifest inspect docker://{ABOVE}"),
            format!("{build} --file Dockerfile --platform linux/amd64 --tag {ABOVE} {SECRETS} {EXTRA}"),
            format!("{engine} push {ABOVE}"),
        ];
        assert_eq!(calls, expected.map(|call| words(&call)));
    }
}

#[test]
fn what_is_there_is_skipped_and_the_configuration_chooses_the_engine() {
    let project = Project::new();
    fs::write(project.path("is-there"), "").unwrap();
    fs::write(project.path("code/config.yaml"), "image:\n  builder: local-podman\n").unwrap();
    let run = project.run(&["build", "--image", "above"]);
    assert_eq!(run.code, Some(0));
    assert!(
        run.stdout.starts_with("skipped ") && run.stdout.contains(": the local store has it\n"),
        "{}",
        run.stdout
    );
    assert_eq!(project.calls()[0][..3], ["podman", "image", "exists"]);
}

#[test]
fn a_dry_run_starts_nothing_and_writes_what_would_be_built() {
    let project = Project::new();
    let run = project.run(&["build", "--engine", "podman", "--dry-run", "-o", "out"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("podman build --format docker --file out/base-"), "{}", run.stdout);
    let files: Vec<String> = read_tree(&project.path("code/out")).into_keys().collect();
    assert!(files.iter().all(|file| file.ends_with("/Dockerfile")) && files.len() == 2, "{files:?}");
    assert_eq!(project.calls(), Vec::<Vec<String>>::new());
    // Secrets are named, and their values are nowhere.
    assert!(!run.stdout.contains("a secret"));
    let texts: Vec<Vec<u8>> = read_tree(&project.path("code/out")).into_values().collect();
    assert!(texts.iter().all(|text| !String::from_utf8_lossy(text).contains("a secret")));
}

/// The SDK joins Debian packages to make the tag.
const ALIKE: &str = r#"import flyte

base = flyte.Image.from_debian_base(python_version=(3, 11), name="base", registry="r.example/me")
one = base.with_apt_packages("a", "b")
other = base.with_apt_packages("ab")
same = base.with_apt_packages("ab")
elsewhere = one.clone(registry="r.example/you")
"#;

#[test]
fn different_images_of_one_uri_are_told_before_any_is_built() {
    let project = Project::new();
    write(&project.path("code/a.py"), ALIKE);
    for args in [
        &["build", "--engine", "podman", "--dry-run", "-o", "out"][..],
        &["build", "--builder", "remote", "--dry-run", "-o", "remote"],
        &["dockerfile", "-o", "dockerfiles"],
    ] {
        let run = project.run(args);
        assert_eq!(run.code, Some(1), "{run:?}");
        let told = "a.py:5:9: FM587 `one` and `other` are different images with one uri, `r.example/me/base:";
        assert!(run.stderr.contains(told), "{run:?}");
        // That of another registry does not take the folder of the first.
        let files = read_tree(&project.path("code").join(args[args.len() - 1]));
        let folders: BTreeSet<&str> = files.keys().filter_map(|file| file.split('/').next()).collect();
        assert_eq!(folders.len(), 3, "{folders:?}");
        assert!(folders.iter().any(|folder| folder.ends_with("-2")), "{folders:?}");
    }
}

#[test]
fn what_comes_out_otherwise_than_it_may_seem_is_said() {
    const CODE: &str = "import flyte\n\nbase = flyte.Image.from_debian_base(python_version=(3, 11), name=\"base\")\n\
        quoted = base.with_env_vars({\"A\": \"'a b'\", \"B\": \"b\"})\n\
        escaped = base.with_env_vars({\"C\": \"a\\\\$b\"}).with_env_vars({\"D\": \"a$$b\"})\n\
        bundled = base.with_code_bundle()\n";
    let project = Project::new();
    write(&project.path("code/a.py"), CODE);
    let run = project.run(&["build", "--engine", "podman", "--dry-run"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let quotes = "note: a.py:4:35: `A` keeps quotes and backslashes, which `flyte build` takes away\n";
    let dollars = "note: a.py:5:66: `D` keeps `$$`, which `flyte build` takes away\n";
    let bundle =
        "note: a.py:6:16: `with_code_bundle` adds nothing to a build: the code comes when it is deployed\n";
    assert!([quotes, dollars, bundle].iter().all(|note| run.stderr.contains(note)), "{run:?}");
    assert_eq!(run.stderr.matches("note: ").count(), 3, "{run:?}");
}

#[test]
fn a_dry_run_goes_in_the_order_of_a_build() {
    let project = Project::new();
    let code = fs::read_to_string(project.path("code/a.py")).unwrap();
    let (base, above) = code.split_once("above = ").unwrap();
    let (head, base) = base.split_once("base = ").unwrap();
    write(&project.path("code/a.py"), &format!("{head}above = {above}\nbase = {base}"));
    let run = project.run(&["build", "--engine", "podman", "--dry-run"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let place = |tag: &str| run.stdout.find(&format!("--tag registry.example/me/{tag}:"));
    assert!(place("base").is_some() && place("base") < place("above"), "{run:?}");
}

#[test]
fn a_build_that_fails_names_the_layer_and_the_line_and_holds_back_what_needs_it() {
    let project = Project::new();
    fs::write(project.path("fails"), "#8 ERROR\nDockerfile:11\nERROR: failed to solve\n").unwrap();
    let run = project.run(&["build", "--engine", "docker"]);
    assert_eq!(run.code, Some(1));
    let position = CODE.lines().position(|line| line.starts_with("base")).unwrap() + 1;
    let layer = format!("a.py:{position}:94: FM586 `{BASE}` failed in layer 1 (`with_env_vars`, number 1)");
    assert!(run.stderr.contains(&layer.replace("TAG", &project.tag)), "{}", run.stderr);
    assert!(run.stderr.contains("FM586 `base`, its base, could not be built"), "{}", run.stderr);
    assert!(run.stderr.contains("    ERROR: failed to solve"), "{}", run.stderr);
    let built = project.calls().iter().filter(|call| call.contains(&"--file".to_owned())).count();
    assert_eq!(built, 1);
    assert!(fs::read_dir(project.path("tmp")).unwrap().next().is_none());
}

#[test]
fn on_a_terminal_each_image_has_a_line_that_moves() {
    let project = Project::new();
    write(&project.path("slow"), "");
    let seen = on_a_terminal(project.command(&["build", "--engine", "podman", "--jobs", "2"]));
    // One image is the base of the other, which waits for it.
    let is_working = |screen: &Vec<String>| {
        matches!(&screen[..], [base, above]
            if base.ends_with(" base: STEP 1/2: FROM x") && above.ends_with(" above: waiting"))
    };
    let at_work: Vec<&Vec<String>> = seen.screens.iter().filter(|screen| is_working(screen)).collect();
    let spinners: BTreeSet<char> = at_work.iter().filter_map(|screen| screen[0].chars().next()).collect();
    assert!(spinners.len() > 1, "it does not move: {:#?}", seen.screens);
    let last = seen.screens.last().unwrap();
    assert_eq!(last.len(), 2, "{last:?}");
    assert!(last[0].ends_with(" base: built") && last[1].ends_with(" above: built"), "{last:?}");
    assert_eq!((seen.code, seen.stdout.lines().count()), (Some(0), 2), "{}", seen.stdout);

    write(&project.path("fails"), "ERROR: failed to solve\n");
    let seen = on_a_terminal(project.command(&["build", "--engine", "podman"]));
    let last = seen.screens.last().unwrap().join("\n");
    assert_eq!(seen.code, Some(1));
    assert!(last.contains(" base: failed\n") && last.contains(" above: failed\n"), "{last}");
    assert!(last.contains("\n    ERROR: failed to solve\n"), "{last}");
    assert!(last.contains("FM586 `base`, its base, could not be built"), "{last}");
}

#[test]
fn a_command_that_fails_is_named_by_its_line() {
    const COMMANDS: &str = r#"import flyte

MORE = ["fifth"]
image = flyte.Image.from_debian_base(python_version=(3, 11), name="base").with_commands(
    [
        "first",
        "second",
        *["third",
          "fourth"],
        *MORE,
    ],
)
"#;
    let project = Project::new();
    write(&project.path("code/a.py"), COMMANDS);
    let dockerfile = project.run(&["dockerfile"]).stdout;
    let line = |command: &str| dockerfile.lines().position(|line| line == format!("RUN {command}")).unwrap();
    for (command, number, place) in [
        ("first", 1, "a.py:6:9"),
        ("second", 2, "a.py:7:9"),
        ("fourth", 4, "a.py:9:11"),
        ("fifth", 5, "a.py:10:10"),
    ] {
        // The first line of what is printed names the image.
        write(&project.path("fails"), &format!("Dockerfile:{}\nERROR: failed\n", line(command)));
        let run = project.run(&["build", "--engine", "docker"]);
        let told = format!("{place}: FM586 `registry.example/me/base:");
        assert!(run.stderr.contains(&told), "{command}: {run:?}");
        assert!(run.stderr.contains(&format!("(`with_commands`, number {number})")), "{command}: {run:?}");
    }
}

#[test]
fn what_is_missing_is_said() {
    let project = Project::new();
    let seen = |args: &[&str], code: i32, text: &str| {
        let run = project.run(args);
        assert_eq!(run.code, Some(code), "{}{}", run.stdout, run.stderr);
        assert!(run.stderr.contains(text), "{}", run.stderr);
    };
    write(&project.path("no-buildx"), "");
    seen(&["build", "--engine", "docker"], 2, "docker has no buildx");
    let run = project.run(&["build", "--builder", "local", "--image", "base"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(project.calls().iter().any(|call| call[..2] == ["podman", "build"]), "docker cannot, podman can");
    fs::remove_file(project.path("no-buildx")).unwrap();
    let both = ["build", "--builder", "local", "--engine", "buildah", "--dry-run", "--image", "base"];
    assert!(project.run(&both).stdout.starts_with("buildah build "));
    seen(&["build", "--builder", "remote", "--engine", "buildah"], 2, "--engine is for local builds");
    seen(&["build", "--platform", "windows"], 2, "write it as linux/amd64");
    seen(&["build", "--platform", "linux/amd64,"], 2, "write it as linux/amd64");
    seen(&["uri", "--flyte-version", ""], 2, "write it as 2.12.1");
    let run = project.run(&["validate"]);
    assert_eq!(
        (run.code, run.stdout.lines().last()),
        (Some(1), Some("Found 1 finding in 1 file; 1 needs hand work."))
    );
    let run = project.run(&["validate", "--image", "above"]);
    assert_eq!(run.stdout, "Nothing is wrong with 1 image.\n");
    fs::remove_file(project.path("bin/podman")).unwrap();
    seen(&["build", "--engine", "podman"], 2, "`podman` is not installed");
    seen(&["build", "--base-image", "x"], 2, "FROM=TO");
    seen(&["build", "--output-format", "json"], 2, "prints no JSON");
    assert_eq!(project.run(&["build", "--engine", "podman", "--dry-run"]).code, Some(0));
    seen(&["build", "-o", "out"], 2, "--dry-run");
    let code = "import flyte, sys\na = flyte.Image.from_debian_base(name=\"a\").with_pip_packages(sys.argv[1])\n\
                b = flyte.Image.from_debian_base(name=\"b\", python_version=(3, 11)).with_source_file(__import__(\"pathlib\").Path(\"no.txt\"))\n";
    write(&project.path("code/a.py"), code);
    seen(&["build", "--engine", "docker", "--image", "a"], 1, "a.py:2:5: FM583 `a` cannot be built");
    seen(&["dockerfile", "--image", "a"], 1, "is not known without running the code");
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
}

#[test]
fn a_signal_stops_the_engine_and_leaves_nothing_behind() {
    for signal in ["INT", "TERM", "HUP"] {
        let project = Project::new();
        fs::write(project.path("hangs"), "").unwrap();
        let mut command = project.command(&["build", "--engine", "buildah", "--jobs", "2"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let start = Instant::now();
        while !project.path("started").exists() && start.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(fs::read_dir(project.path("tmp")).unwrap().count(), 1);
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
        let run: Run = child.wait_with_output().unwrap().into();
        assert!(start.elapsed() < Duration::from_secs(45), "{signal}: the engine goes on");
        assert_eq!(run.code, Some(2), "{signal}: {run:?}");
        assert!(run.stderr.contains("stopped"), "{signal}: {run:?}");
        assert_eq!(fs::read_dir(project.path("tmp")).unwrap().count(), 0, "{signal}");
    }
}
