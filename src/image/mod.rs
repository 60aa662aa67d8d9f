//! The model of Flyte 2 images: what a chain of `flyte.Image` evaluates to, as plain values.
//!
//! ```python
//! flyte.Image.from_debian_base(python_version=(3, 12), name="train").with_pip_packages("pandas")
//! ```
//!
//! It knows nothing of Python source and nothing of Flyte 1. The fields are those of `Image` in `flyte/_image.py`,
//! flyte 2.12.1.

pub mod build;
pub mod command;
pub mod config;
pub mod context;
pub mod digest;
pub mod disk;
pub mod dockerfile;
pub mod document;
pub mod editable;
pub mod engine;
mod folder;
pub mod ignore;
pub mod layer;
pub mod line;
pub mod path;
pub(crate) mod python_text;
pub mod reference;
pub mod remote;
pub mod requirement;
pub mod schedule;
pub mod script;
pub mod shell;
pub mod specification;
pub mod step;
pub mod validate;
pub mod version;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use layer::{Layer, PipOptions, ProjectInstall, Secret};

/// What an image starts from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// A reference to an image in a registry, such as `ghcr.io/flyteorg/flyte:py3.11-v2.12.1`.
    Reference(String),
    /// A Dockerfile of the user.
    Dockerfile(PathBuf),
    /// A name that `image.image_refs` of the Flyte 2 configuration resolves.
    RefName(String),
}

/// A Flyte 2 image.
///
/// Values are as the SDK holds them: nothing is trimmed, lower-cased or checked here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// What it starts from.
    pub base: Base,
    /// The name of its repository, without registry.
    pub name: Option<String>,
    /// The registry that it is pushed to.
    pub registry: Option<String>,
    /// The secret that the registry asks for.
    pub registry_secret: Option<Secret>,
    /// The platforms that it is built for, such as `linux/amd64`.
    pub platform: Vec<String>,
    /// Major and minor version of its Python; `None` where it is that of the interpreter that runs the code.
    pub python_version: Option<(u32, u32)>,
    /// Whether layers may be added.
    pub is_extendable: bool,
    /// Whether the code changed it, by a clone or a layer; one that was not is never built.
    pub is_cloned: bool,
    /// A tag that is set from the start, as on the bases without flyte.
    pub tag: Option<String>,
    /// The layers, in the order in which they are built.
    pub layers: Vec<Layer>,
}

/// Where the released images of Flyte 2 are.
const FLYTE_REGISTRY: &str = "ghcr.io/flyteorg";
/// The name of images that name none.
const FLYTE_NAME: &str = "flyte";
/// The platforms of the Debian base where none are named.
pub const DEFAULT_PLATFORMS: [&str; 2] = ["linux/amd64", "linux/arm64"];

/// How the user of the tasks is made on the Debian base without flyte; an image that does so ends as that user.
pub const CREATE_USER: &str = "if ! id -u flyte >/dev/null 2>&1; then useradd --create-home --shell /bin/bash flyte; fi && \
     mkdir -p /home/flyte && chown -R flyte:flyte /home/flyte && chown -R flyte:flyte /root";

/// Why the SDK does not add a layer to an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It was not made extendable.
    NotExtendable,
    /// It comes from a Dockerfile.
    Dockerfile,
    /// It has no name.
    NoName,
}

/// What `clone` changes; `None` keeps what the image has.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// `name=`
    pub name: Option<String>,
    /// `registry=`
    pub registry: Option<String>,
    /// `registry_secret=`
    pub registry_secret: Option<Secret>,
    /// `base_image=`
    pub base_image: Option<String>,
    /// `python_version=`
    pub python_version: Option<(u32, u32)>,
    /// `platform=`
    pub platform: Option<Vec<String>>,
    /// `extendable=`
    pub extendable: Option<bool>,
}

impl Image {
    fn from(base: Base) -> Self {
        Self {
            base,
            name: None,
            registry: None,
            registry_secret: None,
            platform: vec![DEFAULT_PLATFORMS[0].to_owned()],
            python_version: None,
            is_extendable: false,
            is_cloned: false,
            tag: None,
            layers: Vec::new(),
        }
    }

    /// `from_base`
    pub fn from_base(uri: String) -> Self {
        Self::from(Base::Reference(uri))
    }

