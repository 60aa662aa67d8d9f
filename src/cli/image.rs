//! `flyte-migrate image …`: the Flyte 2 images of code.
//!
//! ```console
//! $ flyte-migrate image uri --image trainer workflows/
//! ghcr.io/acme/trainer:0f6e…
//! ```

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Parser;

use super::Exit;
use super::args::{Args, ImageArgs, ImageCommand, OutputFormat};
use super::config::with_configuration;
use super::environment::{self, config};
use super::image_build;
use super::migrate::{
    checked, in_pool, options, report_problems, settings as migration_settings, written_files,
};
use crate::diagnostic::Status;
use crate::diagnostic::render::{FileReport, Report, concise, full, json};
use crate::discover::{Discovery, Problem, discover};
use crate::file_kind::FileKind;
use crate::flyte1::symbol::Symbol;
use crate::flyte2::check::findings;
use crate::flyte2::evaluate::Place;
use crate::flyte2::read::{Found, FoundImage, read};
use crate::image::config::Config;
use crate::image::digest::{DigestError, uri};
use crate::image::disk::Disk;
use crate::image::document::{Document, Entry, VERSION};
use crate::image::{Base, Image, Layer, PipOptions, Secret};
use crate::load::{load_with_images, replace};
use crate::migrate::migrate;
use crate::project::plan::plan;
use crate::project::{Content, Project};
use crate::python;
use crate::python::scope::Role;
use crate::source::{Location, SourceFile};

/// The images of the paths that were given.
#[derive(Debug)]
pub(super) struct Images {
    /// The files that were looked at.
    pub(super) discovery: Discovery,
    /// The project, with Flyte 1 code as it would be migrated.
    pub(super) project: Project,
    /// The images that were asked for, and what is wrong with environments.
    pub(super) found: Found,
    /// The disk as the code would see it.
    pub(super) disk: Disk,
    /// The Flyte 2 configuration.
    pub(super) config: Config,
    /// The Python that runs the code, if it is known.
    pub(super) python_version: Option<(u32, u32)>,
}

impl Images {
    /// Where the chain of an image begins: the file as it is shown, row and column.
    pub(super) fn location(&self, image: &FoundImage) -> (&str, Location) {
        self.location_of(image.place)
    }

    /// Where a place is: the file as it is shown, row and column.
    pub(super) fn location_of(&self, place: Place) -> (&str, Location) {
        let source = self.project.source(place.file);
        let location = source.map_or(Location::START, |source| source.location(place.range.start()));
        (&self.project.files[place.file].display, location)
    }

    /// The name under which Flyte looks for an image; `None` where it cannot be known or the SDK refuses the image.
    ///
    /// # Errors
    /// [`DigestError`] if a file that goes into it cannot be read.
    pub(super) fn uri(&self, image: &FoundImage) -> Option<std::result::Result<String, DigestError>> {
        image.known().map(|image| {
            let mut resolved = self.resolved(image).ok_or_else(|| match &image.base {
                Base::RefName(name) => DigestError::RefName(name.clone()),
                Base::Reference(_) | Base::Dockerfile(_) => DigestError::NoBase,
            })?;
            if self.config.builds_locally() {
                self.config.give_registry(&mut resolved);
            }
            uri(&resolved, &self.disk)
        })
    }

    /// An image with what the configuration says in the place of a name; `None` if it says nothing.
    ///
    /// `_build_images` of `flyte/_deploy.py`, flyte 2.12.1.
    pub(super) fn resolved(&self, image: &Image) -> Option<Image> {
        let Base::RefName(name) = &image.base else { return Some(image.clone()) };
        let uri = self.config.image_refs.get(name)?.clone();
        // Without layers it is used as it is.
        let is_cloned = !image.layers.is_empty();
        Some(Image { is_cloned, base: Base::Reference(uri), ..image.clone() })
    }
}

