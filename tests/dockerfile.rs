//! Dockerfiles: one with every kind of layer as it is, and hostile values by the hundred, which a shell is asked about.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

#[path = "support/script.rs"]
mod script;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use flyte_migrate::image::context::collect;
use flyte_migrate::image::disk::Disk;
use flyte_migrate::image::dockerfile::{Dockerfile, Target, render};
use flyte_migrate::image::step::Problem;
use flyte_migrate::image::{CREATE_USER, Layer, PipOptions, ProjectInstall, Secret};
use proptest::prelude::*;

/// Where the Dockerfile with every layer is kept; `BLESS=1` writes it.
const EVERY_LAYER: &str = "tests/dockerfile/every_layer.Dockerfile";

fn made(layers: &[Layer], base: &str, cwd: &Path) -> Result<Dockerfile, Vec<Problem>> {
    let context = collect(layers, &Disk::new(cwd.to_path_buf()))?;
    let target = Target {
        base,
        uri: "ghcr.io/me/name:tag",
        python_version: (3, 12),
        workdir: base.starts_with("ghcr.io/flyteorg/flyte:").then_some("/home/flyte"),
        replacements: &BTreeMap::new(),
    };
    render(&target, &context.steps)
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn secret(key: &str) -> Secret {
    Secret::new(key.to_owned(), None, None, None)
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn every_kind_of_layer_is_written() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "requirements.txt",
        "app/poetry.lock",
        "pixi/pixi.toml",
        "pixi/pixi.lock",
        "data/a.csv",
        "odd name*.txt",
    ] {
        write(folder.path(), name, "");
    }
    write(
        folder.path(),
        "app/pyproject.toml",
        "[tool.uv.sources]\nlib = {path = \"lib\", editable = true}\n",
    );
    write(folder.path(), "app/uv.lock", "[[package]]\nsource = { editable = \"lib\" }\n");
    write(folder.path(), "app/lib/lib.py", "");
    write(
        folder.path(),
        "uv.py",
        "# /// script\n# dependencies = [\"httpx\", \"app @ file://app\"]\n# ///\n",
    );
    write(folder.path(), "pixi.py", "# /// script\n# dependencies = [\"flyte\"]\n# ///\n");
    let options = PipOptions {
        index_url: Some("https://$USER:${TOKEN}@index/simple".to_owned()),
        extra_index_urls: texts(&["https://other"]),
        pre: true,
        pre_text: None,
        extra_args: Some("--no-deps --config-setting \"a b\"".to_owned()),
        secret_mounts: vec![
            secret("token"),
            Secret::new("k".to_owned(), Some("g".to_owned()), Some("/etc/flyte/secrets".into()), None),
        ],
    };
    let uv = |install, uvlock: Option<&str>| Layer::UvProject {
        pyproject: "app/pyproject.toml".into(),
        uvlock: uvlock.map(PathBuf::from),
        install,
        options: PipOptions::default(),
    };
    let poetry = |install| Layer::PoetryProject {
        pyproject: "app/pyproject.toml".into(),
        poetry_lock: "app/poetry.lock".into(),
        install,
        extra_args: Some("--only main".to_owned()),
        secret_mounts: vec![secret("token")],
    };
    let layers = [
        Layer::DockerLines { lines: texts(&["LABEL a=b"]) },
        Layer::Commands { commands: texts(&[CREATE_USER]), secret_mounts: Vec::new() },
        Layer::AptPackages { packages: texts(&["git curl", "libx=1.*"]), secret_mounts: vec![secret("apt")] },
        Layer::Env {
            variables: vec![
                ("PATH".to_owned(), "/opt/x:$PATH".to_owned()),
                ("Q".to_owned(), "a \"b\"".to_owned()),
            ],
        },
        Layer::Requirements { file: "requirements.txt".into(), options: PipOptions::default() },
        Layer::PipPackages {
            packages: texts(&["pandas>=2", "x @ git+https://$TOKEN@h/r"]),
            options: options.clone(),
        },
        uv(ProjectInstall::DependenciesOnly, Some("app/uv.lock")),
        uv(ProjectInstall::InstallProject, None),
        poetry(ProjectInstall::DependenciesOnly),
        poetry(ProjectInstall::InstallProject),
        Layer::PixiProject {
            manifest: "pixi/pixi.toml".into(),
            pixi_lock: Some("pixi/pixi.lock".into()),
            environment: "gpu".to_owned(),
            install: ProjectInstall::DependenciesOnly,
            extra_args: Some("-v".to_owned()),
            secret_mounts: Vec::new(),
        },
        Layer::UvScript { script: "uv.py".into(), options: PipOptions::default() },
        Layer::PixiScript {
            script: "pixi.py".into(),
            platforms: texts(&["linux-64"]),
            environment: "default".to_owned(),
            extra_args: None,
            secret_mounts: Vec::new(),
        },
        Layer::CopyFile { src: "requirements.txt".into(), dst: ".".to_owned() },
        Layer::CopyFile { src: "odd name*.txt".into(), dst: "/a b/".to_owned() },
        Layer::CopyFolder { src: "data".into(), dst: "/root/data".to_owned() },
        Layer::Commands {
            commands: texts(&["a && \\\n# why\n  b", "one\ntwo"]),
            secret_mounts: vec![secret("token")],
        },
        Layer::WorkDir { workdir: "/root/w".to_owned() },
        Layer::Requirements { file: "requirements.txt".into(), options: PipOptions::default() },
        Layer::CodeBundle { copy_style: "all".to_owned(), dst: ".".to_owned() },
    ];
    let text = made(&layers, "ghcr.io/flyteorg/flyte:py3.12-v2.12.1", folder.path()).unwrap().text;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(EVERY_LAYER);
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(&path).unwrap(), "BLESS=1 writes it anew");
    assert_eq!(text, made(&layers, "ghcr.io/flyteorg/flyte:py3.12-v2.12.1", folder.path()).unwrap().text);
}

