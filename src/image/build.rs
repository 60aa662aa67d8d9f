//! Builds images: in the order of their bases, otherwise side by side, each in a folder that goes when it is done.
//!
//! ```python
//! base = flyte.Image.from_debian_base(name="base").with_apt_packages("git")
//! train = flyte.Image.from_base(base.uri).clone(name="train", extendable=True).with_pip_packages("pandas")
//! ```
//!
//! # FM582
//!
//! ## What it does
//!
//! Speaks of a secret that a layer mounts, and that is neither in the environment nor in `/etc/secrets`.
//!
//! ## Why
//!
//! The engine is given its value when the image is built; without it the layer fails.
//!
//! ## Example
//!
//! `image build --dry-run` of
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_debian_base(python_version=(3, 12), name="train").with_pip_packages(
//!     "pandas", secret_mounts=["PIP_TOKEN"]
//! )
//! ```
//!
//! ## Use instead
//!
//! `PIP_TOKEN=hidden image build --dry-run`: the variable holds the value.
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! Whether the value is right.
//!
//! ## References
//!
//! `flyte/_internal/imagebuild/docker_builder.py` of flyte 2.12.1.
//!
//! # FM583
//!
//! ## What it does
//!
//! Speaks of an image that cannot be built, because what it is depends on code that would have to be run, or on a name
//! that the configuration does not have.
//!
//! ## Why
//!
//! No code of yours is run, and nothing is guessed.
//!
//! ## Example
//!
//! `image dockerfile` of
//!
//! ```python
//! import os
//!
//! import flyte
//!
//! image = flyte.Image.from_debian_base(python_version=(3, 12), name=os.environ["N"])
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_debian_base(python_version=(3, 12), name="train")
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! The SDK, which runs the code, may well build the image: `image build --builder remote`, or `flyte build`.
//!
//! ## References
//!
//! `flyte/_internal/imagebuild/docker_builder.py` of flyte 2.12.1.
//!
//! # FM584
//!
//! ## What it does
//!
//! Speaks of an image that is to be pushed, and of which neither the code nor the configuration says where to.
//!
//! ## Why
//!
//! A name without a registry is only known on this machine.
//!
//! ## Example
//!
//! `image build --push --dry-run` of
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_debian_base(python_version=(3, 12), name="train")
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_debian_base(
//!     python_version=(3, 12), name="train", registry="ghcr.io/acme"
//! )
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! Whether the registry takes the image.
//!
//! ## References
//!
//! `flyte/_internal/imagebuild/docker_builder.py` of flyte 2.12.1.
//!
//! # FM586
//!
//! ## What it does
//!
//! Speaks of an image that the engine could not build or push, and names the layer, and the line of Python that asked
//! for it: that of the command or variable, where an instruction stands for one alone.
//!
//! ## Why
//!
//! The last lines that the engine said stand above.
//!
//! ## Example
//!
//! `image build` of
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_debian_base(python_version=(3, 12), name="train").with_commands(["false"])
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_debian_base(python_version=(3, 12), name="train").with_commands(["true"])
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! What the engine says is not interpreted.
//!
//! ## References
//!
//! `flyte/_internal/imagebuild/docker_builder.py` of flyte 2.12.1.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::context::{self, Context};
use super::disk::Disk;
use super::dockerfile::{BuildSecret, Dockerfile, Target, render};
use super::engine::{Engine, EngineSettings, Job, SecretSource, host_platform};
use super::layer::Layer;
use super::schedule::Schedule;
use super::shell::is_harmless;
use super::step::Problem;
use super::{Base, Image};
use crate::rules::codes;

/// Where a local build looks for secrets that are files.
const SECRET_FOLDER: &str = "/etc/secrets";
/// How many of the last lines of an engine are shown when it fails.
const SHOWN_LINES: usize = 40;
/// The Dockerfile in the folder of a build.
const DOCKERFILE: &str = "Dockerfile";
/// The build context in the folder of a build.
const CONTEXT: &str = "context";

/// An image that is to be built.
#[derive(Debug, Clone)]
pub struct Request {
    /// The image, with its registry.
    pub image: Image,
    /// Its identity.
    pub uri: String,
    /// What it is called in messages: the variable that holds it.
    pub label: String,
    /// Where the code asks for it: `train.py:3:9`.
    pub place: String,
    /// Where it asks for each layer.
    pub layers: Vec<LayerPlaces>,
}

/// Where the code asks for a layer.
#[derive(Debug, Clone)]
pub struct LayerPlaces {
    /// The method: `train.py:4:6`.
    pub method: String,
    /// Each of its packages, commands or variables.
    pub items: Vec<String>,
}

impl Request {
    /// Where the code asks for what a problem is about.
    pub fn place_of(&self, problem: &Problem) -> &str {
        let Some(layer) = problem.layer.and_then(|layer| self.layers.get(layer)) else { return &self.place };
        problem.item.and_then(|item| layer.items.get(item)).unwrap_or(&layer.method)
    }
}

/// How images are built.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program that builds them.
    pub engine: Engine,
    /// How it is found and started: the program, for tests another than the engine's own.
    pub program: OsString,
    /// What the environment says about engines.
    pub settings: EngineSettings,
    /// Whether images are pushed.
    pub is_pushed: bool,
    /// Whether images that are there already are built again.
    pub is_forced: bool,
    /// The platforms that were asked for; empty for those of the image.
    pub platforms: Vec<String>,
    /// How many images are built at a time.
    pub jobs: usize,
    /// Images that are taken in place of others.
    pub replacements: BTreeMap<String, String>,
    /// The Python of images that do not say which, if it is known.
    pub python_version: Option<(u32, u32)>,
    /// The disk, from the working directory, which relative paths of the code count from.
    pub disk: Disk,
    /// Where secrets lie that are no variables.
    pub secrets: PathBuf,
}

impl Options {
    /// Builds with an engine that is found on the `PATH`, as the code and the environment say.
    pub fn new(engine: Engine, cwd: PathBuf) -> Self {
        Self {
            engine,
            program: engine.program().into(),
            settings: EngineSettings::default(),
            is_pushed: false,
            is_forced: false,
            platforms: Vec::new(),
            jobs: 1,
            replacements: BTreeMap::new(),
            python_version: None,
            disk: Disk::new(cwd),
            secrets: PathBuf::from(SECRET_FOLDER),
        }
    }
}

/// What became of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was built.
    Built,
    /// There was nothing to do, and why.
    Skipped(String),
    /// It could not be built.
    Failed {
        /// Why.
        problems: Vec<Problem>,
        /// The last lines of the engine.
        output: Vec<String>,
    },
}