/// Finds the images of the paths: in Flyte 2 code as it is, in Flyte 1 code as it would be migrated.
///
/// # Errors
/// Bad usage, and an image that was asked for by name and is not there.
pub(super) fn find_images(args: &ImageArgs) -> Result<Images> {
    let cwd = std::env::current_dir().context("cannot tell the working directory")?;
    let migration_args = with_configuration(&migration_args(args)?)?;
    let discovery = discover(&options(&migration_args), &cwd)?;
    // What code initializes anew knows nothing of the configuration that is named.
    let found_config = match &args.config {
        Some(_) => config(None, &cwd).unwrap_or_default(),
        None => config(None, &cwd)?,
    };
    let config =
        if args.config.is_some() { config(args.config.as_deref(), &cwd)? } else { found_config.clone() };
    let settings = migration_settings(&migration_args, &discovery);
    let (project, found, disk, python_version) = in_pool(0, || {
        let mut project = load_with_images(&discovery);
        let plan = plan(&project, settings);
        let migration = migrate(&mut project, plan, settings, &|_, _| Vec::new());
        let disk = Disk::new(cwd).with_files(written_files(&discovery, &project, &migration));
        let surroundings = environment::settings(args, &discovery.root, (&config, &found_config), &disk);
        replace(&mut project, &migration.texts);
        let found = read(&project, &surroundings, &disk);
        (project, found, disk, surroundings.python_version)
    })?;
    let mut images = Images { discovery, project, found, disk, config, python_version };
    images.discovery.problems.extend(unread(&images.project));
    images.discovery.problems.extend(unparsed(args, &images));
    let files = &images.project.files;
    images.found.images.retain(|image| files[image.place.file].is_selected);
    images.found.problems.retain(|problem| files[problem.place.file].is_selected);
    if let Some(name) = &args.image {
        let is_meant = |image: &FoundImage| {
            let mut names = image.variable.iter().chain(&image.aliases).chain(&image.built.image.name);
            names.any(|known| known == name)
        };
        images.found.images.retain(is_meant);
        if images.found.images.is_empty() {
            bail!("there is no image `{name}`; `flyte-migrate image list` shows those that there are");
        }
    }
    tell_what_stays(&images.project);
    Ok(images)
}

/// Says which files images are made of that are not on the disk as they are read.
pub(super) fn tell_what_is_written(images: &Images) {
    let files = images.disk.read_as_written();
    let shown = |file: &PathBuf| file.strip_prefix(images.disk.cwd()).unwrap_or(file).display().to_string();
    let names = match files.as_slice() {
        [] => return,
        [file] => format!("`{}` is", shown(file)),
        [file, rest @ ..] => format!("`{}` and {} more are", shown(file), rest.len()),
    };
    drop(writeln!(
        std::io::stderr(),
        "note: {names} read as `--write` would leave them, and images that hold them are those from then on"
    ));
}

/// The arguments with which the default command would migrate the same code.
fn migration_args(args: &ImageArgs) -> Result<Args> {
    Ok(Args {
        paths: args.paths.clone(),
        project: args.project.clone(),
        no_project: args.no_project,
        exclude: args.exclude.clone(),
        no_ignore: args.no_ignore,
        unsafe_fixes: args.unsafe_fixes,
        partial: args.partial,
        ..Args::try_parse_from(["flyte-migrate"])?
    })
}

/// Says how many images are missing, because they stay on Flyte 1.
fn tell_what_stays(project: &Project) {
    let selected = (0..project.files.len()).filter(|&file| project.files[file].is_selected);
    let references = selected.filter_map(|file| Some((file, project.facts(file)?)));
    let staying = references
        .flat_map(|(file, facts)| facts.module.references.iter().map(move |reference| (file, reference)))
        .filter(|(file, reference)| {
            matches!(reference.role, Role::Callee(_))
                && project.symbol(*file, reference) == Some(Symbol::ImageSpec)
        })
        .count();
    if staying > 0 {
        let what = if staying == 1 { "1 `ImageSpec` that stays" } else { "`ImageSpec`s that stay" };
        let count = if staying == 1 { String::new() } else { format!("{staying} ") };
        drop(writeln!(
            std::io::stderr(),
            "note: left out: {count}{what} on Flyte 1; `flyte-migrate` says why, `--partial` and `--unsafe-fixes` convert more"
        ));
    }
}