#[test]
fn what_no_dockerfile_can_hold_is_refused() {
    let env = |name: &str, value: &str| Layer::Env { variables: vec![(name.to_owned(), value.to_owned())] };
    let pip = |package: &str, extra_args: Option<&str>| Layer::PipPackages {
        packages: texts(&[package]),
        options: PipOptions { extra_args: extra_args.map(str::to_owned), ..PipOptions::default() },
    };
    let twice = vec![
        Secret::new("a".to_owned(), None, Some("/etc/flyte/secrets".into()), None),
        Secret::new("b".to_owned(), None, Some("/etc/flyte/secrets".into()), None),
    ];
    let refused = [
        env("A B", "x"),
        env("A=B\nRUN x", "x"),
        env("", "x"),
        env("A", "x\0"),
        pip("x\0", None),
        pip("x", Some("'open")),
        pip("x", Some("'$X'")),
        Layer::AptPackages { packages: texts(&["-oDPkg::Pre-Invoke::=x"]), secret_mounts: Vec::new() },
        Layer::AptPackages { packages: texts(&["git"]), secret_mounts: twice },
        Layer::Commands {
            commands: texts(&["x"]),
            secret_mounts: vec![Secret::new("k".to_owned(), None, None, Some("A;B".to_owned()))],
        },
        Layer::Commands { commands: texts(&["x\0"]), secret_mounts: Vec::new() },
        Layer::Commands { commands: texts(&["echo a \\"]), secret_mounts: Vec::new() },
        Layer::Commands { commands: texts(&["echo a \\ "]), secret_mounts: Vec::new() },
        Layer::Commands { commands: texts(&[" "]), secret_mounts: Vec::new() },
        Layer::Commands { commands: texts(&["<<EOF\ntouch /a\nEOF"]), secret_mounts: Vec::new() },
        Layer::WorkDir { workdir: "/a\nRUN x".to_owned() },
        Layer::CopyFile { src: "there".into(), dst: "/a\nRUN x".to_owned() },
        Layer::CopyFile { src: "missing".into(), dst: "/a".to_owned() },
        Layer::DockerLines { lines: texts(&["LABEL a=b\nRUN x"]) },
        Layer::DockerLines { lines: texts(&["LABEL a=b \\"]) },
    ];
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "there", "");
    for layer in refused {
        let problems = made(&[env("OK", "1"), layer.clone()], "python:3.12", folder.path()).unwrap_err();
        assert_eq!((problems.len(), problems[0].layer), (1, Some(1)), "{layer:?}: {problems:?}");
        assert!(["FM580", "FM581"].contains(&problems[0].rule.code), "{layer:?}");
    }
    for base in ["a b", "$X", "-x", "", "a\nRUN x"] {
        assert!(made(&[], base, folder.path()).is_err(), "{base}");
    }
}

/// A folder whose `uv` and `apt-get` write down their arguments, and where nothing else is found.
struct Stubs(tempfile::TempDir);

