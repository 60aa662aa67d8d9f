//! The model of Flyte 2 images: what a chain of `flyte.Image` evaluates to, as plain values.
//!
//! ```python
//! flyte.Image.from_debian_base(python_version=(3, 12), name="train").with_pip_packages("pandas")
//! ```
//!
//! It knows nothing of Python source and nothing of Flyte 1. The fields are those of `Image` in `flyte/_image.py`,
//! flyte 2.12.1.

pub mod layer;

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
