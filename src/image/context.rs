//! The build context: what a build needs of the disk, and nothing else, at places of the tool's own choosing.
//!
//! ```python
//! image.with_source_folder(Path("../shared"), dst="/root/shared")    # layer-1/
//! ```
//!
//! Every layer has a folder of its own, so that files from outside the project, and files of the same name, neither
//! meet nor leave the context. `.dockerignore` is obeyed as SDK 2.12.1 does it.
//!
//! # FM581
//!
//! ## What it does
//!
//! Speaks of a file or folder that an image needs for its build, and that is not there, is left out by `.dockerignore`,
//! or cannot be read.
//!
//! ## Why
//!
//! It cannot be put into the build context.
//!
//! ## Example
//!
//! `image dockerfile` of
//!
//! ```python
//! from pathlib import Path
//!
//! import flyte
//!
//! image = flyte.Image.from_debian_base(python_version=(3, 12), name="train").with_source_file(
//!     Path("no.txt"), "/data/no.txt"
//! )
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from pathlib import Path
//!
//! import flyte
//!
//! image = flyte.Image.from_debian_base(python_version=(3, 12), name="train").with_source_file(
//!     Path("data.txt"), "/data/no.txt"
//! )
//! ```
//!
//! ```text
//! # data.txt
//! hello
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! Files that a script reads while the image is built.
//!
//! ## References
//!
//! `flyte/_internal/imagebuild/docker_builder.py` of flyte 2.12.1.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::editable::editables;
use super::ignore::{Patterns, STANDARD_PATTERNS, lines};
use super::layer::{Layer, PipOptions, ProjectInstall, Secret};
use super::script::{self, ScriptError};
use super::shell::is_harmless;
use super::step::{Content, Problem, Step};
use crate::rules::codes;

/// What is built, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// What lies where.
    pub entries: BTreeMap<String, Content>,
    /// What the build does, each step with its layer.
    pub steps: Vec<(usize, Step)>,
}

impl Context {
    /// Writes the context into a folder.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        for (path, content) in &self.entries {
            let target = folder.join(path);
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent)?;
            }
            match content {
                // The mode comes along, the time does not: engines ignore it.
                Content::File(source) => drop(fs::copy(source, target)?),
                Content::Written(source, bytes) => {
                    fs::write(&target, bytes)?;
                    // A file that is to be made has no mode yet.
                    if let Ok(metadata) = fs::metadata(source) {
                        fs::set_permissions(&target, metadata.permissions())?;
                    }
                }
                Content::Text(text) => fs::write(target, text)?,
            }
        }
        Ok(())
    }
}

/// Collects the context of an image with these layers; relative paths count from the working directory of `disk`.
///
/// # Errors
/// Files that are missing, and names that cannot be used.
pub fn collect(layers: &[Layer], disk: &Disk) -> Result<Context, Vec<Problem>> {
    let mut collector = Collector {
        disk,
        filter: Filter::new(layers, disk),
        context: Context::default(),
        problems: Vec::new(),
        layer: 0,
        folders: 0,
    };
    for (index, layer) in layers.iter().enumerate() {
        collector.layer = index;
        collector.folders = 0;
        if let Err(problem) = collector.layer(layer) {
            collector.problems.push(problem.at_layer(index));
        }
    }
    if collector.problems.is_empty() { Ok(collector.context) } else { Err(collector.problems) }
}

/// The `.dockerignore` that an image obeys: the one that it names last, else that of the working directory.
pub fn dockerignore(layers: &[Layer], disk: &Disk) -> Option<PathBuf> {
    let named = layers.iter().rev().find_map(|layer| match layer {
        Layer::DockerIgnore { path } if !path.trim().is_empty() => Some(PathBuf::from(path)),
        _ => None,
    });
    Some(named.unwrap_or_else(|| PathBuf::from(".dockerignore"))).filter(|path| disk.is_file(path))
}

/// What `.dockerignore` leaves out.
struct Filter {
    /// Applied to every folder that is copied, from that folder.
    patterns: Patterns,
    /// The lines that hold them.
    lines: Vec<String>,
    /// Applied to the whole context by the engine, as the SDK copies a named `.dockerignore` into it.
    whole: Option<Patterns>,
}