impl Outcome {
    /// It could not be built, for one reason.
    pub fn failed(problem: Problem) -> Self {
        Self::Failed { problems: vec![problem], output: Vec::new() }
    }
}

/// Hears what happens during a build, from several threads.
pub trait Reporter: Sync {
    /// An image is begun.
    fn begin(&self, request: usize);
    /// The engine said something.
    fn line(&self, request: usize, line: &str);
    /// An image is done.
    fn end(&self, request: usize, outcome: &Outcome);
}

/// All that an engine needs to build an image.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// Its Dockerfile; `None` where the user wrote one.
    pub dockerfile: Option<Dockerfile>,
    /// Its context; empty where the user wrote a Dockerfile, whose folder is the context.
    pub context: Context,
}

/// Makes the Dockerfile and the context of an image.
///
/// # Errors
/// What stands in the way.
pub fn recipe(request: &Request, options: &Options) -> Result<Recipe, Vec<Problem>> {
    if options.is_pushed && request.image.registry.is_none() {
        let message = format!("`{}` names no registry, and neither does the configuration", request.label);
        let help = "Set `registry=`, `image.registry` in the Flyte 2 configuration, or FLYTE_IMAGE_REGISTRY";
        return Err(vec![Problem::new(&codes::NO_REGISTRY, message).help(help)]);
    }
    let base = match &request.image.base {
        Base::Reference(base) => base,
        Base::Dockerfile(_) => return Ok(Recipe { dockerfile: None, context: Context::default() }),
        Base::RefName(name) => {
            let message = format!("`{name}` is no image that the configuration knows");
            return Err(vec![
                Problem::new(&codes::UNKNOWN_IMAGE, message)
                    .help("Add it to `image.image_refs` of the configuration"),
            ]);
        }
    };
    let Some(python_version) = request.image.python_version.or(options.python_version) else {
        let message =
            format!("`{}` has the Python of whatever runs the code, which is not known", request.label);
        let help = "Say it with `--python-version`";
        return Err(vec![Problem::new(&codes::UNKNOWN_IMAGE, message).help(help)]);
    };
    let context = context::collect(&request.image.layers, &options.disk)?;
    let target = Target {
        base,
        uri: &request.uri,
        python_version,
        workdir: base_workdir(base),
        replacements: &options.replacements,
    };
    let dockerfile = render(&target, &context.steps)?;
    Ok(Recipe { dockerfile: Some(dockerfile), context })
}

