//! What the remote builder is sent for an image: its specification, and an archive of the files that it needs.
//!
//! ```python
//! # spec.pb: pip_packages { packages: "pandas" options { } }
//! flyte.Image.from_debian_base(name="train").with_pip_packages("pandas")
//! ```
//!
//! Both are what `flyte/_internal/imagebuild/remote_builder.py` of SDK 2.12.1 would upload, paths in the context
//! included. Sending is left to the SDK, which knows how to talk to a cluster.
//!
//! # FM587
//!
//! ## What it does
//!
//! Speaks of an image that the chosen builder does not build: one from a Dockerfile with the remote builder, one that no
//! task uses, one of Flyte 1 code, and different images that have the same `uri`.
//!
//! ## Why
//!
//! The remote builder is sent layers, and the SDK builds what tasks use.
//!
//! ## Example
//!
//! `image build --builder remote --dry-run` of
//!
//! ```python
//! from pathlib import Path
//!
//! import flyte
//!
//! image = flyte.Image.from_dockerfile(
//!     Path("train.Dockerfile"), registry="ghcr.io/acme", name="train"
//! )
//! ```
//!
//! ```text
//! # train.Dockerfile
//! FROM python:3.12
//! RUN pip install flyte
//! ```
//!
//! ## Use instead
//!
//! `image build --builder local --dry-run`: a Dockerfile is built by an engine on this machine.
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! What the cluster itself refuses.
//!
//! ## References
//!
//! `flyte/_internal/imagebuild/remote_builder.py` of flyte 2.12.1.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use prost::Message as _;
use sha2::{Digest as _, Sha256};

use super::context::{dockerignore, missing, sdk_place, unreadable};
use super::disk::Disk;
use super::editable::editables;
use super::ignore::{Patterns, STANDARD_PATTERNS};
use super::layer::{Layer, PipOptions, ProjectInstall, Secret};
use super::script::{pixi_manifest, uv_header};
use super::specification::{self as spec, ImageSpec, Kind};
use super::step::{Content, Problem};
use super::{Base, Image};
use crate::rules::codes;

/// The pixi that SDK 2.12.1 installs.
const PIXI_VERSION: &str = "0.72.2";
/// Where it is installed.
const PIXI: &str = "/opt/pixi";
/// Where pixi projects lie in the image.
const PIXI_PROJECT: &str = "/opt/pixi-project";
/// The time of every file in the archive: the beginning of 1981.
const TIME: u64 = 347_155_200;

/// What the remote builder is sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parcel {
    /// The specification.
    pub spec: ImageSpec,
    /// The files of the archive.
    pub entries: BTreeMap<String, Content>,
}

impl Parcel {
    /// Writes `spec.pb`, and `context.tar.gz` if there is anything in it.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join("spec.pb"), self.spec.encode_to_vec())?;
        if !self.entries.is_empty() {
            std::fs::write(folder.join("context.tar.gz"), self.archive()?)?;
        }
        Ok(())
    }

    /// The archive: the same bytes for the same files.
    fn archive(&self) -> io::Result<Vec<u8>> {
        let compressed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        let mut archive = tar::Builder::new(compressed);
        let mut folders = std::collections::BTreeSet::new();
        for (path, content) in &self.entries {
            let mut above: Vec<&Path> = Path::new(path).ancestors().skip(1).collect();
            above.pop();
            for folder in above.into_iter().rev().filter(|folder| folders.insert(folder.to_path_buf())) {
                let mut header = header(tar::EntryType::Directory, 0o755);
                archive.append_data(&mut header, folder, io::empty())?;
            }
            let (bytes, mode) = match content {
                Content::Text(text) => (text.clone().into_bytes(), 0o644),
                Content::Written(source, bytes) => {
                    (bytes.clone(), std::fs::metadata(source).map_or(0o644, |metadata| mode(&metadata)))
                }
                Content::File(file) => {
                    let mut bytes = Vec::new();
                    let mut file = std::fs::File::open(file)?;
                    file.read_to_end(&mut bytes)?;
                    (bytes, mode(&file.metadata()?))
                }
            };
            let mut header = header(tar::EntryType::Regular, mode);
            header.set_size(bytes.len() as u64);
            archive.append_data(&mut header, path, bytes.as_slice())?;
        }
        archive.into_inner()?.finish()
    }
}