/// The files whose images cannot be told, and why.
fn unread(project: &Project) -> Vec<Problem> {
    let problem =
        |display: &str, message: &str| Problem { display: display.to_owned(), message: message.to_owned() };
    let files = project.files.iter().filter(|file| file.is_selected);
    files
        .filter_map(|file| match &file.content {
            Content::SyntaxError { message, .. } => {
                Some(problem(&file.display, &format!("does not parse: {message}")))
            }
            Content::Unreadable(message) => Some(problem(&file.display, message)),
            Content::Panicked(_) => {
                Some(problem(&file.display, "could not be analyzed; please report this as a bug"))
            }
            Content::Skipped(_) | Content::Text(_) | Content::Parsed { .. } => None,
        })
        .collect()
}

/// The files that were named one by one, but do not parse: those without a word of Flyte are not parsed otherwise.
fn unparsed(args: &ImageArgs, images: &Images) -> Vec<Problem> {
    let is_named = |path: &Path| {
        let same = |named: &PathBuf| named.is_file() && named.canonicalize().ok() == path.canonicalize().ok();
        args.paths.iter().any(same)
    };
    let files = images.project.files.iter().zip(&images.discovery.files);
    let skipped = files.filter(|(file, _)| {
        file.is_selected && file.kind == FileKind::Python && matches!(file.content, Content::Skipped(_))
    });
    skipped
        .filter(|(_, candidate)| is_named(&candidate.path))
        .filter_map(|(file, candidate)| {
            let message = match SourceFile::read(&candidate.path, file.display.clone()) {
                Ok(source) => format!("does not parse: {}", python::parse(&source.text).err()?.message),
                Err(error) => error.to_string(),
            };
            Some(Problem { display: file.display.clone(), message })
        })
        .collect()
}

/// Reports what is wrong with the images and environments.
fn validate(args: &ImageArgs, out: &mut dyn Write) -> Result<Exit> {
    let images = find_images(args)?;
    let has_problem = report_problems(&images.discovery);
    let findings = findings(&images.project, &images.found, &images.disk, &images.discovery.root);
    let files: Vec<FileReport<'_>> = findings
        .iter()
        .filter(|(file, _)| images.project.files[**file].is_selected)
        .map(|(&file, diagnostics)| FileReport {
            display: &images.project.files[file].display,
            source: images.project.source(file),
            diagnostics,
        })
        .collect();
    let report = Report::new(&files, checked(&images.project));
    match args.output_format {
        OutputFormat::Full if files.is_empty() => {
            let count = images.found.images.len();
            writeln!(out, "Nothing is wrong with {count} {}.", if count == 1 { "image" } else { "images" })?;
        }
        OutputFormat::Full => {
            full::render(&report, colored::control::SHOULD_COLORIZE.should_colorize(), out)?;
        }
        OutputFormat::Concise => concise::render(&report, out)?,
        OutputFormat::Json => json::render(&report, out)?,
    }
    let mut statuses = files.iter().flat_map(|file| file.diagnostics).map(|finding| finding.status);
    Ok(match (has_problem, statuses.any(|status| status == Status::Manual)) {
        (true, _) => Exit::Error,
        (false, true) => Exit::Findings,
        (false, false) => Exit::Clean,
    })
}

/// Runs `image …`.
pub(super) fn run(command: &ImageCommand, out: &mut dyn Write) -> Result<Exit> {
    match command {
        ImageCommand::List(args) => print(args, out, list),
        ImageCommand::Show(args) => print(args, out, show),
        ImageCommand::Validate(args) => validate(args, out),
        ImageCommand::Uri(args) => print(args, out, print_uris),
        ImageCommand::Dockerfile(args) => image_build::dockerfile(args, out),
        ImageCommand::Build(args) => image_build::build(args, out),
    }
}

