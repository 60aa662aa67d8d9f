//! `flyte-migrate image dockerfile` and `flyte-migrate image build`.
//!
//! ```console
//! $ flyte-migrate image build --engine podman --push workflows/
//! built ghcr.io/acme/trainer:0f6e…
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};

use super::Exit;
use super::args::{
    BaseArgs, BuildArgs, BuilderChoice, DockerfileArgs, EngineChoice, ImageArgs, OutputFormat,
};
use super::image::{Images, find_images, tell_what_is_written};
use super::migrate::report_problems;
use super::progress::Progress;
use crate::flyte2::read::FoundImage;
use crate::image::build::{self, LayerPlaces, Options, Outcome, Recipe, Request, recipe};
use crate::image::digest::uri;
use crate::image::engine::{Engine, EngineSettings};
use crate::image::line::{Piece, value_pieces};
use crate::image::remote;
use crate::image::schedule::{Schedule, confusion};
use crate::image::shell::{Part, parts};
use crate::image::step::Problem;
use crate::image::{Base, Image, Layer};
use crate::rules::codes;

/// Says something on standard error; that nobody reads it is no reason to stop.
macro_rules! say {
    ($($argument:tt)*) => {
        drop(writeln!(std::io::stderr(), $($argument)*))
    };
}

/// Prints or writes Dockerfiles.
pub(super) fn dockerfile(args: &DockerfileArgs, out: &mut dyn Write) -> Result<Exit> {
    refuse_json(&args.images)?;
    let images = find_images(&args.images)?;
    let has_problem = report_problems(&images.discovery);
    let options = options(Engine::Docker, &images, &args.bases);
    let (requests, unknown) = requests(&images, true);
    say_problems(&unknown);
    let mut has_failed = !unknown.is_empty();
    let folders = folders(&requests, args.output.as_deref());
    for (index, request) in requests.iter().enumerate().filter(|(_, request)| needs_build(&request.image)) {
        let folder = args.output.is_some().then_some(folders[index].as_path());
        match confused(&requests, index).and_then(|()| recipe(request, &options)) {
            Ok(recipe) => hand_out(request, &recipe, folder, out)?,
            Err(problems) => {
                problems.iter().for_each(|problem| say_problem(request.place_of(problem), problem));
                has_failed = true;
            }
        }
    }
    Ok(match (has_problem, has_failed) {
        (true, _) => Exit::Error,
        (false, true) => Exit::Findings,
        (false, false) => Exit::Clean,
    })
}

/// What keeps an image from being told from one before it.
fn confused(requests: &[Request], index: usize) -> std::result::Result<(), Vec<Problem>> {
    confusion(requests, index).map_or(Ok(()), |problem| Err(vec![problem]))
}

fn refuse_json(args: &ImageArgs) -> Result<()> {
    if args.output_format == OutputFormat::Json {
        bail!("this command prints no JSON; `flyte-migrate image show` does");
    }
    Ok(())
}

fn hand_out(request: &Request, recipe: &Recipe, folder: Option<&Path>, out: &mut dyn Write) -> Result<()> {
    let Some(dockerfile) = &recipe.dockerfile else {
        writeln!(
            out,
            "# {} ({}) is built from a Dockerfile of yours",
            one_line(&request.label),
            request.place
        )?;
        return Ok(());
    };
    match folder {
        Some(folder) => {
            build::write(recipe, folder).with_context(|| format!("cannot write `{}`", folder.display()))?;
            writeln!(out, "{}", folder.display())?;
        }
        None => write!(
            out,
            "# {} ({})\n{}\n",
            one_line(&request.label),
            one_line(&request.place),
            dockerfile.text
        )?,
    }
    Ok(())
}

/// Builds images.
pub(super) fn build(args: &BuildArgs, out: &mut dyn Write) -> Result<Exit> {
    refuse_json(&args.images)?;
    let images = find_images(&args.images)?;
    let has_problem = report_problems(&images.discovery);
    let engine = match choose(args, images.config.builder.as_deref())? {
        Builder::Local(engine) => engine,
        Builder::Remote => return build_remotely(args, &images, out),
    };
    let (requests, unknown) = requests(&images, true);
    say_problems(&unknown);
    let options = Options {
        is_pushed: args.push,
        is_forced: args.force,
        platforms: args.platform.clone(),
        jobs: args.jobs.get(),
        ..options(engine, &images, &args.bases)
    };
    let is_clean = if args.dry_run {
        dry_run(&requests, &options, args.output.as_deref(), out)?
    } else {
        build_all(&requests, &options, out)?
    };
    Ok(match (has_problem, is_clean && unknown.is_empty()) {
        (true, _) => Exit::Error,
        (false, true) => Exit::Clean,
        (false, false) => Exit::Findings,
    })
}