impl Stubs {
    /// The one for all tests.
    fn get() -> &'static Self {
        static STUBS: OnceLock<Stubs> = OnceLock::new();
        STUBS.get_or_init(Self::new)
    }

    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["uv", "apt-get"] {
            let text = "#!/bin/sh\nprintf '%s\\0' \"$@\"\n";
            script::write_script(&folder.path().join("bin").join(name), text);
        }
        fs::create_dir(folder.path().join("work")).unwrap();
        Self(folder)
    }

    /// What a `RUN` instruction writes; nothing may be left in the folder where it runs.
    fn run(&self, instruction: &str, variables: &[(&str, &str)]) -> Vec<u8> {
        let mut script = instruction.strip_prefix("RUN ").unwrap();
        while let Some(rest) = script.strip_prefix("--mount=") {
            script = rest.split_once(' ').unwrap().1;
        }
        let work = self.0.path().join("work");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).current_dir(&work).env_clear().env("PATH", self.0.path().join("bin"));
        command.env("UV_PYTHON", "/py").envs(variables.iter().copied());
        let output = command.output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{instruction}");
        assert!(fs::read_dir(work).unwrap().next().is_none(), "{instruction}");
        output.stdout
    }

    fn arguments(&self, instruction: &str, variables: &[(&str, &str)]) -> Vec<String> {
        let text = String::from_utf8(self.run(instruction, variables)).unwrap();
        text.split_terminator('\0').map(str::to_owned).collect()
    }
}

/// The instructions of the layers, each of which is one line of the text.
fn of_layers(dockerfile: &Dockerfile) -> Vec<String> {
    let lines: Vec<&str> = dockerfile.text.lines().filter(|line| !line.starts_with('#')).collect();
    let instructions: Vec<&str> = dockerfile.instructions.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(lines, instructions);
    for instruction in &dockerfile.instructions {
        assert_eq!(dockerfile.text.lines().nth(instruction.line - 1), Some(instruction.text.as_str()));
        // A line that ends so would take the next one in.
        assert!(!instruction.text.trim_end().ends_with('\\'), "{}", instruction.text);
    }
    dockerfile.instructions.iter().filter(|one| one.layer.is_some()).map(|one| one.text.clone()).collect()
}

/// What a Dockerfile makes of a value in double quotes.
fn unquoted(value: &str, dockerfile: &Dockerfile) -> String {
    let mut rest = value.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
    let mut out = String::new();
    while let Some(first) = rest.chars().next() {
        rest = &rest[first.len_utf8()..];
        match first {
            '\\' => {
                let next = rest.chars().next().unwrap();
                assert!("\"\\$".contains(next));
                out.push(next);
                rest = &rest[1..];
            }
            '$' => {
                let (name, after) = rest.strip_prefix('{').unwrap().split_once('}').unwrap();
                out.push_str(&dockerfile.build_args[name]);
                rest = after;
            }
            '"' => panic!("{value}"),
            other => out.push(other),
        }
    }
    out
}

/// The text that is meant where `\\$` is a dollar sign.
fn meant(text: &str) -> String {
    text.replace("\\$", "$")
}