impl Filter {
    fn new(layers: &[Layer], disk: &Disk) -> Self {
        let text = dockerignore(layers, disk).and_then(|path| disk.read_text(&path).ok()).unwrap_or_default();
        let is_in_context = layers.iter().any(|layer| {
            matches!(layer, Layer::DockerIgnore { path } if Path::new(path).ends_with(".dockerignore"))
        });
        let patterns = Patterns::read(&text);
        let lines = lines(&text).map(str::to_owned).collect();
        Self { whole: is_in_context.then(|| patterns.clone()), lines, patterns }
    }

    /// Whether the engine would not get a file, from the place that the SDK gives it in the context.
    fn leaves_out(&self, path: &Path) -> bool {
        let Some(patterns) = &self.whole else { return false };
        patterns.is_ignored(&sdk_place(path))
    }
}

/// Where the SDK puts a file in the context.
pub fn sdk_place(path: &Path) -> String {
    let text = path.to_string_lossy();
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if path.is_absolute() {
        return normalize(["_flyte_abs_context"].into_iter().chain(parts));
    }
    if text.contains("..") {
        return normalize(["_flyte_abs_context"].into_iter().chain(parts.into_iter().skip(1)));
    }
    normalize(parts)
}

/// `os.path.normpath` of a relative path.
fn normalize<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for part in parts {
        if part == ".." && kept.last().is_some_and(|last| *last != "..") {
            kept.pop();
        } else {
            kept.push(part);
        }
    }
    if kept.is_empty() { ".".to_owned() } else { kept.join("/") }
}

struct Collector<'a> {
    disk: &'a Disk,
    filter: Filter,
    context: Context,
    problems: Vec<Problem>,
    layer: usize,
    /// How many folders the layer has.
    folders: usize,
}