/// Has images built by the cluster: writes what it would be sent, or hands them to the SDK.
fn build_remotely(args: &BuildArgs, images: &Images, out: &mut dyn Write) -> Result<Exit> {
    if args.push || args.force || !args.platform.is_empty() || !args.bases.base_image.is_empty() {
        bail!("--push, --force, --platform and --base-image are for local builds");
    }
    let (requests, unknown) = requests(images, false);
    say_problems(&unknown);
    let is_clean = if args.dry_run {
        pack_all(&requests, images, args.output.as_deref(), out)?
    } else {
        submit_all(images, args.images.config.as_deref())?
    };
    Ok(if is_clean && unknown.is_empty() { Exit::Clean } else { Exit::Findings })
}

/// Prints, or writes, what the remote builder would be sent.
fn pack_all(
    requests: &[Request],
    images: &Images,
    output: Option<&Path>,
    out: &mut dyn Write,
) -> Result<bool> {
    let mut is_clean = true;
    let folders = folders(requests, output);
    for (index, request) in requests.iter().enumerate().filter(|(_, request)| needs_build(&request.image)) {
        let temporary = std::env::temp_dir();
        let packed = confused(requests, index)
            .and_then(|()| remote::pack(&request.image, images.python_version, &temporary, &images.disk));
        match packed {
            Ok(parcel) => {
                let (layers, files) = (parcel.spec.layers.len(), parcel.entries.len());
                if output.is_some() {
                    let folder = &folders[index];
                    parcel.write(folder).with_context(|| format!("cannot write `{}`", folder.display()))?;
                }
                writeln!(out, "{}: {layers} layers, {files} files", request.uri)?;
            }
            Err(problems) => {
                problems.iter().for_each(|problem| say_problem(request.place_of(problem), problem));
                is_clean = false;
            }
        }
    }
    Ok(is_clean)
}

/// Lets the SDK build the images of the environments that use them; it runs the code, as it does when it deploys.
fn submit_all(images: &Images, config: Option<&Path>) -> Result<bool> {
    let sdk = find_sdk(&images.discovery.root).context(
        "the Flyte 2 SDK is not installed, and only it can talk to the cluster: install `flyte` into the project's \
         virtual environment, or use --dry-run -o DIR",
    )?;
    let mut is_clean = true;
    let mut done = BTreeSet::new();
    for found in &images.found.images {
        let place = place(images, found.place);
        let file = &images.project.files[found.place.file];
        let path = images.discovery.root.join(&file.relative);
        let is_as_on_disk = std::fs::read_to_string(&path)
            .is_ok_and(|text| text.trim_start_matches('\u{feff}') == images.project.text(found.place.file));
        if !is_as_on_disk {
            let message = format!("`{}` is Flyte 1 code, which the SDK does not build", file.display);
            say_problem(
                &place,
                &Problem::new(&codes::UNSUPPORTED_BUILD, message).help("Migrate it with --write first"),
            );
            is_clean = false;
            continue;
        }
        let environments: BTreeSet<&str> =
            found.tasks.iter().filter_map(|task| Some(task.rsplit_once('.')?.0)).collect();
        if environments.is_empty() {
            let (message, help) = match found.tasks.first() {
                None => {
                    ("is used by no task, and the SDK builds what tasks use".to_owned(), "Build it locally")
                }
                Some(task) => (
                    format!("is the image of `{task}`, whose environment is not known"),
                    "Run `flyte build FILE ENVIRONMENT`",
                ),
            };
            let message = format!("`{}` {message}", label(found));
            say_problem(&place, &Problem::new(&codes::UNSUPPORTED_BUILD, message).help(help));
            is_clean = false;
        }
        for environment in environments {
            if done.insert((found.place.file, environment.to_owned())) {
                is_clean &= submit(&sdk, config, &path, environment, images.disk.cwd())?;
            }
        }
    }
    Ok(is_clean)
}