/// Prints the images as data, or in the way of a command.
fn print(
    args: &ImageArgs,
    out: &mut dyn Write,
    write: fn(&Document, bool, &mut dyn Write) -> Result<Exit>,
) -> Result<Exit> {
    let images = find_images(args)?;
    let has_problem = report_problems(&images.discovery);
    let document = document(&images);
    tell_what_is_written(&images);
    let exit = match args.output_format {
        OutputFormat::Json => {
            serde_json::to_writer_pretty(&mut *out, &document)?;
            writeln!(out)?;
            Exit::Clean
        }
        OutputFormat::Full | OutputFormat::Concise => write(&document, args.image.is_some(), out)?,
    };
    Ok(if has_problem { Exit::Error } else { exit })
}

/// The images as data.
fn document(images: &Images) -> Document {
    let entries = images.found.images.iter().map(|found| {
        let (filename, location) = images.location(found);
        let uri = images.uri(found);
        let refused = found.built.refusals().map(|problem| problem.message.clone());
        let failed = uri.as_ref().and_then(|uri| uri.as_ref().err()).map(ToString::to_string);
        Entry {
            filename: filename.to_owned(),
            variable: found.variable.clone(),
            location,
            problems: refused.chain(failed).collect(),
            uri: uri.and_then(std::result::Result::ok),
            unknown: found.built.unknown.iter().map(|unknown| unknown.text.clone()).collect(),
            image: found.built.image.clone(),
            tasks: found.tasks.clone(),
        }
    });
    Document { version: VERSION, images: entries.collect() }
}

fn place(entry: &Entry) -> String {
    format!("{}:{}:{}", entry.filename, entry.location.row, entry.location.column)
}

fn base(entry: &Entry) -> String {
    match &entry.image.base {
        Base::Reference(uri) => one_line(uri),
        Base::Dockerfile(file) => format!("Dockerfile {}", file.display()),
        Base::RefName(name) => format!("image_refs: {name}"),
    }
}

/// The `uri`, or what stands in its way.
fn uri_or_reason(entry: &Entry) -> String {
    match (&entry.uri, entry.unknown.first(), entry.problems.first()) {
        (Some(uri), ..) => uri.clone(),
        (None, Some(unknown), _) => format!("unknown: {}", one_line(unknown)),
        (None, None, Some(problem)) => format!("refused: {problem}"),
        (None, None, None) => "unknown".to_owned(),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn list(document: &Document, _: bool, out: &mut dyn Write) -> Result<Exit> {
    let head = ["WHERE", "VARIABLE", "BASE", "LAYERS", "URI", "TASKS"].map(str::to_owned);
    let rows = document.images.iter().map(|entry| {
        let variable = entry.variable.clone().unwrap_or_else(|| "-".to_owned());
        let tasks = if entry.tasks.is_empty() { "-".to_owned() } else { entry.tasks.join(", ") };
        let layers = entry.image.layers.len().to_string();
        [place(entry), variable, base(entry), layers, uri_or_reason(entry), tasks]
    });
    let rows: Vec<[String; 6]> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..6).map(width).collect();
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(Exit::Clean)
}

/// The bare name where one image was asked for, else each with its place; what is unknown fails.
fn print_uris(document: &Document, is_one: bool, out: &mut dyn Write) -> Result<Exit> {
    let mut exit = Exit::Clean;
    for entry in &document.images {
        let variable = entry.variable.as_deref().unwrap_or("-");
        match &entry.uri {
            Some(uri) if is_one => writeln!(out, "{uri}")?,
            Some(uri) => writeln!(out, "{}\t{variable}\t{uri}", place(entry))?,
            None => {
                drop(writeln!(std::io::stderr(), "{}: {variable}: {}", place(entry), uri_or_reason(entry)));
                exit = Exit::Findings;
            }
        }
    }
    Ok(exit)
}

fn show(document: &Document, _: bool, out: &mut dyn Write) -> Result<Exit> {
    for (index, entry) in document.images.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{} ({})", entry.variable.as_deref().unwrap_or("image"), place(entry))?;
        let lines = tree(entry);
        for (index, (text, inside)) in lines.iter().enumerate() {
            let is_last = index + 1 == lines.len();
            writeln!(out, "{}{text}", if is_last { "└─ " } else { "├─ " })?;
            for (index, inner) in inside.iter().enumerate() {
                let bar = if is_last { "   " } else { "│  " };
                let branch = if index + 1 == inside.len() { "└─ " } else { "├─ " };
                writeln!(out, "{bar}{branch}{inner}")?;
            }
        }
    }
    Ok(Exit::Clean)
}

