//! The layers of an image, one variant for each `with_*` method of `flyte.Image`.
//!
//! ```python
//! image.with_apt_packages("git").with_pip_packages("pandas", pre=True)
//! ```
//!
//! The fields are those of the layer classes in `flyte/_image.py`, flyte 2.12.1.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A secret that a layer, or a registry, asks for: `flyte.Secret`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// Its name.
    pub key: String,
    /// The group that it belongs to.
    pub group: Option<String>,
    /// Where it is mounted as a file; the SDK takes only `/etc/flyte/secrets`.
    pub mount: Option<PathBuf>,
    /// Whether the code gives `mount` as a string instead of a `Path`: the identity of the image tells them apart.
    pub is_mount_plain: bool,
    /// The environment variable that holds it.
    pub as_env_var: Option<String>,
    /// Whether the code gives a plain string instead of a `flyte.Secret`: the identity of the image tells them apart.
    pub is_plain: bool,
}

impl Secret {
    /// `flyte.Secret(key, group, mount, as_env_var)`: without a mount it gets an environment variable named for its key.
    pub fn new(
        key: String,
        group: Option<String>,
        mount: Option<PathBuf>,
        as_env_var: Option<String>,
    ) -> Self {
        let is_named = mount.is_some() || as_env_var.as_ref().is_some_and(|name| !name.is_empty());
        let as_env_var = if is_named {
            as_env_var
        } else {
            let name = group.as_ref().filter(|group| !group.is_empty());
            let name = name.map_or_else(|| key.clone(), |group| format!("{group}_{key}"));
            Some(name.replace('-', "_").to_uppercase())
        };
        Self { key, group, mount, is_mount_plain: false, as_env_var, is_plain: false }
    }

    /// A secret that is given as a plain string.
    pub fn plain(key: String) -> Self {
        Self { is_plain: true, ..Self::new(key, None, None, None) }
    }
}

/// The options that layers installed by pip or uv share.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipOptions {
    /// The index in place of the default one.
    pub index_url: Option<String>,
    /// Further indexes.
    pub extra_index_urls: Vec<String>,
    /// Whether versions before a release count.
    pub pre: bool,
    /// What the code gives in place of `True`, as text: the identity of the image tells them apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pre_text: Option<String>,
    /// Further arguments of `uv pip install`, as one string.
    pub extra_args: Option<String>,
    /// The secrets that are mounted while it runs.
    pub secret_mounts: Vec<Secret>,
}

/// Whether a project itself is installed, or what it depends on alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProjectInstall {
    /// `project_install_mode="dependencies_only"`
    #[default]
    DependenciesOnly,
    /// `project_install_mode="install_project"`
    InstallProject,
}

/// A layer of an image. Paths are as the code gives them: relative ones count from the working directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Layer {
    /// `with_pip_packages`
    PipPackages {
        /// Requirements as PEP 508 writes them.
        packages: Vec<String>,
        /// How they are installed.
        options: PipOptions,
    },
    /// `with_requirements`
    Requirements {
        /// The requirements file.
        file: PathBuf,
        /// How they are installed.
        options: PipOptions,
    },
    /// `with_uv_project`
    UvProject {
        /// The `pyproject.toml`.
        pyproject: PathBuf,
        /// The `uv.lock`, if there is one.
        uvlock: Option<PathBuf>,
        /// What is installed.
        install: ProjectInstall,
        /// How it is installed.
        options: PipOptions,
    },
    /// `with_poetry_project`
    PoetryProject {
        /// The `pyproject.toml`.
        pyproject: PathBuf,
        /// The `poetry.lock`.
        poetry_lock: PathBuf,
        /// What is installed.
        install: ProjectInstall,
        /// Further arguments of `poetry install`.
        extra_args: Option<String>,
        /// The secrets that are mounted while it runs.
        secret_mounts: Vec<Secret>,
    },
    /// `with_pixi_project`
    PixiProject {
        /// The `pixi.toml` or `pyproject.toml`.
        manifest: PathBuf,
        /// The `pixi.lock`, if there is one.
        pixi_lock: Option<PathBuf>,
        /// The pixi environment.
        environment: String,
        /// What is installed.
        install: ProjectInstall,
        /// Further arguments of `pixi install`.
        extra_args: Option<String>,
        /// The secrets that are mounted while it runs.
        secret_mounts: Vec<Secret>,
    },
    /// `from_uv_script`
    UvScript {
        /// The script, whose PEP 723 header says what it needs.
        script: PathBuf,
        /// How it is installed.
        options: PipOptions,
    },
    /// `from_pixi_script`
    PixiScript {
        /// The script, whose PEP 723 header says what it needs.
        script: PathBuf,
        /// The platforms of the generated manifest, in conda's words: `linux-64`.
        platforms: Vec<String>,
        /// The pixi environment.
        environment: String,
        /// Further arguments of `pixi install`.
        extra_args: Option<String>,
        /// The secrets that are mounted while it runs.
        secret_mounts: Vec<Secret>,
    },
    /// `with_apt_packages`
    AptPackages {
        /// Names of Debian packages.
        packages: Vec<String>,
        /// The secrets that are mounted while it runs.
        secret_mounts: Vec<Secret>,
    },
    /// `with_commands`
    Commands {
        /// Commands, each in a shell of its own.
        commands: Vec<String>,
        /// The secrets that are mounted while they run.
        secret_mounts: Vec<Secret>,
    },
    /// `with_env_vars`
    Env {
        /// Names and values, in the order in which they are set.
        variables: Vec<(String, String)>,
    },
    /// `with_workdir`
    WorkDir {
        /// The working directory of what follows and of the tasks.
        workdir: String,
    },
    /// `with_source_file`
    CopyFile {
        /// The file.
        src: PathBuf,
        /// Where it goes.
        dst: String,
    },
    /// `with_source_folder`
    CopyFolder {
        /// The folder.
        src: PathBuf,
        /// Where it goes.
        dst: String,
    },
    /// `with_dockerignore`
    DockerIgnore {
        /// The file.
        path: String,
    },
    /// `with_code_bundle`: known only when the code is deployed.
    CodeBundle {
        /// `loaded_modules` or `all`
        copy_style: String,
        /// Where it goes.
        dst: String,
    },
    /// Lines of a Dockerfile that the SDK itself puts below its bases without flyte.
    DockerLines {
        /// The lines.
        lines: Vec<String>,
    },
}

impl Layer {
    /// The file or folder that the code names.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Requirements { file: path, .. }
            | Self::UvProject { pyproject: path, .. }
            | Self::PoetryProject { pyproject: path, .. }
            | Self::PixiProject { manifest: path, .. }
            | Self::UvScript { script: path, .. }
            | Self::PixiScript { script: path, .. }
            | Self::CopyFile { src: path, .. }
            | Self::CopyFolder { src: path, .. } => Some(path),
            Self::DockerIgnore { path } => Some(Path::new(path)),
            Self::PipPackages { .. }
            | Self::AptPackages { .. }
            | Self::Commands { .. }
            | Self::Env { .. }
            | Self::WorkDir { .. }
            | Self::CodeBundle { .. }
            | Self::DockerLines { .. } => None,
        }
    }
}
