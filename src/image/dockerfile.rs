//! A Dockerfile for an image: the same for the same image, layer by layer, with nothing in it that is not quoted.
//!
//! ```python
//! flyte.Image.from_debian_base(name="train").with_apt_packages("git").with_pip_packages("pandas")
//! ```
//!
//! User, working directory, variables and virtual environment end up as the builder of SDK 2.12.1 leaves them
//! (`flyte/_internal/imagebuild/docker_builder.py`).
//! Only what buildah 1.28, podman and the frontend inside `BuildKit` all understand is used: no here-documents, no
//! secrets as environment variables, no relative targets of mounts.
//!
//! # FM580
//!
//! ## What it does
//!
//! Speaks of a value that no Dockerfile can hold as the code means it, such as an option among Debian packages.
//!
//! ## Why
//!
//! Whatever the code holds stays a value in the Dockerfile, and never becomes an option or another instruction.
//!
//! ## Example
//!
//! `image dockerfile` of
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_debian_base(python_version=(3, 12), name="train").with_apt_packages("git --yes")
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_debian_base(python_version=(3, 12), name="train").with_apt_packages("git")
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! Dockerfiles of yours are built as they are.
//!
//! ## References
//!
//! `flyte/_internal/imagebuild/docker_builder.py` of flyte 2.12.1.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::CREATE_USER;
use super::command::Command;
use super::layer::{PipOptions, ProjectInstall, Secret};
use super::line::shown;
use super::shell::{expanding_word, is_harmless, joined_lines, json_path, quoted_value, run_script, word};
use super::step::{Problem, Step};
use crate::rules::codes;

/// Where uv comes from; the version is that of SDK 2.12.1.
pub const UV_IMAGE: &str = "ghcr.io/astral-sh/uv:0.13.4";
/// Where pixi comes from; the version is that of SDK 2.12.1.
pub const PIXI_IMAGE: &str = "ghcr.io/prefix-dev/pixi:0.72.2";
/// Where pixi projects lie in the image.
const PIXI_FOLDER: &str = "/opt/pixi-project";
/// Where files are mounted while the working directory is not known.
const MOUNTS: &str = "/run/flyte";
/// What a Dockerfile is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target<'a> {
    /// The image that it starts from.
    pub base: &'a str,
    /// The identity of the image, which it keeps in a variable.
    pub uri: &'a str,
    /// The Python that is installed where the base has none at the usual place.
    pub python_version: (u32, u32),
    /// The working directory of the base, where it is known.
    pub workdir: Option<&'a str>,
    /// Images that are taken in place of others.
    pub replacements: &'a BTreeMap<String, String>,
}

/// A secret of a build: the engine gets its value under the identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildSecret {
    /// What the Dockerfile calls it.
    pub id: String,
    /// The secret.
    pub secret: Secret,
}

/// An instruction, and the layer that asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// The instruction, which may go over several lines.
    pub text: String,
    /// The line it begins at, counted from 1.
    pub line: usize,
    /// The layer, counted from 0; `None` for what every image gets.
    pub layer: Option<usize>,
    /// The command or variable of the layer, counted from 0, if it is for one alone.
    pub item: Option<usize>,
}

/// A Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dockerfile {
    /// Its text.
    pub text: String,
    /// Its instructions, in order.
    pub instructions: Vec<Instruction>,
    /// What `--build-arg` must give: characters that a Dockerfile cannot hold.
    pub build_args: BTreeMap<String, String>,
    /// The secrets that it mounts.
    pub secrets: Vec<BuildSecret>,
}

/// Writes the Dockerfile of an image whose layers are `steps`, each with the number of its layer.
///
/// # Errors
/// Values that no Dockerfile can hold as they are.
pub fn render(target: &Target<'_>, steps: &[(usize, Step)]) -> Result<Dockerfile, Vec<Problem>> {
    let mut writer = Writer {
        file: Dockerfile::default(),
        problems: Vec::new(),
        layer: None,
        item: None,
        workdir: target.workdir.map(str::to_owned),
        replacements: target.replacements,
    };
    writer.head(target);
    for (layer, step) in steps {
        if writer.layer != Some(*layer) {
            writer.layer = Some(*layer);
            writer.comment(&format!("layer {}", layer + 1));
        }
        writer.step(step);
        writer.item = None;
    }
    writer.layer = None;
    writer.foot(target.uri, steps);
    if writer.problems.is_empty() { Ok(writer.file) } else { Err(writer.problems) }
}