impl Collector<'_> {
    fn layer(&mut self, layer: &Layer) -> Result<(), Problem> {
        match layer {
            Layer::PipPackages { packages, options } => {
                self.step(Step::Pip {
                    packages: packages.clone(),
                    requirements: None,
                    options: options.clone(),
                });
            }
            Layer::Requirements { file, options } => {
                let place = format!("{}/requirements.txt", self.folder());
                self.add_file(&place, file)?;
                let (packages, options) = (Vec::new(), options.clone());
                self.step(Step::Pip { packages, requirements: Some(place), options });
            }
            Layer::UvProject { pyproject, uvlock, install, options } => {
                self.uv_project(pyproject, uvlock.as_deref(), *install, options)?;
            }
            Layer::PoetryProject { pyproject, poetry_lock, install, extra_args, secret_mounts } => {
                let files = [("pyproject.toml", pyproject.as_path()), ("poetry.lock", poetry_lock)];
                let folder = self.project(pyproject, &files, *install)?;
                let (extra_args, secrets) = (extra_args.clone(), secret_mounts.clone());
                self.step(Step::PoetryProject { folder, install: *install, extra_args, secrets });
            }
            Layer::PixiProject { manifest, pixi_lock, environment, install, extra_args, secret_mounts } => {
                let name = manifest.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if !is_harmless(&name) {
                    return Err(unusable(manifest));
                }
                let mut files = vec![(name.as_str(), manifest.as_path())];
                files.extend(pixi_lock.iter().map(|lock| ("pixi.lock", lock.as_path())));
                let folder = self.project(manifest, &files, *install)?;
                self.step(Step::PixiProject {
                    folder,
                    manifest: name,
                    has_lock: pixi_lock.is_some(),
                    environment: environment.clone(),
                    extra_args: extra_args.clone(),
                    secrets: secret_mounts.clone(),
                });
            }
            Layer::UvScript { script, options } => self.uv_script(script, options)?,
            Layer::PixiScript { script, platforms, environment, extra_args, secret_mounts } => {
                self.pixi_script(script, platforms, environment, extra_args.as_ref(), secret_mounts)?;
            }
            Layer::AptPackages { packages, secret_mounts } => {
                self.step(Step::Apt { packages: packages.clone(), secrets: secret_mounts.clone() });
            }
            Layer::Commands { commands, secret_mounts } => {
                self.step(Step::Commands { commands: commands.clone(), secrets: secret_mounts.clone() });
            }
            Layer::Env { variables } => self.step(Step::Env { variables: variables.clone() }),
            Layer::WorkDir { workdir } => self.step(Step::WorkDir { workdir: workdir.clone() }),
            Layer::CopyFile { src, dst } => self.copy_file(src, dst)?,
            Layer::CopyFolder { src, dst } => self.copy_folder(src, dst)?,
            Layer::DockerIgnore { path } => {
                if !self.disk.is_file(Path::new(path)) {
                    return Err(missing(Path::new(path)));
                }
            }
            // The code comes when it is deployed.
            Layer::CodeBundle { .. } => {}
            Layer::DockerLines { lines } => self.step(Step::Lines { lines: lines.clone() }),
        }
        Ok(())
    }

    fn step(&mut self, step: Step) {
        self.context.steps.push((self.layer, step));
    }

    /// A folder of its own in the context.
    fn folder(&mut self) -> String {
        self.folders += 1;
        match self.folders {
            1 => format!("layer-{}", self.layer + 1),
            more => format!("layer-{}-{more}", self.layer + 1),
        }
    }

    fn add_file(&mut self, place: &str, file: &Path) -> Result<(), Problem> {
        if !self.disk.is_file(file) {
            return Err(missing(file));
        }
        if self.filter.leaves_out(file) {
            let message = format!("`{}` is left out by `.dockerignore`", file.display());
            return Err(
                Problem::new(&codes::MISSING_FILE, message).help("Keep it with a line that begins with `!`")
            );
        }
        self.context.entries.insert(place.to_owned(), Content::of(file, self.disk));
        Ok(())
    }

    /// Adds what a folder holds, but for what the patterns leave out.
    fn add_folder(&mut self, place: &str, folder: &Path, patterns: &Patterns) -> Result<(), Problem> {
        if !self.disk.is_folder(folder) {
            return Err(missing(folder));
        }
        let files = patterns.files(folder, self.disk).map_err(|error| {
            Problem::new(&codes::MISSING_FILE, format!("`{}` cannot be read: {error}", folder.display()))
        })?;
        for file in files {
            let source = folder.join(&file);
            if !self.filter.leaves_out(&source) {
                self.context.entries.insert(format!("{place}/{file}"), Content::of(&source, self.disk));
            }
        }
        Ok(())
    }

    fn copy_file(&mut self, src: &Path, dst: &str) -> Result<(), Problem> {
        let folder = self.folder();
        let Some(name) = src.file_name().and_then(|name| name.to_str()) else { return Err(unusable(src)) };
        self.add_file(&format!("{folder}/{name}"), src)?;
        self.step(Step::CopyFile { folder, name: name.to_owned(), dst: dst.to_owned() });
        Ok(())
    }

    fn copy_folder(&mut self, src: &Path, dst: &str) -> Result<(), Problem> {
        let folder = self.folder();
        let patterns = self.filter.patterns.clone();
        self.add_folder(&folder, src, &patterns)?;
        if !self.context.entries.keys().any(|place| place.starts_with(&format!("{folder}/"))) {
            let message = format!("`{}` holds no file that would be copied", src.display());
            return Err(
                Problem::new(&codes::MISSING_FILE, message).help("Look at the folder and at `.dockerignore`")
            );
        }
        self.step(Step::CopyFolder { folder, dst: dst.to_owned() });
        Ok(())
    }

    /// The folder of a project: its files, or all of it.
    fn project(
        &mut self,
        manifest: &Path,
        files: &[(&str, &Path)],
        install: ProjectInstall,
    ) -> Result<String, Problem> {
        let folder = self.folder();
        if install == ProjectInstall::InstallProject {
            let patterns = self.filter.patterns.clone();
            self.add_folder(&folder, parent(manifest), &patterns)?;
        }
        for (name, file) in files {
            let place = format!("{folder}/{name}");
            // `.dockerignore` does not take these away, as the SDK puts them back.
            if install == ProjectInstall::DependenciesOnly {
                self.add_file(&place, file)?;
            } else if !self.disk.is_file(file) {
                return Err(missing(file));
            } else {
                let source = Content::of(file, self.disk);
                self.context.entries.entry(place).or_insert(source);
            }
        }
        Ok(folder)
    }

    fn uv_project(
        &mut self,
        pyproject: &Path,
        uvlock: Option<&Path>,
        install: ProjectInstall,
        options: &PipOptions,
    ) -> Result<(), Problem> {
        let mut files = vec![("pyproject.toml", pyproject)];
        files.extend(uvlock.map(|lock| ("uv.lock", lock)));
        let folder = self.project(pyproject, &files, install)?;
        let mut in_place = Vec::new();
        if install == ProjectInstall::DependenciesOnly {
            let root = parent(pyproject);
            let kept = self.filter.lines.clone();
            let patterns =
                Patterns::new(STANDARD_PATTERNS.into_iter().chain(kept.iter().map(String::as_str)));
            for path in editables(root, uvlock, self.disk)? {
                if !is_harmless(&path) {
                    return Err(unusable(Path::new(&path)));
                }
                let source = self.folder();
                self.add_folder(&source, &root.join(&path), &patterns)?;
                in_place.push((source, path));
            }
        }
        let (has_lock, options) = (uvlock.is_some(), options.clone());
        self.step(Step::UvProject { folder, has_lock, install, editables: in_place, options });
        Ok(())
    }

    fn uv_script(&mut self, file: &Path, options: &PipOptions) -> Result<(), Problem> {
        let header = script::uv_header(file, self.disk).map_err(|error| unreadable(file, &error))?;
        if !header.dependencies.is_empty() {
            let (packages, options) = (header.dependencies, options.clone());
            self.step(Step::Pip { packages, requirements: None, options });
        }
        if header.pyprojects.is_empty() {
            return Ok(());
        }
        // The version of a project comes from its history.
        self.step(Step::Apt { packages: vec!["git".to_owned()], secrets: Vec::new() });
        for project in header.pyprojects {
            let project = PathBuf::from(project);
            let lock = Some(project.join("uv.lock")).filter(|lock| self.disk.is_file(lock));
            // The SDK gives such projects no index.
            let options = PipOptions { index_url: None, extra_index_urls: Vec::new(), ..options.clone() };
            let pyproject = project.join("pyproject.toml");
            self.uv_project(&pyproject, lock.as_deref(), ProjectInstall::InstallProject, &options)?;
        }
        Ok(())
    }

    fn pixi_script(
        &mut self,
        file: &Path,
        platforms: &[String],
        environment: &str,
        extra_args: Option<&String>,
        secrets: &[Secret],
    ) -> Result<(), Problem> {
        let manifest = script::pixi_manifest(file, platforms, self.disk);
        let manifest = manifest.map_err(|error| unreadable(file, &error))?;
        let folder = self.folder();
        self.context.entries.insert(format!("{folder}/pixi.toml"), Content::Text(manifest));
        let mut lock = file.as_os_str().to_owned();
        lock.push(".pixi.lock");
        let has_lock = self.disk.is_file(Path::new(&lock));
        if has_lock {
            self.add_file(&format!("{folder}/pixi.lock"), Path::new(&lock))?;
        }
        self.step(Step::PixiProject {
            folder,
            manifest: "pixi.toml".to_owned(),
            has_lock,
            environment: environment.to_owned(),
            extra_args: extra_args.cloned(),
            secrets: secrets.to_vec(),
        });
        Ok(())
    }
}

pub(super) fn unreadable(script: &Path, error: &ScriptError) -> Problem {
    Problem::new(&codes::MISSING_FILE, format!("`{}` cannot be used: {error}", script.display()))
        .help("Correct the block between `# /// script` and `# ///`")
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or_else(|| Path::new(""))
}

pub(super) fn missing(path: &Path) -> Problem {
    Problem::new(&codes::MISSING_FILE, format!("`{}` is not there, or cannot be read", path.display()))
        .help("Correct the path, which counts from the working directory")
}

fn unusable(path: &Path) -> Problem {
    Problem::new(&codes::UNWRITABLE_VALUE, format!("`{}` cannot be named in a build", path.display()))
        .help("Give it a name of letters, digits, dots and dashes")
}