/// The command of the SDK: on the `PATH`, or in the virtual environment of the project.
fn find_sdk(root: &Path) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let active = std::env::var_os("VIRTUAL_ENV").map(PathBuf::from);
    let environments = active.into_iter().chain([root.join(".venv")]).map(|folder| folder.join("bin"));
    std::env::split_paths(&path)
        .chain(environments)
        .map(|folder| folder.join("flyte"))
        .find(|file| file.is_file())
}

fn submit(sdk: &Path, config: Option<&Path>, file: &Path, environment: &str, cwd: &Path) -> Result<bool> {
    let mut command = Command::new(sdk);
    if let Some(config) = config {
        command.arg("--config").arg(config);
    }
    let file = file.strip_prefix(cwd).unwrap_or(file);
    command.args(["--image-builder", "remote", "build"]).arg(file).arg(environment);
    let status = command.status().with_context(|| format!("cannot start `{}`", sdk.display()))?;
    if !status.success() {
        say!("{}: the SDK could not build `{environment}` ({status})", file.display());
    }
    Ok(status.success())
}

/// Where images are built, and with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Builder {
    Local(Engine),
    Remote,
}

/// What was typed decides, then the configuration, then what is installed.
fn choose(args: &BuildArgs, configured: Option<&str>) -> Result<Builder> {
    let engine = match args.engine {
        Some(EngineChoice::Docker) => Some(Engine::Docker),
        Some(EngineChoice::Podman) => Some(Engine::Podman),
        Some(EngineChoice::Buildah) => Some(Engine::Buildah),
        None => None,
    };
    let engine = match (engine, args.builder, configured) {
        (Some(_), Some(BuilderChoice::Remote), _) => bail!("--engine is for local builds"),
        (Some(engine), ..) => Some(engine),
        (None, Some(BuilderChoice::Remote), _) | (None, None, Some("remote")) => return Ok(Builder::Remote),
        (None, _, Some("local-podman")) => Some(Engine::Podman),
        (None, Some(BuilderChoice::Local), _) | (None, None, None) => None,
        (None, None, Some("local")) => Some(Engine::Docker),
        (None, None, Some(other)) => {
            bail!("`image.builder: {other}` is a builder that only the SDK knows; choose one with --builder")
        }
    };
    match engine {
        // Nothing is started.
        engine if args.dry_run => Ok(Builder::Local(engine.unwrap_or(Engine::Docker))),
        Some(Engine::Docker) if is_installed("docker") && !has_buildx() => {
            bail!("docker has no buildx; install its plugin, or choose another engine with --engine")
        }
        Some(engine) if is_installed(engine.program()) => Ok(Builder::Local(engine)),
        Some(engine) => bail!("`{}` is not installed; choose another engine with --engine", engine.program()),
        None => Engine::ALL.into_iter().find(|&engine| is_usable(engine)).map(Builder::Local).context(
            "no engine is installed; install docker with buildx, podman or buildah, or build with --builder remote",
        ),
    }
}