/// The lines of one image, and what hangs below them.
fn tree(entry: &Entry) -> Vec<(String, Vec<String>)> {
    let image = &entry.image;
    let mut lines = vec![(format!("uri: {}", uri_or_reason(entry)), Vec::new())];
    let mut line = |name: &str, value: Option<String>| {
        lines.extend(value.map(|value| (format!("{name}: {value}"), Vec::new())));
    };
    line("base", Some(base(entry)));
    line("name", image.name.clone());
    line("registry", image.registry.clone());
    line("registry secret", image.registry_secret.as_ref().map(|secret| secret.key.clone()));
    line("platform", Some(image.platform.join(", ")));
    line("python", image.python_version.map(|(major, minor)| format!("{major}.{minor}")));
    let mut branch = |name: &str, items: Vec<String>| {
        if !items.is_empty() {
            lines.push((name.to_owned(), items));
        }
    };
    branch("layers", image.layers.iter().map(describe).collect());
    branch("tasks", entry.tasks.clone());
    branch("unknown", entry.unknown.iter().map(|unknown| one_line(unknown)).collect());
    branch("problems", entry.problems.clone());
    lines
}

/// One layer on one line.
fn describe(layer: &Layer) -> String {
    let quoted =
        |items: &[String]| items.iter().map(|item| format!("{item:?}")).collect::<Vec<_>>().join(" ");
    match layer {
        Layer::PipPackages { packages, options } => format!("pip {}{}", packages.join(" "), pip(options)),
        Layer::Requirements { file, options } => format!("requirements {}{}", file.display(), pip(options)),
        Layer::UvProject { pyproject, options, .. } => format!("uv {}{}", pyproject.display(), pip(options)),
        Layer::PoetryProject { pyproject, .. } => format!("poetry {}", pyproject.display()),
        Layer::PixiProject { manifest, environment, .. } => {
            format!("pixi {} ({environment})", manifest.display())
        }
        Layer::UvScript { script, options } => format!("uv script {}{}", script.display(), pip(options)),
        Layer::PixiScript { script, .. } => format!("pixi script {}", script.display()),
        Layer::AptPackages { packages, secret_mounts } => {
            format!("apt {}{}", packages.join(" "), secrets(secret_mounts))
        }
        Layer::Commands { commands, secret_mounts } => {
            format!("commands {}{}", quoted(commands), secrets(secret_mounts))
        }
        Layer::Env { variables } => {
            let variables = variables.iter().map(|(name, value)| format!("{name}={value:?}"));
            format!("env {}", variables.collect::<Vec<_>>().join(" "))
        }
        Layer::WorkDir { workdir } => format!("workdir {workdir}"),
        Layer::CopyFile { src, dst } => format!("file {} to {dst}", src.display()),
        Layer::CopyFolder { src, dst } => format!("folder {} to {dst}", src.display()),
        Layer::DockerIgnore { path } => format!("dockerignore {path}"),
        Layer::CodeBundle { copy_style, dst } => format!("code bundle ({copy_style}) to {dst}"),
        Layer::DockerLines { lines } => format!("lines {}", quoted(lines)),
    }
}

fn pip(options: &PipOptions) -> String {
    let mut text = String::new();
    let index = options.index_url.iter().map(|url| format!(" index={url}"));
    let more = options.extra_index_urls.iter().map(|url| format!(" extra-index={url}"));
    text.extend(index.chain(more));
    text.push_str(if options.pre { " pre" } else { "" });
    text.extend(options.extra_args.iter().map(|args| format!(" args={args:?}")));
    text + &secrets(&options.secret_mounts)
}

fn secrets(secrets: &[Secret]) -> String {
    secrets.iter().map(|secret| format!(" secret={}", secret.key)).collect()
}