struct Writer<'a> {
    file: Dockerfile,
    problems: Vec<Problem>,
    layer: Option<usize>,
    item: Option<usize>,
    workdir: Option<String>,
    replacements: &'a BTreeMap<String, String>,
}

/// Where a project is while it is installed.
struct Place {
    folder: String,
    mounts: Vec<String>,
}

impl Writer<'_> {
    fn head(&mut self, target: &Target<'_>) {
        self.comment("written by flyte-migrate");
        let base = self.image(target.base);
        self.push(format!("FROM {base}"));
        self.push("USER root".to_owned());
        let uv = self.image(UV_IMAGE);
        self.push(format!("COPY --from={uv} /uv /usr/bin/uv"));
        // Variables of a base that comes from the same builder win over these defaults.
        self.push("ARG VIRTUALENV=/opt/venv".to_owned());
        self.push("ARG UV_PYTHON=$VIRTUALENV/bin/python".to_owned());
        self.push(
            "ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy VIRTUALENV=$VIRTUALENV UV_PYTHON=$UV_PYTHON"
                .to_owned(),
        );
        let (major, minor) = target.python_version;
        self.push(format!(
            "RUN if [ ! -f \"$UV_PYTHON\" ]; then uv venv \"$VIRTUALENV\" --python={major}.{minor} && \
             uv run --python=\"$UV_PYTHON\" python -m compileall \"$VIRTUALENV\"; fi"
        ));
        self.push(
            "ENV PATH=\"$VIRTUALENV/bin:$PATH:/usr/local/nvidia/bin:/usr/local/cuda/bin\" \
             LD_LIBRARY_PATH=/usr/local/nvidia/lib64"
                .to_owned(),
        );
    }

    fn foot(&mut self, uri: &str, steps: &[(usize, Step)]) {
        self.comment("the end of every image");
        let creates_user = steps.iter().any(|(_, step)| {
            matches!(step, Step::Commands { commands, .. } if commands.iter().any(|command| command == CREATE_USER))
        });
        if creates_user {
            self.push("USER flyte".to_owned());
            self.push("WORKDIR /home/flyte".to_owned());
        }
        let uri = self.value(&uri.replace('$', "\\$"));
        self.push(format!("ENV _F_IMG_ID={uri}"));
        self.push("SHELL [\"/bin/bash\", \"-c\"]".to_owned());
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Pip { packages, requirements, options } => {
                self.pip(packages, requirements.as_deref(), options);
            }
            Step::UvProject { folder, has_lock, install, editables, options } => {
                self.uv_project(folder, *has_lock, *install, editables, options);
            }
            Step::PoetryProject { folder, install, extra_args, secrets } => {
                self.poetry_project(folder, *install, extra_args.as_deref(), secrets);
            }
            Step::PixiProject { .. } => self.pixi_project(step),
            Step::Apt { packages, secrets } => self.apt(packages, secrets),
            Step::Commands { commands, secrets } => {
                for (item, command) in commands.iter().enumerate() {
                    self.item = Some(item);
                    self.command(command, secrets);
                }
            }
            Step::Env { variables } => self.env(variables),
            Step::WorkDir { workdir } => self.change_workdir(workdir),
            Step::CopyFile { folder, name, dst } => self.copy_file(folder, name, dst),
            Step::CopyFolder { folder, dst } => self.copy(&format!("{folder}/"), dst),
            Step::Lines { lines } => {
                for line in lines {
                    self.line(line);
                }
            }
        }
    }

    fn command(&mut self, command: &str, secrets: &[Secret]) {
        let is_open = Command::read(command).ends_in_backslash();
        if is_open || command.trim().is_empty() {
            let message = if is_open {
                format!("`{}` would take in the line that follows", command.escape_debug())
            } else {
                "a command is empty, and no Dockerfile runs nothing".to_owned()
            };
            let help = if is_open { "Take the backslash at its end away" } else { "Leave it out" };
            return self.problem(Problem::new(&codes::UNWRITABLE_VALUE, message).help(help));
        }
        if command.trim_start().starts_with("<<") {
            let message = format!(
                "`{}` is a here-document without a program, which only `BuildKit` runs",
                shown(command)
            );
            let help = "Give the lines of the document as commands";
            return self.problem(Problem::new(&codes::UNWRITABLE_VALUE, message).help(help));
        }
        self.run(&[], secrets, &joined_lines(command));
    }

    fn pip(&mut self, packages: &[String], requirements: Option<&str>, options: &PipOptions) {
        let mut script = vec!["uv pip install --python \"$UV_PYTHON\"".to_owned()];
        script.extend(self.pip_options(options));
        let mut mounts = vec![uv_cache()];
        if let Some(file) = requirements {
            let place = self.mount_point("requirements.txt");
            mounts.push(format!("type=bind,source={file},target={place}"));
            script.push(format!("--requirement {place}"));
        }
        script.extend(packages.iter().filter_map(|package| self.word(package)));
        self.run(&mounts, &options.secret_mounts, &script.join(" "));
    }

    fn pip_options(&mut self, options: &PipOptions) -> Vec<String> {
        let mut arguments = Vec::new();
        let indexes = options.index_url.iter().map(|url| ("--index-url", url));
        for (option, url) in
            indexes.chain(options.extra_index_urls.iter().map(|url| ("--extra-index-url", url)))
        {
            arguments.extend(self.expanding_word(url).map(|url| format!("{option} {url}")));
        }
        arguments.extend(options.pre.then(|| "--pre".to_owned()));
        arguments.extend(self.further_arguments(options.extra_args.as_deref()));
        arguments
    }

    /// Arguments that the code gives as one string, word by word.
    fn further_arguments(&mut self, text: Option<&str>) -> Vec<String> {
        let Some(text) = text else { return Vec::new() };
        if text.contains('\'') && text.contains('$') {
            let message =
                format!("`{text}` holds a dollar sign beside single quotes, which is read in different ways");
            self.problem(Problem::new(&codes::UNWRITABLE_VALUE, message).help("Use double quotes"));
            return Vec::new();
        }
        let Some(words) = shlex::split(text) else {
            let message = format!("`{text}` does not end where its quotes say");
            self.problem(
                Problem::new(&codes::UNWRITABLE_VALUE, message).help("Close the quotes in `extra_args`"),
            );
            return Vec::new();
        };
        words.iter().filter_map(|word| self.expanding_word(word)).collect()
    }

    fn uv_project(
        &mut self,
        folder: &str,
        has_lock: bool,
        install: ProjectInstall,
        editables: &[(String, String)],
        options: &PipOptions,
    ) {
        let mut arguments = self.pip_options(options);
        let mut place = self.project(folder, install);
        match install {
            ProjectInstall::DependenciesOnly => {
                place.add("pyproject.toml", folder, false);
                if has_lock {
                    place.add("uv.lock", folder, true);
                }
                if !options.extra_args.as_deref().is_some_and(|args| args.contains("--no-install-project")) {
                    arguments.push("--no-install-project".to_owned());
                }
                if !editables.is_empty() && self.workdir.is_none() {
                    // They are found below the working directory when the task runs.
                    let message = "`with_uv_project` installs projects in place, and the working directory of the \
                                   base is not known";
                    self.problem(
                        Problem::new(&codes::UNWRITABLE_VALUE, message)
                            .help("Set it with `with_workdir` before this layer"),
                    );
                }
                for (source, path) in editables {
                    place.mounts.push(format!("type=bind,source={source},target={}/{path},rw", place.folder));
                }
            }
            ProjectInstall::InstallProject => arguments.push("--no-editable".to_owned()),
        }
        let mut mounts = vec![uv_cache()];
        mounts.append(&mut place.mounts);
        let script = format!(
            "VIRTUAL_ENV=\"${{VIRTUAL_ENV-/opt/venv}}\" uv sync --active --inexact --project {} {}",
            place.folder,
            arguments.join(" ")
        );
        self.run(&mounts, &options.secret_mounts, script.trim_end());
    }

    fn poetry_project(
        &mut self,
        folder: &str,
        install: ProjectInstall,
        extra_args: Option<&str>,
        secrets: &[Secret],
    ) {
        self.run(&[uv_cache()], &[], "uv pip install poetry");
        let mut arguments = self.further_arguments(extra_args);
        let mut place = self.project(folder, install);
        let mut variables = "ENV POETRY_CACHE_DIR=/tmp/poetry_cache".to_owned();
        if install == ProjectInstall::DependenciesOnly {
            place.add("poetry.lock", folder, false);
            place.add("pyproject.toml", folder, false);
            variables.push_str(" POETRY_VIRTUALENVS_IN_PROJECT=true");
            if !extra_args.is_some_and(|args| args.contains("--no-root")) {
                arguments.push("--no-root".to_owned());
            }
        }
        self.push(variables);
        let mut mounts =
            vec!["type=cache,sharing=locked,mode=0777,target=/tmp/poetry_cache,id=poetry".to_owned()];
        mounts.append(&mut place.mounts);
        let script = format!(
            "VIRTUAL_ENV=\"${{VIRTUAL_ENV-/opt/venv}}\" poetry install {} -C {}",
            arguments.join(" "),
            place.folder
        );
        self.run(&mounts, secrets, &script);
    }

    /// Where a project lies while it is installed: whole, or its files one by one in the working directory.
    fn project(&self, folder: &str, install: ProjectInstall) -> Place {
        match install {
            ProjectInstall::InstallProject => {
                let place = format!("/root/.flyte/{folder}");
                let mount = format!("type=bind,source={folder},target={place},rw");
                Place { folder: place, mounts: vec![mount] }
            }
            ProjectInstall::DependenciesOnly => {
                let folder = self.workdir.clone().unwrap_or_else(|| format!("{MOUNTS}/{folder}"));
                Place { folder, mounts: Vec::new() }
            }
        }
    }

    fn pixi_project(&mut self, step: &Step) {
        let Step::PixiProject { folder, manifest, has_lock, environment, extra_args, secrets } = step else {
            return;
        };
        if environment.is_empty()
            || !environment.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            let message = format!("`{environment}` is no name of a pixi environment");
            self.problem(
                Problem::new(&codes::UNWRITABLE_VALUE, message)
                    .help("Use lower-case letters, digits and dashes"),
            );
            return;
        }
        let pixi = self.image(PIXI_IMAGE);
        self.push(format!("COPY --from={pixi} /usr/local/bin/pixi /usr/local/bin/pixi"));
        self.push(format!("COPY {folder}/ {PIXI_FOLDER}/"));
        let mut script = vec![format!(
            "pixi install --manifest-path {PIXI_FOLDER}/{manifest} --environment {environment}"
        )];
        // pixi refuses `--locked` beside `--frozen`.
        if *has_lock && !extra_args.as_deref().is_some_and(|args| args.contains("--frozen")) {
            script.push("--locked".to_owned());
        }
        script.extend(self.further_arguments(extra_args.as_deref()));
        let cache = "type=cache,sharing=locked,mode=0777,target=/root/.cache/rattler,id=pixi".to_owned();
        self.run(&[cache], secrets, &script.join(" "));
        let active = format!("{PIXI_FOLDER}/.pixi/envs/{environment}");
        // What follows, and the task itself, runs in this environment.
        self.push(format!(
            "ENV VIRTUAL_ENV={active} UV_PYTHON={active}/bin/python \
             PIXI_PROJECT_MANIFEST={PIXI_FOLDER}/{manifest} PATH={active}/bin:$PATH"
        ));
    }

    fn apt(&mut self, packages: &[String], secrets: &[Secret]) {
        let mut words = Vec::new();
        // The SDK lets the shell split: `"git curl"` is two packages.
        for package in packages.iter().flat_map(|packages| packages.split_ascii_whitespace()) {
            if package.starts_with('-') {
                let message = format!("`{package}` is an option of apt-get, not a package");
                self.problem(
                    Problem::new(&codes::UNWRITABLE_VALUE, message)
                        .help("Install it with `with_commands`, where options belong"),
                );
            }
            words.extend(self.word(package));
        }
        let script =
            format!("apt-get update && apt-get install -y --no-install-recommends -- {}", words.join(" "));
        let cache = "type=cache,sharing=locked,mode=0777,target=/var/cache/apt,id=apt".to_owned();
        self.run(&[cache], secrets, &script);
    }

    fn env(&mut self, variables: &[(String, String)]) {
        for (item, (name, value)) in variables.iter().enumerate() {
            self.item = Some(item);
            let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
            if !is_name {
                let message = format!("`{}` is no name of an environment variable", name.escape_debug());
                self.problem(
                    Problem::new(&codes::UNWRITABLE_VALUE, message)
                        .help("Use letters, digits and underscores"),
                );
                continue;
            }
            let value = self.value(value);
            self.push(format!("ENV {name}={value}"));
        }
    }

    fn change_workdir(&mut self, workdir: &str) {
        if !self.is_one_line("working directory", workdir) {
            return;
        }
        let value = self.value(workdir);
        self.push(format!("WORKDIR {value}"));
        self.workdir = match (&self.workdir, is_harmless(workdir) && !workdir.contains("..")) {
            (_, true) if workdir.starts_with('/') => Some(workdir.trim_end_matches('/').to_owned()),
            (Some(above), true) => Some(format!("{above}/{}", workdir.trim_matches('/'))),
            _ => None,
        };
    }

    fn copy_file(&mut self, folder: &str, name: &str, dst: &str) {
        if is_harmless(name) {
            self.copy(&format!("{folder}/{name}"), dst);
            return;
        }
        // Engines read `*`, `[` and `$` in the names of sources, each in its own way: a shell copies the file.
        if !self.is_one_line("destination", dst) {
            return;
        }
        let (Some(target), Some(name)) = (self.expanding_word(dst), self.word(name)) else { return };
        let is_folder = dst.ends_with('/') || dst.ends_with("/.") || dst == "." || dst == "..";
        let into = if is_folder { "true" } else { "[ -d \"$to\" ]" };
        let script = format!(
            "to={target}; name={name}; if {into}; then mkdir -p \"$to\"; to=\"${{to%/}}/$name\"; \
             else mkdir -p \"$(dirname \"$to\")\"; fi; cp \"/{MOUNT_OF_COPIES}/$name\" \"$to\" && \
             chown flyte:flyte \"$to\"",
        );
        self.run(&[format!("type=bind,source={folder},target=/{MOUNT_OF_COPIES}")], &[], &script);
    }

    fn copy(&mut self, source: &str, dst: &str) {
        if self.is_one_line("destination", dst) {
            self.push(format!("COPY --chown=flyte:flyte [\"{source}\", {}]", json_path(dst)));
        }
    }

    fn line(&mut self, line: &str) {
        if !self.is_one_line("line", line) {
            return;
        }
        if line.trim_end().ends_with('\\') {
            let message = format!("`{line}` would take in the line that follows");
            self.problem(Problem::new(&codes::UNWRITABLE_VALUE, message));
            return;
        }
        self.push(line.to_owned());
    }

    fn run(&mut self, mounts: &[String], secrets: &[Secret], script: &str) {
        if script.contains('\0') {
            self.nul(script);
            return;
        }
        let mut flags: Vec<String> = mounts.to_vec();
        let mut exports = String::new();
        for secret in secrets {
            let id = self.secret(secret);
            let target = if let Some(mount) = &secret.mount {
                mount.to_string_lossy().into_owned()
            } else {
                let name = environment_variable(secret);
                if !is_variable(&name) {
                    let message = format!("`{name}` is no name of an environment variable for a secret");
                    self.problem(
                        Problem::new(&codes::UNWRITABLE_VALUE, message)
                            .help("Set `as_env_var` of the secret to letters, digits and underscores"),
                    );
                }
                let _ = write!(exports, "export {name}=\"$(cat /run/secrets/{id})\"; ");
                format!("/run/secrets/{id}")
            };
            if !is_harmless(&target) {
                let message =
                    format!("`{}` is no place that a secret can be mounted at", target.escape_debug());
                self.problem(
                    Problem::new(&codes::UNWRITABLE_VALUE, message).help("Mount it at `/etc/flyte/secrets`"),
                );
            }
            if flags.iter().any(|flag| flag.contains(&format!(",target={target},required"))) {
                let message = format!("`{target}` would hold two secrets of one layer");
                self.problem(
                    Problem::new(&codes::UNWRITABLE_VALUE, message).help("Give one of them to another layer"),
                );
            }
            flags.push(format!("type=secret,id={id},target={target},required=true"));
        }
        let flags: String = flags.iter().map(|flag| format!("--mount={flag} ")).collect();
        self.push(format!("RUN {flags}{}", run_script(&format!("{exports}{script}"))));
    }

    /// What the Dockerfile calls a secret.
    fn secret(&mut self, secret: &Secret) -> String {
        let is_same =
            |known: &&BuildSecret| (&known.secret.key, &known.secret.group) == (&secret.key, &secret.group);
        if let Some(known) = self.file.secrets.iter().find(is_same) {
            return known.id.clone();
        }
        let name = secret.group.iter().chain([&secret.key]).cloned().collect::<Vec<_>>().join("_");
        let clean: String = name
            .chars()
            .map(
                |character| {
                    if character.is_ascii_alphanumeric() || character == '_' { character } else { '-' }
                },
            )
            .collect();
        let is_taken = |id: &str| self.file.secrets.iter().any(|known| known.id == id);
        let mut id = clean.clone();
        let mut number = 1;
        while is_taken(&id) {
            number += 1;
            id = format!("{clean}-{number}");
        }
        self.file.secrets.push(BuildSecret { id: id.clone(), secret: secret.clone() });
        id
    }

    /// An image by its reference, or what is taken in its place.
    fn image(&mut self, reference: &str) -> String {
        let reference = self.replacements.get(reference).map_or(reference, String::as_str);
        if !is_harmless(reference) || reference.is_empty() || reference.starts_with('-') {
            let message = format!("`{}` is no reference to an image", reference.escape_debug());
            self.problem(
                Problem::new(&codes::UNWRITABLE_VALUE, message).help("Name it as `registry/name:tag`"),
            );
        }
        reference.to_owned()
    }

    /// A value of `ENV` or `WORKDIR`; control characters come from outside.
    fn value(&mut self, text: &str) -> String {
        let mut declared = Vec::new();
        if text.contains('\0') {
            self.nul(text);
            return String::new();
        }
        let value = quoted_value(text, |character| {
            let name = format!("FLYTE_CHARACTER_{:02X}", u32::from(character));
            if self.file.build_args.insert(name.clone(), character.to_string()).is_none() {
                declared.push(name.clone());
            }
            format!("${{{name}}}")
        });
        for name in declared {
            self.push(format!("ARG {name}"));
            // Without it the value would silently be another one.
            self.push(format!("RUN : \"${{{name}?build with --build-arg {name}}}\""));
        }
        value
    }

    fn is_one_line(&mut self, what: &str, text: &str) -> bool {
        if text.is_empty() || text.chars().any(char::is_control) {
            let message = format!("`{}` is no {what} that a Dockerfile can hold", text.escape_debug());
            self.problem(
                Problem::new(&codes::UNWRITABLE_VALUE, message).help("Write it without control characters"),
            );
            return false;
        }
        true
    }

    fn mount_point(&self, name: &str) -> String {
        format!("{}/{name}", self.workdir.as_deref().unwrap_or(MOUNTS))
    }

    fn word(&mut self, text: &str) -> Option<String> {
        let word = word(text);
        if word.is_none() {
            self.nul(text);
        }
        word
    }

    fn expanding_word(&mut self, text: &str) -> Option<String> {
        let word = expanding_word(text);
        if word.is_none() {
            self.nul(text);
        }
        word
    }

    fn nul(&mut self, text: &str) {
        let message = format!("`{}` holds a NUL byte", text.escape_debug());
        self.problem(Problem::new(&codes::UNWRITABLE_VALUE, message).help("Leave it out"));
    }

    fn problem(&mut self, problem: Problem) {
        self.problems.push(Problem { layer: self.layer, item: self.item, ..problem });
    }

    fn comment(&mut self, text: &str) {
        let _ = writeln!(self.file.text, "# {text}");
    }

    fn push(&mut self, text: String) {
        let line = self.file.text.lines().count() + 1;
        self.file.text.push_str(&text);
        self.file.text.push('\n');
        self.file.instructions.push(Instruction { text, line, layer: self.layer, item: self.item });
    }
}

/// Where files with names of their own are mounted while they are copied.
const MOUNT_OF_COPIES: &str = "run/flyte/copy";

impl Place {
    fn add(&mut self, name: &str, folder: &str, is_writable: bool) {
        let rw = if is_writable { ",rw" } else { "" };
        self.mounts.push(format!("type=bind,source={folder}/{name},target={}/{name}{rw}", self.folder));
    }
}

fn uv_cache() -> String {
    "type=cache,sharing=locked,mode=0777,target=/root/.cache/uv,id=uv".to_owned()
}

/// The variable that holds a secret which is not mounted as a file, as `flyte.Secret` names it.
pub fn environment_variable(secret: &Secret) -> String {
    secret.as_env_var.clone().unwrap_or_else(|| {
        let name = secret.group.iter().chain([&secret.key]).cloned().collect::<Vec<_>>().join("_");
        name.replace('-', "_").to_uppercase()
    })
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