    /// `from_ref_name`
    pub fn from_ref_name(name: String) -> Self {
        Self { name: Some(name.clone()), ..Self::from(Base::RefName(name)) }
    }

    /// `from_dockerfile`
    pub fn from_dockerfile(
        file: PathBuf,
        registry: Option<String>,
        name: Option<String>,
        platform: Option<Vec<String>>,
    ) -> Self {
        let image = Self { registry, name, is_cloned: true, ..Self::from(Base::Dockerfile(file)) };
        Self { platform: platform.unwrap_or_else(|| image.platform.clone()), ..image }
    }

    /// The released Debian base, for a Python version as it stands in tags: `3.11`.
    pub fn released_base(python: &str, flyte_version: &str) -> String {
        let v = if flyte_version.starts_with('v') { "" } else { "v" };
        format!("{FLYTE_REGISTRY}/{FLYTE_NAME}:py{python}-{v}{flyte_version}")
    }

    /// `from_debian_base` with flyte, without name and registry.
    pub fn from_debian_base(base: String) -> Self {
        Self {
            name: Some(FLYTE_NAME.to_owned()),
            platform: DEFAULT_PLATFORMS.map(str::to_owned).to_vec(),
            is_extendable: true,
            ..Self::from(Base::Reference(base))
        }
    }

    /// `from_debian_base(install_flyte=False)`, for a Python version as it stands in tags.
    pub fn from_plain_debian(python: &str) -> Self {
        let base = format!("python:{python}-slim-bookworm");
        let text = |text: &str| text.to_owned();
        let variables = [
            ("VIRTUAL_ENV", "/opt/venv"),
            ("PATH", "/opt/venv/bin:$PATH"),
            ("PYTHONPATH", "/root"),
            ("UV_LINK_MODE", "copy"),
        ];
        Self {
            is_cloned: true,
            tag: Some(format!("py{python}")),
            layers: vec![
                Layer::DockerLines {
                    lines: vec![
                        text("LABEL org.opencontainers.image.authors='Union.AI <info@union.ai>'"),
                        text("LABEL org.opencontainers.image.source=https://github.com/flyteorg/flyte"),
                    ],
                },
                Layer::Commands { commands: vec![text(CREATE_USER)], secret_mounts: Vec::new() },
                Layer::WorkDir { workdir: text("/home/flyte") },
                Layer::Env { variables: variables.map(|(name, value)| (text(name), text(value))).to_vec() },
                Layer::AptPackages {
                    packages: vec![text("build-essential"), text("ca-certificates")],
                    secret_mounts: Vec::new(),
                },
            ],
            ..Self::from_debian_base(base)
        }
    }

    /// Whether a build of another image comes to the same.
    pub fn is_built_as(&self, other: &Self) -> bool {
        (&self.base, &self.layers, self.python_version) == (&other.base, &other.layers, other.python_version)
    }

    /// Why a layer cannot be added, if it cannot.
    pub fn refusal(&self) -> Option<Refusal> {
        if !self.is_extendable {
            Some(Refusal::NotExtendable)
        } else if matches!(self.base, Base::Dockerfile(_)) {
            Some(Refusal::Dockerfile)
        } else if self.name.as_ref().is_none_or(String::is_empty) {
            Some(Refusal::NoName)
        } else {
            None
        }
    }

    /// Adds a layer, as every `with_*` method does.
    pub fn add(&mut self, layer: Layer) {
        self.is_cloned = true;
        self.tag = None;
        self.layers.push(layer);
    }

    /// `clone`. Empty texts change nothing.
    pub fn change(&mut self, changes: Changes) {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        self.is_cloned = true;
        self.tag = None;
        if let Some(base) = given(changes.base_image)
            && !matches!(self.base, Base::Dockerfile(_) | Base::RefName(_))
        {
            self.base = Base::Reference(base);
        }
        self.name = given(changes.name).or(self.name.take());
        self.registry = given(changes.registry).or(self.registry.take());
        self.registry_secret = changes.registry_secret.or(self.registry_secret.take());
        self.python_version = changes.python_version.or(self.python_version);
        if let Some(platform) = changes.platform.filter(|platform| !platform.is_empty()) {
            self.platform = platform;
        }
        self.is_extendable = changes.extendable.unwrap_or(self.is_extendable);
    }
}
