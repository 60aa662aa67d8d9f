//! What a build does, layer by layer, once everything from the disk has its place in the build context.
//!
//! ```python
//! image.with_requirements("requirements.txt")   # mounts `layer-1/requirements.txt`, installs from it
//! ```
//!
//! [`context`](super::context) makes steps of layers, [`dockerfile`](super::dockerfile) writes them.

use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::layer::{PipOptions, ProjectInstall, Secret};
use crate::diagnostic::Rule;

/// One step of a build. Paths in the context consist of harmless characters alone, but for the names of copied files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Installs Python packages.
    Pip {
        /// Requirements as PEP 508 writes them.
        packages: Vec<String>,
        /// A requirements file in the context.
        requirements: Option<String>,
        /// How they are installed.
        options: PipOptions,
    },
    /// Installs a project that uv manages.
    UvProject {
        /// The folder of the project in the context.
        folder: String,
        /// Whether it holds a `uv.lock`.
        has_lock: bool,
        /// What is installed.
        install: ProjectInstall,
        /// Projects that it installs in place: their folder in the context, and their path from the project.
        editables: Vec<(String, String)>,
        /// How it is installed.
        options: PipOptions,
    },
    /// Installs a project that poetry manages.
    PoetryProject {
        /// The folder of the project in the context.
        folder: String,
        /// What is installed.
        install: ProjectInstall,
        /// Further arguments of `poetry install`.
        extra_args: Option<String>,
        /// The secrets that are mounted while it runs.
        secrets: Vec<Secret>,
    },
    /// Installs a project that pixi manages.
    PixiProject {
        /// The folder of the project in the context.
        folder: String,
        /// The name of the manifest.
        manifest: String,
        /// Whether it holds a `pixi.lock`.
        has_lock: bool,
        /// The pixi environment.
        environment: String,
        /// Further arguments of `pixi install`.
        extra_args: Option<String>,
        /// The secrets that are mounted while it runs.
        secrets: Vec<Secret>,
    },
    /// Installs Debian packages.
    Apt {
        /// Their names.
        packages: Vec<String>,
        /// The secrets that are mounted while it runs.
        secrets: Vec<Secret>,
    },
    /// Runs commands, each in a shell of its own.
    Commands {
        /// The commands.
        commands: Vec<String>,
        /// The secrets that are mounted while they run.
        secrets: Vec<Secret>,
    },
    /// Sets environment variables.
    Env {
        /// Names and values.
        variables: Vec<(String, String)>,
    },
    /// Sets the working directory.
    WorkDir {
        /// The directory.
        workdir: String,
    },
    /// Copies a file.
    CopyFile {
        /// Its folder in the context.
        folder: String,
        /// Its name, as on the disk.
        name: String,
        /// Where it goes.
        dst: String,
    },
    /// Copies what a folder holds.
    CopyFolder {
        /// The folder in the context.
        folder: String,
        /// Where it goes.
        dst: String,
    },
    /// Adds lines to the Dockerfile.
    Lines {
        /// The lines.
        lines: Vec<String>,
    },
}

/// Why an image cannot be built as the code describes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// The rule that speaks.
    pub rule: &'static Rule,
    /// The layer that it is about, counted from 0; `None` for the image as a whole.
    pub layer: Option<usize>,
    /// The command or variable of the layer, counted from 0; `None` for the layer as a whole.
    pub item: Option<usize>,
    /// What is wrong; begins with the subject in backticks, no final full stop.
    pub message: String,
    /// What to do, as an imperative sentence without a final full stop.
    pub help: Option<String>,
}

impl Problem {
    /// A problem with the image as a whole.
    pub fn new(rule: &'static Rule, message: impl Into<String>) -> Self {
        Self { rule, layer: None, item: None, message: message.into(), help: None }
    }

    /// The same problem, with what to do about it.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// The same problem, as one of a layer.
    #[must_use]
    pub fn at_layer(self, layer: usize) -> Self {
        Self { layer: Some(layer), ..self }
    }
}

/// What lies at a place of the build context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A copy of a file of the disk, with its mode.
    File(PathBuf),
    /// Other bytes with the mode of a file of the disk.
    Written(PathBuf, Vec<u8>),
    /// A text that the tool writes.
    Text(String),
}

impl Content {
    /// What a file of the disk holds.
    pub fn of(path: &Path, disk: &Disk) -> Self {
        let place = disk.place(path);
        match disk.written(path) {
            Some(bytes) => Self::Written(place, bytes.to_vec()),
            None => Self::File(place),
        }
    }
}