/// Texts of what shells and Dockerfiles read, without NUL.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("; touch pwned; "),
        Just("$(touch pwned)"),
        Just("`touch pwned`"),
        Just("\nRUN touch pwned\n"),
        Just(" \\\n"),
        Just("\\"),
        Just("'"),
        Just("\""),
        Just("\" && touch pwned #"),
        Just("<<EOF"),
        Just("--mount=type=bind"),
        Just("#"),
        Just("*"),
        Just("~"),
        Just("\t"),
        Just("\r"),
        Just("\u{1b}"),
        Just("é\u{2028}"),
        Just("{a,b}"),
        Just("!"),
        Just("["),
        Just("x"),
        Just(" "),
    ];
    prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn packages_urls_and_arguments_reach_uv_as_they_are(
        packages in prop::collection::vec(hostile(), 1..4),
        url in hostile(),
        extra in prop::collection::vec(hostile().prop_filter("words", |word| !word.contains('$')), 0..3),
    ) {
        let stubs = Stubs::get();
        let extra_args = extra.iter().map(|word| shlex::try_quote(word).unwrap()).collect::<Vec<_>>().join(" ");
        let options = PipOptions {
            index_url: Some(url.clone()),
            extra_args: (!extra.is_empty()).then_some(extra_args),
            ..PipOptions::default()
        };
        let layer = Layer::PipPackages { packages: packages.clone(), options };
        let dockerfile = made(&[layer], "python:3.12", stubs.0.path()).unwrap();
        let instructions = of_layers(&dockerfile);
        prop_assert_eq!(instructions.len(), 1);
        let mut expected = texts(&["pip", "install", "--python", "/py", "--index-url", &meant(&url)]);
        expected.extend(extra);
        expected.extend(packages);
        prop_assert_eq!(stubs.arguments(&instructions[0], &[]), expected);
    }

    #[test]
    fn variables_in_urls_are_expanded_and_stay_one_argument(before in hostile(), after in hostile(), value in hostile()) {
        let stubs = Stubs::get();
        // A backslash in front would make the dollar sign one of the text.
        let before = format!("{before}/");
        let url = format!("{before}${{TOKEN}}{after}");
        let options = PipOptions { extra_index_urls: vec![url], ..PipOptions::default() };
        let layer = Layer::PipPackages { packages: texts(&["p"]), options };
        let dockerfile = made(&[layer], "python:3.12", stubs.0.path()).unwrap();
        let expected = format!("{}{value}{}", meant(&before), meant(&after));
        let arguments = stubs.arguments(&of_layers(&dockerfile)[0], &[("TOKEN", &value)]);
        prop_assert_eq!(&arguments[4..], &[String::from("--extra-index-url"), expected, "p".to_owned()][..]);
    }

    #[test]
    fn debian_packages_reach_apt_word_by_word(package in hostile()) {
        let stubs = Stubs::get();
        let layer = Layer::AptPackages { packages: vec![package.clone()], secret_mounts: Vec::new() };
        match made(&[layer], "python:3.12", stubs.0.path()) {
            Ok(dockerfile) => {
                let instructions = of_layers(&dockerfile);
                prop_assert_eq!(instructions.len(), 1);
                let mut expected = texts(&["update", "install", "-y", "--no-install-recommends", "--"]);
                expected.extend(package.split_ascii_whitespace().map(str::to_owned));
                prop_assert_eq!(stubs.arguments(&instructions[0], &[]), expected);
            }
            Err(_) => prop_assert!(package.split_ascii_whitespace().any(|word| word.starts_with('-'))),
        }
    }

    #[test]
    fn values_of_variables_are_what_the_code_says(value in hostile()) {
        let layer = Layer::Env { variables: vec![("NAME".to_owned(), value.clone())] };
        let dockerfile = made(&[layer], "python:3.12", Path::new(".")).unwrap();
        let instructions = of_layers(&dockerfile);
        prop_assert_eq!(instructions.len(), 1 + 2 * dockerfile.build_args.len());
        let written = instructions.last().unwrap().strip_prefix("ENV NAME=").unwrap();
        prop_assert_eq!(unquoted(written, &dockerfile), meant(&value));
    }

    #[test]
    fn a_command_runs_as_it_would_in_a_shell(text in hostile().prop_filter("continued lines", |text| !text.contains("\\\n"))) {
        let stubs = Stubs::get();
        let command = format!("printf '%s' {}", shlex::try_quote(&text).unwrap());
        let layer = Layer::Commands { commands: vec![command], secret_mounts: Vec::new() };
        let dockerfile = made(&[layer], "python:3.12", stubs.0.path()).unwrap();
        let instructions = of_layers(&dockerfile);
        prop_assert_eq!(instructions.len(), 1);
        prop_assert_eq!(String::from_utf8(stubs.run(&instructions[0], &[])).unwrap(), text);
    }

    #[test]
    fn destinations_and_folders_stay_values(text in hostile().prop_filter("one line", |text| !text.chars().any(char::is_control))) {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a", "");
        let dst = format!("/{text}");
        let layers = [
            Layer::CopyFile { src: "a".into(), dst: dst.clone() },
            Layer::WorkDir { workdir: dst.clone() },
        ];
        let dockerfile = made(&layers, "python:3.12", folder.path()).unwrap();
        let instructions = of_layers(&dockerfile);
        prop_assert_eq!(instructions.len(), 2);
        let words: Vec<String> =
            serde_json::from_str(instructions[0].strip_prefix("COPY --chown=flyte:flyte ").unwrap()).unwrap();
        // Behind the JSON there is one more reader, for which a backslash protects a character.
        let mut plain = String::new();
        let mut characters = words[1].chars();
        while let Some(character) = characters.next() {
            prop_assert!(!"\"'$".contains(character));
            plain.push(if character == '\\' { characters.next().unwrap() } else { character });
        }
        prop_assert_eq!(&plain, &meant(&dst));
        prop_assert_eq!(unquoted(instructions[1].strip_prefix("WORKDIR ").unwrap(), &dockerfile), meant(&dst));
    }
}