/// The working directory of a base, where it is one of Flyte's own.
fn base_workdir(base: &str) -> Option<&'static str> {
    base.starts_with("ghcr.io/flyteorg/flyte:").then_some("/home/flyte")
}

/// Where each secret comes from, by what the Dockerfile calls it.
///
/// # Errors
/// Secrets that are neither a variable nor a file.
pub fn find_secrets(
    secrets: &[BuildSecret],
    folder: &Path,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Vec<(String, SecretSource)>, Vec<Problem>> {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for BuildSecret { id, secret } in secrets {
        let name = secret.group.iter().chain([&secret.key]).cloned().collect::<Vec<_>>().join("_");
        let (upper, file) = (name.to_uppercase(), folder.join(&name));
        if variable(&upper).is_some_and(|value| !value.is_empty()) {
            found.push((id.clone(), SecretSource::Variable(upper)));
        } else if file.is_file() && is_harmless(&file.to_string_lossy()) {
            found.push((id.clone(), SecretSource::File(file)));
        } else {
            let message =
                format!("`{name}` is neither the variable `{upper}` nor the file `{}`", file.display());
            let help = "Set the variable, or write the file, for the time of the build";
            problems.push(Problem::new(&codes::MISSING_SECRET, message).help(help));
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

/// The platforms that an image is built for: a push gets all of them, a build for this machine its own.
pub fn platforms(request: &Request, options: &Options) -> Vec<String> {
    if !options.platforms.is_empty() {
        return options.platforms.clone();
    }
    let host = host_platform();
    if !options.is_pushed && request.image.platform.len() > 1 && request.image.platform.contains(&host) {
        return vec![host];
    }
    request.image.platform.clone()
}

/// Builds images, and says what became of each.
///
/// `is_cancelled` ends the run between two steps: no further image is begun.
pub fn build(
    requests: &[Request],
    options: &Options,
    reporter: &dyn Reporter,
    is_cancelled: &AtomicBool,
) -> Vec<Outcome> {
    let schedule = match Schedule::new(requests) {
        Ok(schedule) => schedule,
        Err(problem) => return requests.iter().map(|_| Outcome::failed(problem.clone())).collect(),
    };
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.clamp(1, requests.len().max(1)) {
            scope.spawn(|| {
                while let Some(request) = schedule.next() {
                    reporter.begin(request);
                    let outcome = schedule.verdict(request).unwrap_or_else(|| {
                        if is_cancelled.load(Ordering::Relaxed) {
                            Outcome::Skipped("the run was stopped".to_owned())
                        } else {
                            build_one(
                                &requests[request],
                                options,
                                &|line| reporter.line(request, line),
                                is_cancelled,
                            )
                        }
                    });
                    reporter.end(request, &outcome);
                    schedule.finish(request, outcome);
                }
            });
        }
    });
    schedule.outcomes()
}

fn build_one(
    request: &Request,
    options: &Options,
    line: &dyn Fn(&str),
    is_cancelled: &AtomicBool,
) -> Outcome {
    if !request.image.is_cloned {
        return Outcome::Skipped("it is published; nothing is added to it".to_owned());
    }
    if matches!(request.image.base, Base::RefName(_)) && request.image.layers.is_empty() {
        return Outcome::Skipped("the configuration names it; nothing is added to it".to_owned());
    }
    if !options.is_forced
        && let Some(reason) = presence(request, options)
    {
        return Outcome::Skipped(reason);
    }
    match run_engine(request, options, line, is_cancelled) {
        Ok(()) => Outcome::Built,
        Err((problems, output)) => Outcome::Failed { problems, output },
    }
}

/// Where the image is already, if it is.
fn presence(request: &Request, options: &Options) -> Option<String> {
    let succeeds = |arguments: Vec<String>| {
        let mut command = Command::new(&options.program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if !options.is_pushed && succeeds(options.engine.local_check(&request.uri)) {
        return Some("the local store has it".to_owned());
    }
    let is_there = request.image.registry.is_some() && succeeds(options.engine.registry_check(&request.uri));
    is_there.then(|| "the registry has it".to_owned())
}

type Failure = (Vec<Problem>, Vec<String>);

/// Writes Dockerfile and context of a recipe into a folder.
///
/// # Errors
/// What the system says.
pub fn write(recipe: &Recipe, folder: &Path) -> std::io::Result<()> {
    let Some(dockerfile) = &recipe.dockerfile else { return Ok(()) };
    let context = folder.join(CONTEXT);
    std::fs::create_dir_all(&context)?;
    recipe.context.write(&context)?;
    std::fs::write(folder.join(DOCKERFILE), &dockerfile.text)
}

/// How the engine is called for a recipe that is written into `folder`.
///
/// # Errors
/// Secrets that are missing, and a Dockerfile of the user that is.
pub fn calls(
    request: &Request,
    options: &Options,
    recipe: &Recipe,
    folder: &Path,
) -> Result<Vec<Vec<String>>, Vec<Problem>> {
    let (file, context) = places(request, options, folder)?;
    let (no_secrets, no_args) = (Vec::new(), BTreeMap::new());
    let dockerfile = recipe.dockerfile.as_ref();
    let secrets = dockerfile.map_or(&no_secrets, |dockerfile| &dockerfile.secrets);
    let secrets = find_secrets(secrets, &options.secrets, |name| std::env::var(name).ok())?;
    let job = Job {
        dockerfile: &file,
        context: &context,
        uri: &request.uri,
        platforms: &platforms(request, options),
        is_pushed: options.is_pushed,
        secrets: &secrets,
        build_args: dockerfile.map_or(&no_args, |dockerfile| &dockerfile.build_args),
        settings: &options.settings,
    };
    Ok(options.engine.calls(&job))
}

/// The Dockerfile and its context: the user's, or those in `folder`.
fn places(request: &Request, options: &Options, folder: &Path) -> Result<(PathBuf, PathBuf), Vec<Problem>> {
    let Base::Dockerfile(path) = &request.image.base else {
        return Ok((folder.join(DOCKERFILE), folder.join(CONTEXT)));
    };
    let file = options.disk.place(path);
    if !file.is_file() {
        let message = format!("`{}` is not there", path.display());
        let help = "Correct the path, which counts from the working directory";
        return Err(vec![Problem::new(&codes::MISSING_FILE, message).help(help)]);
    }
    if options.disk.written(path).is_some() {
        let message = format!("`{}` is not on the disk as the migration would leave it", path.display());
        return Err(vec![
            Problem::new(&codes::UNSUPPORTED_BUILD, message).help("Migrate with --write first"),
        ]);
    }
    let context = file.parent().unwrap_or(options.disk.cwd()).to_path_buf();
    Ok((file, context))
}

fn run_engine(
    request: &Request,
    options: &Options,
    line: &dyn Fn(&str),
    is_cancelled: &AtomicBool,
) -> Result<(), Failure> {
    let folder = tempfile::Builder::new().prefix("flyte-migrate-").tempdir().map_err(|error| {
        let message = format!("no folder can be made for the build: {error}");
        (vec![Problem::new(&codes::FAILED_BUILD, message)], Vec::new())
    })?;
    let recipe = recipe(request, options).map_err(|problems| (problems, Vec::new()))?;
    write(&recipe, folder.path()).map_err(|error| {
        let message = format!("the build context cannot be written: {error}");
        (vec![Problem::new(&codes::MISSING_FILE, message)], Vec::new())
    })?;
    let calls = calls(request, options, &recipe, folder.path()).map_err(|problems| (problems, Vec::new()))?;
    for arguments in &calls {
        let output = call(options, arguments, line, is_cancelled).map_err(|error| {
            let message = format!("`{}` cannot be started: {error}", options.program.to_string_lossy());
            let help = "Install the engine, or choose another with `--engine`";
            (vec![Problem::new(&codes::FAILED_BUILD, message).help(help)], Vec::new())
        })?;
        if !output.is_success {
            let problem = failure(request, options, &recipe, arguments, &output);
            return Err((vec![problem], output.lines.into()));
        }
    }
    Ok(())
}

struct EngineOutput {
    is_success: bool,
    status: String,
    /// The last lines.
    lines: VecDeque<String>,
    /// The last thing it said about where it is.
    position: Option<Position>,
}

/// Where an engine is in a Dockerfile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    /// An instruction, counted from 1.
    Step(usize),
    /// A line, counted from 1.
    Line(usize),
}

/// Runs the engine, hands its lines on, and keeps the last ones.
fn call(
    options: &Options,
    arguments: &[String],
    line: &dyn Fn(&str),
    is_cancelled: &AtomicBool,
) -> std::io::Result<EngineOutput> {
    let mut child = Command::new(&options.program)
        .args(arguments)
        .current_dir(options.disk.cwd())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (sender, receiver) = std::sync::mpsc::channel::<String>();
    let streams: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|stream| Box::new(stream) as Box<dyn Read + Send>),
        child.stderr.take().map(|stream| Box::new(stream) as Box<dyn Read + Send>),
    ];
    let mut lines = VecDeque::new();
    let mut position = None;
    let is_done = AtomicBool::new(false);
    let id = child.id();
    std::thread::scope(|scope| {
        scope.spawn(|| stop_when_cancelled(id, is_cancelled, &is_done));
        for stream in streams.into_iter().flatten() {
            let sender = sender.clone();
            scope.spawn(move || read_lines(stream, &sender));
        }
        drop(sender);
        for text in receiver {
            line(&text);
            position = position_in(&text).or(position);
            if lines.len() == SHOWN_LINES {
                lines.pop_front();
            }
            lines.push_back(text);
        }
        is_done.store(true, Ordering::Relaxed);
    });
    let status = child.wait()?;
    Ok(EngineOutput { is_success: status.success(), status: status.to_string(), lines, position })
}

/// Tells a process to stop once the run is cancelled: a signal to this program alone does not reach it.
fn stop_when_cancelled(id: u32, is_cancelled: &AtomicBool, is_done: &AtomicBool) {
    while !is_done.load(Ordering::Relaxed) {
        if is_cancelled.load(Ordering::Relaxed) {
            return terminate(id);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[cfg(unix)]
fn terminate(id: u32) {
    use nix::sys::signal::{Signal, kill};
    // It may have ended by itself, which is as good.
    let _ = i32::try_from(id).map(|id| kill(nix::unistd::Pid::from_raw(id), Signal::SIGTERM));
}

/// Without signals, it ends by itself.
#[cfg(not(unix))]
fn terminate(_: u32) {}

fn read_lines(stream: impl Read, sender: &std::sync::mpsc::Sender<String>) {
    let mut stream = BufReader::new(stream);
    let mut bytes = Vec::new();
    while stream.read_until(b'\n', &mut bytes).is_ok_and(|length| length > 0) {
        let text = String::from_utf8_lossy(&bytes);
        // A progress bar writes over its line: what it said last counts.
        let text = text.trim_end().rsplit('\r').next().unwrap_or_default().to_owned();
        if sender.send(text).is_err() {
            return;
        }
        bytes.clear();
    }
}

/// Where a line of an engine says that it is: `STEP 4/9: RUN …` of buildah and podman, `Dockerfile:12` of `BuildKit`.
fn position_in(line: &str) -> Option<Position> {
    if let Some(rest) = line.strip_prefix("STEP ") {
        return rest.split('/').next()?.parse().ok().map(Position::Step);
    }
    line.strip_prefix("Dockerfile:")?.trim().parse().ok().map(Position::Line)
}

/// Why an engine failed: the layer that it was at.
fn failure(
    request: &Request,
    options: &Options,
    recipe: &Recipe,
    arguments: &[String],
    output: &EngineOutput,
) -> Problem {
    let engine = options.engine.program();
    let is_push = arguments.iter().any(|argument| argument == "push");
    if is_push {
        let message =
            format!("`{}` was built, but {engine} could not push it ({})", request.uri, output.status);
        return Problem::new(&codes::FAILED_BUILD, message).help("Log in to the registry with the engine");
    }
    let instructions = recipe.dockerfile.as_ref().map_or(&[][..], |dockerfile| &dockerfile.instructions);
    let instruction = output.position.and_then(|position| match position {
        Position::Step(number) => instructions.get(number.checked_sub(1)?),
        Position::Line(line) => instructions.iter().rfind(|instruction| instruction.line <= line),
    });
    let status = &output.status;
    let (layer, item) = instruction.map_or((None, None), |instruction| (instruction.layer, instruction.item));
    let within = layer.map_or(String::new(), |layer| {
        let name = request.image.layers.get(layer).map_or("", method);
        let item = item.map_or(String::new(), |item| format!(", number {}", item + 1));
        format!(" in layer {} (`{name}`{item})", layer + 1)
    });
    let message = format!("`{}` failed{within}: {engine} ended with {status}", request.uri);
    let problem = Problem { layer, item, ..Problem::new(&codes::FAILED_BUILD, message) };
    problem.help("Look at what the engine says, and correct the layer")
}

/// The method that adds a layer.
pub fn method(layer: &Layer) -> &'static str {
    match layer {
        Layer::PipPackages { .. } => "with_pip_packages",
        Layer::Requirements { .. } => "with_requirements",
        Layer::UvProject { .. } => "with_uv_project",
        Layer::PoetryProject { .. } => "with_poetry_project",
        Layer::PixiProject { .. } => "with_pixi_project",
        Layer::UvScript { .. } => "from_uv_script",
        Layer::PixiScript { .. } => "from_pixi_script",
        Layer::AptPackages { .. } => "with_apt_packages",
        Layer::Commands { .. } => "with_commands",
        Layer::Env { .. } => "with_env_vars",
        Layer::WorkDir { .. } => "with_workdir",
        Layer::CopyFile { .. } => "with_source_file",
        Layer::CopyFolder { .. } => "with_source_folder",
        Layer::DockerIgnore { .. } => "with_dockerignore",
        Layer::CodeBundle { .. } => "with_code_bundle",
        Layer::DockerLines { .. } => "from_debian_base",
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::image) fn request(name: &str, base: &str) -> Request {
        Request {
            image: Image {
                base: Base::Reference(base.to_owned()),
                name: Some(name.to_owned()),
                registry: None,
                registry_secret: None,
                platform: vec!["linux/amd64".to_owned(), "linux/arm64".to_owned()],
                python_version: Some((3, 12)),
                is_extendable: true,
                is_cloned: true,
                tag: None,
                layers: Vec::new(),
            },
            uri: format!("{name}:1"),
            label: name.to_owned(),
            place: "a.py:1:1".to_owned(),
            layers: Vec::new(),
        }
    }

    #[test]
    fn different_images_of_one_uri_are_not_taken_for_one() {
        struct Silent;
        impl Reporter for Silent {
            fn begin(&self, _: usize) {}
            fn line(&self, _: usize, _: &str) {}
            fn end(&self, _: usize, _: &Outcome) {}
        }
        let mut published = request("a", "b:1");
        published.image.is_cloned = false;
        let same = published.clone();
        let mut other = published.clone();
        other.image.layers.push(Layer::WorkDir { workdir: "/".to_owned() });
        let options = Options::new(Engine::Buildah, PathBuf::from("."));
        let outcomes = build(&[published, same, other], &options, &Silent, &AtomicBool::new(false));
        assert!(matches!(&outcomes[..2], [Outcome::Skipped(_), Outcome::Skipped(_)]), "{outcomes:?}");
        let Outcome::Failed { problems, .. } = &outcomes[2] else { panic!("{outcomes:?}") };
        assert_eq!(problems[0].rule.code, "FM587");
    }

    #[test]
    fn engines_say_where_they_are() {
        assert_eq!(position_in("STEP 4/9: RUN false"), Some(Position::Step(4)));
        assert_eq!(position_in("Dockerfile:12"), Some(Position::Line(12)));
        assert_eq!(position_in("Dockerfile: no"), None);
        assert_eq!(position_in("hello"), None);
    }

    #[test]
    fn a_build_for_this_machine_is_for_its_platform() {
        let mut options = Options::new(Engine::Buildah, PathBuf::from("."));
        let request = request("a", "b:1");
        assert_eq!(platforms(&request, &options), [host_platform()]);
        options.is_pushed = true;
        assert_eq!(platforms(&request, &options), request.image.platform);
        options.platforms = vec!["linux/s390x".to_owned()];
        assert_eq!(platforms(&request, &options), ["linux/s390x"]);
    }

    #[test]
    fn secrets_are_variables_or_files() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("group_file"), "x").unwrap();
        let secret = |key: &str, group: Option<&str>| BuildSecret {
            id: key.to_owned(),
            secret: super::super::Secret::new(key.to_owned(), group.map(str::to_owned), None, None),
        };
        let variable = |name: &str| (name == "TOKEN").then(|| "secret".to_owned());
        let found =
            find_secrets(&[secret("token", None), secret("file", Some("group"))], folder.path(), variable);
        let file = SecretSource::File(folder.path().join("group_file"));
        let expected = [("token".into(), SecretSource::Variable("TOKEN".into())), ("file".into(), file)];
        assert_eq!(found.unwrap(), expected);
        let problems = find_secrets(&[secret("none", None)], folder.path(), variable).unwrap_err();
        assert_eq!(problems[0].rule.code, "FM582");
    }
}