fn header(kind: tar::EntryType, mode: u32) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_mtime(TIME);
    header
}

#[cfg(unix)]
fn mode(metadata: &std::fs::Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777
}

#[cfg(not(unix))]
fn mode(_: &std::fs::Metadata) -> u32 {
    0o644
}

/// Makes what the remote builder is sent for an image.
///
/// `temporary` is where Python puts temporary files: the SDK writes the manifests of pixi scripts there.
///
/// # Errors
/// What stands in the way.
pub fn pack(
    image: &Image,
    python_version: Option<(u32, u32)>,
    temporary: &Path,
    disk: &Disk,
) -> Result<Parcel, Vec<Problem>> {
    let base = match &image.base {
        Base::Reference(base) => base.clone(),
        Base::Dockerfile(_) => {
            let problem = Problem::new(&codes::UNSUPPORTED_BUILD, "the remote builder takes no Dockerfile");
            return Err(vec![problem.help("Build it with `--builder local`")]);
        }
        // The SDK puts the image of the configuration in its place before.
        Base::RefName(_) => String::new(),
    };
    let Some((major, minor)) = image.python_version.or(python_version) else {
        let message = "the image has the Python of whatever runs the code, which is not known";
        return Err(vec![
            Problem::new(&codes::UNKNOWN_IMAGE, message).help("Say it with `--python-version`"),
        ]);
    };
    let text =
        dockerignore(&image.layers, disk).and_then(|path| disk.read_text(&path).ok()).unwrap_or_default();
    let mut packer = Packer {
        disk,
        temporary,
        lines: super::ignore::lines(&text).map(str::to_owned).collect(),
        parcel: Parcel::default(),
    };
    let mut problems = Vec::new();
    for (index, layer) in image.layers.iter().enumerate() {
        if let Err(problem) = packer.layer(layer) {
            problems.push(problem.at_layer(index));
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut parcel = packer.parcel;
    parcel.spec.base_image = base;
    parcel.spec.python_version = format!("{major}.{minor}");
    Ok(parcel)
}

struct Packer<'a> {
    disk: &'a Disk,
    temporary: &'a Path,
    /// The patterns of `.dockerignore`.
    lines: Vec<String>,
    parcel: Parcel,
}

/// A project of pixi that is taken apart.
struct Pixi<'a> {
    manifest: &'a Path,
    lock: Option<&'a Path>,
    environment: &'a str,
    install: ProjectInstall,
    extra_args: Option<&'a str>,
    secrets: &'a [Secret],
}