/// Whether an engine is installed, with all that a build needs of it.
fn is_usable(engine: Engine) -> bool {
    is_installed(engine.program()) && (engine != Engine::Docker || has_buildx())
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn has_buildx() -> bool {
    let mut command = Command::new(Engine::Docker.program());
    command.args(["buildx", "version"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn options(engine: Engine, images: &Images, bases: &BaseArgs) -> Options {
    Options {
        settings: EngineSettings::from_variables(|name| std::env::var(name).ok()),
        replacements: bases.base_image.iter().cloned().collect(),
        python_version: images.python_version,
        disk: images.disk.clone(),
        ..Options::new(engine, images.disk.cwd().to_path_buf())
    }
}

/// A problem with an image that is not even asked for, and its place.
type Misfit = (String, Problem);

/// The images as they are to be built, and those that cannot be.
fn requests(images: &Images, is_local: bool) -> (Vec<Request>, Vec<Misfit>) {
    let (mut requests, mut misfits) = (Vec::new(), Vec::new());
    for found in &images.found.images {
        match request(images, found, is_local) {
            Ok(request) => requests.push(request),
            Err(problem) => misfits.push((place(images, found.place), problem)),
        }
    }
    tell_what_is_written(images);
    (requests, misfits)
}

fn place(images: &Images, place: crate::flyte2::evaluate::Place) -> String {
    let (file, location) = images.location_of(place);
    format!("{file}:{}:{}", location.row, location.column)
}

fn label(found: &FoundImage) -> String {
    found.variable.clone().or_else(|| found.built.image.name.clone()).unwrap_or_else(|| "image".to_owned())
}

fn request(images: &Images, found: &FoundImage, is_local: bool) -> std::result::Result<Request, Problem> {
    let label = label(found);
    let unknown =
        |reason: &str| Problem::new(&codes::UNKNOWN_IMAGE, format!("`{label}` cannot be built: {reason}"));
    if let Some(expression) = found.built.unknown.first() {
        return Err(unknown(&format!(
            "`{}` is not known without running the code",
            one_line(&expression.text)
        ))
        .help("Write it as a literal, or build the image with the SDK"));
    }
    if let Some(problem) = found.built.refusals().next() {
        return Err(unknown(&problem.message).help(problem.help.clone()));
    }
    let mut image = found.built.image.clone();
    let mut layers: Vec<LayerPlaces> = found
        .built
        .layers
        .iter()
        .map(|layer| LayerPlaces {
            method: place(images, layer.call),
            items: layer.items.iter().map(|&item| place(images, item)).collect(),
        })
        .collect();
    tell_of_layers(&image, &layers, is_local);
    strip_code_bundles(&mut image, &mut layers);
    resolve(&mut image, images)?;
    if is_local {
        images.config.give_registry(&mut image);
    }
    let uri = uri(&image, &images.disk).map_err(|error| unknown(&error.to_string()))?;
    Ok(Request { image, uri, label, place: place(images, found.place), layers })
}

/// Says which layers come out otherwise than the code may let expect.
fn tell_of_layers(image: &Image, layers: &[LayerPlaces], is_local: bool) {
    for (layer, places) in image.layers.iter().zip(layers) {
        match layer {
            Layer::CodeBundle { .. } => {
                say!(
                    "note: {}: `with_code_bundle` adds nothing to a build: the code comes when it is deployed",
                    places.method
                );
            }
            Layer::Env { variables } if is_local => {
                for ((name, value), place) in variables.iter().zip(&places.items) {
                    if let Some(kept) = kept(value) {
                        say!("note: {place}: `{name}` keeps {kept}, which `flyte build` takes away");
                    }
                }
            }
            _ => {}
        }
    }
}

/// What a build keeps of the value of a variable that is not in it once a Dockerfile has been read.
fn kept(value: &str) -> Option<String> {
    let mut own: Vec<Piece> = Vec::new();
    for part in parts(value) {
        match (part, own.last_mut()) {
            (Part::Literal(text), Some(Piece::Text(before))) => before.push_str(text),
            (Part::Literal(text), _) => own.push(Piece::Text(text.to_owned())),
            (Part::Reference(name), _) => own.push(Piece::Variable(name.to_owned())),
        }
    }
    let others = value_pieces(value);
    let other = others.iter().find_map(|piece| match piece {
        Piece::Variable(name) if !own.contains(piece) => Some(format!("`${name}`")),
        _ => None,
    });
    (own != others).then(|| other.unwrap_or_else(|| "quotes and backslashes".to_owned()))
}

/// The code comes when it is deployed, unless that is told to copy nothing: then a build is not enough.
fn strip_code_bundles(image: &mut Image, layers: &mut Vec<LayerPlaces>) {
    let keeps: Vec<bool> =
        image.layers.iter().map(|layer| !matches!(layer, Layer::CodeBundle { .. })).collect();
    let mut kept = keeps.iter();
    image.layers.retain(|_| kept.next().copied().unwrap_or(true));
    let mut kept = keeps.iter();
    layers.retain(|_| kept.next().copied().unwrap_or(true));
}

/// Puts the image that the configuration names in the place of the name.
fn resolve(image: &mut Image, images: &Images) -> std::result::Result<(), Problem> {
    let Some(resolved) = images.resolved(image) else {
        let name = match &image.base {
            Base::RefName(name) => name,
            Base::Reference(reference) => reference,
            Base::Dockerfile(_) => "",
        };
        let message = format!("`{name}` is no image that the configuration knows");
        let help = "Add it to `image.image_refs` of the Flyte 2 configuration";
        return Err(Problem::new(&codes::UNKNOWN_IMAGE, message).help(help));
    };
    *image = resolved;
    Ok(())
}

fn needs_build(image: &Image) -> bool {
    image.is_cloned
}

/// Prints or writes what would be built, in the order of a build.
fn dry_run(
    requests: &[Request],
    options: &Options,
    output: Option<&Path>,
    out: &mut dyn Write,
) -> Result<bool> {
    let schedule = match Schedule::new(requests) {
        Ok(schedule) => schedule,
        Err(problem) => {
            requests.iter().for_each(|request| say_problem(&request.place, &problem));
            return Ok(false);
        }
    };
    let folders = folders(requests, output);
    let mut is_clean = true;
    while let Some(index) = schedule.next() {
        let request = &requests[index];
        let outcome = match schedule.verdict(index) {
            Some(outcome) => outcome,
            None => plan(request, options, &folders[index], output.is_some(), out)?,
        };
        match &outcome {
            Outcome::Built => {}
            Outcome::Skipped(reason) => {
                writeln!(out, "{}: nothing to build, {reason}", one_line(&request.label))?;
            }
            Outcome::Failed { problems, .. } => {
                problems.iter().for_each(|problem| say_problem(request.place_of(problem), problem));
                is_clean = false;
            }
        }
        schedule.finish(index, outcome);
    }
    Ok(is_clean)
}

/// Prints how an image would be built, and writes what is needed for that.
fn plan(
    request: &Request,
    options: &Options,
    folder: &Path,
    is_written: bool,
    out: &mut dyn Write,
) -> Result<Outcome> {
    if !needs_build(&request.image) {
        return Ok(Outcome::Skipped(format!("it is published as {}", request.uri)));
    }
    let planned = recipe(request, options)
        .and_then(|recipe| Ok((build::calls(request, options, &recipe, folder)?, recipe)));
    let (calls, recipe) = match planned {
        Ok(planned) => planned,
        Err(problems) => return Ok(Outcome::Failed { problems, output: Vec::new() }),
    };
    if is_written {
        build::write(&recipe, folder).with_context(|| format!("cannot write `{}`", folder.display()))?;
    }
    for call in calls {
        let words = std::iter::once(options.engine.program()).chain(call.iter().map(String::as_str));
        writeln!(out, "{}", shlex::try_join(words).context("an argument holds a NUL byte")?)?;
    }
    Ok(Outcome::Built)
}

/// A folder for each image, below the one that was asked for: named for the end of its uri, and images of one uri
/// share one.
fn folders(requests: &[Request], output: Option<&Path>) -> Vec<PathBuf> {
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    let names = requests.iter().map(|request| {
        let name = folder_name(request);
        let is_free = |name: &String| taken.get(name).is_none_or(|uri| *uri == request.uri);
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        let name = std::iter::once(name.clone()).chain(numbered).find(is_free).unwrap_or(name);
        taken.insert(name.clone(), &request.uri);
        output.unwrap_or_else(|| Path::new("")).join(name)
    });
    names.collect()
}

/// The end of the uri of an image, as a name of a folder.
fn folder_name(request: &Request) -> String {
    let name = request.uri.rsplit('/').next().unwrap_or_default();
    name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' }).collect()
}

fn build_all(requests: &[Request], options: &Options, out: &mut dyn Write) -> Result<bool> {
    let is_cancelled = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&is_cancelled);
    // The engine gets the signal as well, and stops; what it was working in is then taken away here.
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed)).context("cannot listen for Ctrl-C")?;
    let labels = requests.iter().map(|request| request.label.clone()).collect();
    let outcomes = build::build(requests, options, &Progress::new(labels), &is_cancelled);
    let mut is_clean = true;
    for (request, outcome) in requests.iter().zip(&outcomes) {
        match outcome {
            Outcome::Built => writeln!(out, "built {}", request.uri)?,
            Outcome::Skipped(reason) => writeln!(out, "skipped {}: {reason}", request.uri)?,
            Outcome::Failed { problems, output } => {
                is_clean = false;
                writeln!(out, "failed {}", request.uri)?;
                out.flush()?;
                output.iter().for_each(|line| say!("    {line}"));
                problems.iter().for_each(|problem| say_problem(request.place_of(problem), problem));
            }
        }
    }
    if is_cancelled.load(Ordering::Relaxed) {
        bail!("stopped");
    }
    Ok(is_clean)
}

fn say_problems(problems: &[Misfit]) {
    problems.iter().for_each(|(place, problem)| say_problem(place, problem));
}

fn say_problem(place: &str, problem: &Problem) {
    say!("{place}: {} {}", problem.rule.code, problem.message);
    if let Some(help) = &problem.help {
        say!("  help: {help}");
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