impl Packer<'_> {
    fn layer(&mut self, layer: &Layer) -> Result<(), Problem> {
        match layer {
            Layer::AptPackages { packages, secret_mounts } => self.apt(packages.clone(), secret_mounts),
            Layer::PipPackages { packages, options } => self.pip(packages.clone(), options),
            Layer::Requirements { file, options } => {
                let place = self.add_file(file)?;
                self.push(Kind::Requirements(spec::Requirements {
                    file: place,
                    options: Some(pip_options(options)),
                    secret_mounts: secrets(&options.secret_mounts),
                }));
            }
            Layer::UvScript { script, options } => self.uv_script(script, options)?,
            Layer::UvProject { pyproject, uvlock, install, options } => {
                self.uv_project(pyproject, uvlock.as_deref(), *install, options)?;
            }
            Layer::PoetryProject { pyproject, poetry_lock, install, extra_args, secret_mounts } => {
                self.poetry_project(pyproject, poetry_lock, *install, extra_args.as_deref(), secret_mounts)?;
            }
            Layer::PixiProject { manifest, pixi_lock, environment, install, extra_args, secret_mounts } => {
                self.pixi_project(&Pixi {
                    manifest,
                    lock: pixi_lock.as_deref(),
                    environment,
                    install: *install,
                    extra_args: extra_args.as_deref(),
                    secrets: secret_mounts,
                })?;
            }
            Layer::PixiScript { script, platforms, environment, extra_args, secret_mounts } => {
                self.pixi_script(script, platforms, environment, extra_args.as_deref(), secret_mounts)?;
            }
            Layer::Commands { commands, secret_mounts } => self.commands(commands.clone(), secret_mounts),
            Layer::Env { variables } => self.env(variables.iter().cloned().collect()),
            Layer::WorkDir { workdir } => {
                self.push(Kind::Workdir(spec::WorkDir { workdir: workdir.clone() }));
            }
            Layer::CopyFile { src, dst } => {
                let src = self.add_file(src)?;
                self.push(Kind::CopyConfig(spec::CopyConfig { src, dst: dst.clone() }));
            }
            Layer::CopyFolder { src, dst } => {
                let src = self.add_folder(src, &self.dockerignore())?;
                self.push(Kind::CopyConfig(spec::CopyConfig { src, dst: dst.clone() }));
            }
            Layer::DockerIgnore { path } => {
                let path = Path::new(path);
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                self.add(&name, path)?;
            }
            // The one is resolved before a build, the other is for the SDK's own local builds.
            Layer::CodeBundle { .. } | Layer::DockerLines { .. } => {}
        }
        Ok(())
    }

    fn push(&mut self, kind: Kind) {
        self.parcel.spec.layers.push(spec::Layer { kind: Some(kind) });
    }

    fn apt(&mut self, packages: Vec<String>, mounts: &[Secret]) {
        self.push(Kind::AptPackages(spec::AptPackages { packages, secret_mounts: secrets(mounts) }));
    }

    fn commands(&mut self, cmd: Vec<String>, mounts: &[Secret]) {
        self.push(Kind::Commands(spec::Commands { cmd, secret_mounts: secrets(mounts) }));
    }

    fn env(&mut self, env_variables: BTreeMap<String, String>) {
        self.push(Kind::Env(spec::Env { env_variables }));
    }

    fn pip(&mut self, packages: Vec<String>, options: &PipOptions) {
        self.push(Kind::PipPackages(spec::PipPackages {
            packages,
            options: Some(pip_options(options)),
            secret_mounts: secrets(&options.secret_mounts),
        }));
    }

    fn dockerignore(&self) -> Patterns {
        Patterns::new(self.lines.iter().map(String::as_str))
    }

    fn uv_script(&mut self, script: &Path, options: &PipOptions) -> Result<(), Problem> {
        let header = uv_header(script, self.disk).map_err(|error| unreadable(script, &error))?;
        // The SDK leaves projects out where there are no packages beside them.
        if header.dependencies.is_empty() {
            return Ok(());
        }
        if !header.pyprojects.is_empty() {
            self.apt(vec!["git".to_owned()], &[]);
        }
        for project in &header.pyprojects {
            let project = Path::new(project);
            let pyproject = self.add_folder(project, &self.dockerignore())?;
            let lock = project.join("uv.lock");
            let uvlock = if self.disk.is_file(&lock) { self.add_file(&lock)? } else { String::new() };
            self.push(Kind::UvProject(spec::UvProject {
                pyproject,
                uvlock,
                options: Some(pip_options(options)),
                secret_mounts: secrets(&options.secret_mounts),
                source_dir: String::new(),
            }));
        }
        self.pip(header.dependencies, options);
        Ok(())
    }

    fn uv_project(
        &mut self,
        pyproject: &Path,
        uvlock: Option<&Path>,
        install: ProjectInstall,
        options: &PipOptions,
    ) -> Result<(), Problem> {
        let mut pip = pip_options(options);
        let manifest = self.add_file(pyproject)?;
        let root = pyproject.parent().unwrap_or_else(|| Path::new(""));
        let mut folders = vec![parent_of(&manifest)];
        let lock = uvlock.map(|lock| self.add_file(lock)).transpose()?;
        let folder = match install {
            ProjectInstall::DependenciesOnly => {
                // Where the option is given already, the SDK drops everything beside it.
                pip.extra_args = match pip.extra_args.as_str() {
                    args if !args.is_empty() && !args.contains(NO_PROJECT) => format!("{args} {NO_PROJECT}"),
                    _ => NO_PROJECT.to_owned(),
                };
                let lines = self.lines.clone();
                let patterns =
                    Patterns::new(STANDARD_PATTERNS.into_iter().chain(lines.iter().map(String::as_str)));
                for path in editables(root, uvlock, self.disk)? {
                    folders.push(self.add_folder(&root.join(path), &patterns)?);
                }
                folders[0].clone()
            }
            ProjectInstall::InstallProject => self.add_folder(root, &self.dockerignore())?,
        };
        self.push(Kind::UvProject(spec::UvProject {
            pyproject: folder,
            uvlock: lock.unwrap_or_default(),
            options: Some(pip),
            secret_mounts: secrets(&options.secret_mounts),
            source_dir: common_folder(&folders),
        }));
        Ok(())
    }

    fn poetry_project(
        &mut self,
        pyproject: &Path,
        lock: &Path,
        install: ProjectInstall,
        extra_args: Option<&str>,
        mounts: &[Secret],
    ) -> Result<(), Problem> {
        let mut extra_args = extra_args.unwrap_or_default().to_owned();
        let place = match install {
            ProjectInstall::DependenciesOnly => {
                if !extra_args.contains("--no-root") {
                    extra_args.push_str(" --no-root");
                }
                self.add_file(pyproject)?
            }
            ProjectInstall::InstallProject => {
                let root = pyproject.parent().unwrap_or_else(|| Path::new(""));
                self.add_folder(root, &Patterns::new(STANDARD_PATTERNS))?
            }
        };
        let poetry_lock = self.add_file(lock)?;
        self.push(Kind::PoetryProject(spec::PoetryProject {
            pyproject: place,
            poetry_lock,
            extra_args,
            secret_mounts: secrets(mounts),
        }));
        Ok(())
    }

    fn pixi_project(&mut self, pixi: &Pixi<'_>) -> Result<(), Problem> {
        let manifest = pixi.manifest;
        let name = manifest.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let source = match pixi.install {
            ProjectInstall::DependenciesOnly => self.add_file(manifest)?,
            ProjectInstall::InstallProject => {
                let root = manifest.parent().unwrap_or_else(|| Path::new(""));
                self.add_folder(root, &self.dockerignore())?
            }
        };
        let lock = match (pixi.install, pixi.lock) {
            (ProjectInstall::DependenciesOnly, Some(lock)) => Some(self.add_file(lock)?),
            _ => None,
        };
        self.pixi_layers(pixi, &name, source, lock);
        Ok(())
    }

    /// The remote builder knows nothing of pixi: other layers stand for it.
    fn pixi_layers(&mut self, pixi: &Pixi<'_>, name: &str, source: String, lock: Option<String>) {
        let manifest = format!("{PIXI_PROJECT}/{name}");
        let environment = format!("{PIXI_PROJECT}/.pixi/envs/{}", pixi.environment);
        self.apt(["curl", "ca-certificates", "bzip2", "git"].map(str::to_owned).to_vec(), &[]);
        let get = format!(
            "if [ ! -x {PIXI}/bin/pixi ]; then curl -fsSL https://pixi.sh/install.sh | \
             PIXI_HOME={PIXI} PIXI_VERSION=v{PIXI_VERSION} PIXI_NO_PATH_UPDATE=1 bash; fi"
        );
        self.commands(vec![get], &[]);
        let dst = match pixi.install {
            ProjectInstall::DependenciesOnly => manifest.clone(),
            ProjectInstall::InstallProject => PIXI_PROJECT.to_owned(),
        };
        self.push(Kind::CopyConfig(spec::CopyConfig { src: source, dst }));
        if let Some(src) = lock {
            self.push(Kind::CopyConfig(spec::CopyConfig { src, dst: format!("{PIXI_PROJECT}/pixi.lock") }));
        }
        let mut install =
            format!("{PIXI}/bin/pixi install --manifest-path {manifest} --environment {}", pixi.environment);
        let extra_args = pixi.extra_args.unwrap_or_default();
        if pixi.lock.is_some() && !extra_args.contains("--frozen") {
            install.push_str(" --locked");
        }
        if !extra_args.is_empty() {
            install.push_str(&format!(" {extra_args}"));
        }
        self.commands(vec![install], pixi.secrets);
        let variables = [
            ("VIRTUAL_ENV", environment.clone()),
            ("UV_PYTHON", format!("{environment}/bin/python")),
            ("PIXI_PROJECT_MANIFEST", manifest),
            ("PATH", format!("{environment}/bin:{PIXI}/bin:$PATH")),
        ];
        self.env(variables.map(|(name, value)| (name.to_owned(), value)).into());
    }

    fn pixi_script(
        &mut self,
        script: &Path,
        platforms: &[String],
        environment: &str,
        extra_args: Option<&str>,
        mounts: &[Secret],
    ) -> Result<(), Problem> {
        let text = pixi_manifest(script, platforms, self.disk).map_err(|error| unreadable(script, &error))?;
        let mut lock = OsString::from(script);
        lock.push(".pixi.lock");
        let lock = Some(PathBuf::from(lock)).filter(|lock| self.disk.is_file(lock));
        let mut digest = Sha256::new();
        digest.update(text.as_bytes());
        if let Some(lock) = &lock {
            digest.update(self.disk.read(lock).map_err(|_| missing(lock))?);
        }
        let hex: String = digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let folder = self.temporary.join(format!("flyte-pixi-script-{hex}"));
        let manifest = folder.join("pixi.toml");
        let source = sdk_place(&manifest);
        self.parcel.entries.insert(source.clone(), Content::Text(text));
        let locked = match &lock {
            Some(lock) => {
                let place = sdk_place(&folder.join("pixi.lock"));
                self.add(&place, lock)?;
                Some(place)
            }
            None => None,
        };
        let pixi = Pixi {
            manifest: &manifest,
            lock: lock.as_deref(),
            environment,
            install: ProjectInstall::DependenciesOnly,
            extra_args,
            secrets: mounts,
        };
        self.pixi_layers(&pixi, "pixi.toml", source, locked);
        Ok(())
    }

    /// Adds a file, and says where it lies in the context.
    fn add_file(&mut self, file: &Path) -> Result<String, Problem> {
        let place = sdk_place(file);
        self.add(&place, file)?;
        Ok(place)
    }

    fn add(&mut self, place: &str, file: &Path) -> Result<(), Problem> {
        if !self.disk.is_file(file) {
            return Err(missing(file));
        }
        self.parcel.entries.insert(place.to_owned(), Content::of(file, self.disk));
        Ok(())
    }

    /// Adds what a folder holds, and says where it lies in the context.
    fn add_folder(&mut self, folder: &Path, patterns: &Patterns) -> Result<String, Problem> {
        if !self.disk.is_folder(folder) {
            return Err(missing(folder));
        }
        let files = patterns.files(folder, self.disk).map_err(|_| missing(folder))?;
        let place = sdk_place(folder);
        for file in files {
            let inside = if place == "." { file.clone() } else { format!("{place}/{file}") };
            self.parcel.entries.insert(inside, Content::of(&folder.join(file), self.disk));
        }
        Ok(place)
    }
}

/// What keeps uv from installing the project itself.
const NO_PROJECT: &str = "--no-install-project";

fn pip_options(options: &PipOptions) -> spec::PipOptions {
    spec::PipOptions {
        index_url: options.index_url.clone().unwrap_or_default(),
        extra_index_urls: options.extra_index_urls.clone(),
        pre: options.pre,
        extra_args: options.extra_args.clone().unwrap_or_default(),
    }
}

fn secrets(secrets: &[Secret]) -> Vec<spec::Secret> {
    secrets
        .iter()
        .map(|secret| {
            let variable = secret.as_env_var.clone().unwrap_or_default();
            spec::Secret {
                group: secret.group.clone().unwrap_or_default(),
                key: secret.key.clone(),
                mount_requirement: if variable.is_empty() { 2 } else { 1 },
                env_var: variable,
            }
        })
        .collect()
}

fn parent_of(place: &str) -> String {
    place.rsplit_once('/').map_or_else(|| ".".to_owned(), |(parent, _)| parent.to_owned())
}

/// `os.path.commonpath` of folders of the context.
fn common_folder(folders: &[String]) -> String {
    let parts = |folder: &String| -> Vec<String> {
        folder.split('/').filter(|part| *part != ".").map(str::to_owned).collect()
    };
    let mut common = folders.first().map(parts).unwrap_or_default();
    for folder in folders {
        let other = parts(folder);
        let length = common.iter().zip(&other).take_while(|(left, right)| left == right).count();
        common.truncate(length);
    }
    if common.is_empty() { ".".to_owned() } else { common.join("/") }
}
