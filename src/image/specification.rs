//! The messages in which the remote builder is told what to build: `flyteidl2.imagebuilder`, of flyteidl2 2.0.
//!
//! ```protobuf
//! message ImageSpec { string base_image = 1; string python_version = 2; repeated Layer layers = 3; }
//! ```
//!
//! The official crate, `flyteidl2` 2.0.53, leaves this package out of what it exports, so the messages stand here;
//! `tests/remote.rs` compares them with those of the SDK, field by field.

use std::collections::BTreeMap;

use prost::Message;

/// `flyteidl2.core.Secret`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Secret {
    /// The group.
    #[prost(string, tag = "1")]
    pub group: String,
    /// The name.
    #[prost(string, tag = "3")]
    pub key: String,
    /// 1 for a variable, 2 for a file.
    #[prost(int32, tag = "4")]
    pub mount_requirement: i32,
    /// The variable that holds it.
    #[prost(string, tag = "5")]
    pub env_var: String,
}

/// Debian packages.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct AptPackages {
    /// Their names.
    #[prost(string, repeated, tag = "1")]
    pub packages: Vec<String>,
    /// The secrets.
    #[prost(message, repeated, tag = "2")]
    pub secret_mounts: Vec<Secret>,
}

/// How Python packages are installed.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct PipOptions {
    /// The index in place of the default one.
    #[prost(string, tag = "2")]
    pub index_url: String,
    /// Further indexes.
    #[prost(string, repeated, tag = "3")]
    pub extra_index_urls: Vec<String>,
    /// Whether versions before a release count.
    #[prost(bool, tag = "4")]
    pub pre: bool,
    /// Further arguments.
    #[prost(string, tag = "5")]
    pub extra_args: String,
}

/// Python packages.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct PipPackages {
    /// The requirements.
    #[prost(string, repeated, tag = "1")]
    pub packages: Vec<String>,
    /// How they are installed.
    #[prost(message, optional, tag = "2")]
    pub options: Option<PipOptions>,
    /// The secrets.
    #[prost(message, repeated, tag = "3")]
    pub secret_mounts: Vec<Secret>,
}

/// A requirements file.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Requirements {
    /// The file in the context.
    #[prost(string, tag = "1")]
    pub file: String,
    /// How they are installed.
    #[prost(message, optional, tag = "2")]
    pub options: Option<PipOptions>,
    /// The secrets.
    #[prost(message, repeated, tag = "3")]
    pub secret_mounts: Vec<Secret>,
}

/// A project of uv.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct UvProject {
    /// The folder of the manifest in the context.
    #[prost(string, tag = "1")]
    pub pyproject: String,
    /// The lock file in the context.
    #[prost(string, tag = "2")]
    pub uvlock: String,
    /// How it is installed.
    #[prost(message, optional, tag = "3")]
    pub options: Option<PipOptions>,
    /// The secrets.
    #[prost(message, repeated, tag = "4")]
    pub secret_mounts: Vec<Secret>,
    /// The folder that holds it and what it installs in place.
    #[prost(string, tag = "5")]
    pub source_dir: String,
}

/// A project of poetry.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct PoetryProject {
    /// The manifest, or the whole folder, in the context.
    #[prost(string, tag = "1")]
    pub pyproject: String,
    /// The lock file in the context.
    #[prost(string, tag = "2")]
    pub poetry_lock: String,
    /// Further arguments.
    #[prost(string, tag = "3")]
    pub extra_args: String,
    /// The secrets.
    #[prost(message, repeated, tag = "4")]
    pub secret_mounts: Vec<Secret>,
}

/// Commands.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Commands {
    /// The commands.
    #[prost(string, repeated, tag = "2")]
    pub cmd: Vec<String>,
    /// The secrets.
    #[prost(message, repeated, tag = "3")]
    pub secret_mounts: Vec<Secret>,
}

/// The working directory.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct WorkDir {
    /// The directory.
    #[prost(string, tag = "1")]
    pub workdir: String,
}

/// A file or folder that is copied.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct CopyConfig {
    /// Its place in the context.
    #[prost(string, tag = "1")]
    pub src: String,
    /// Where it goes.
    #[prost(string, tag = "2")]
    pub dst: String,
}

/// Environment variables.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Env {
    /// Names and values.
    #[prost(btree_map = "string, string", tag = "1")]
    pub env_variables: BTreeMap<String, String>,
}

/// A layer: one of its fields is set.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Layer {
    /// What it is.
    #[prost(oneof = "Kind", tags = "1, 2, 3, 4, 6, 7, 8, 9, 10")]
    pub kind: Option<Kind>,
}

/// What a layer is.
#[derive(Clone, PartialEq, Eq, prost::Oneof)]
pub enum Kind {
    /// Debian packages.
    #[prost(message, tag = "1")]
    AptPackages(AptPackages),
    /// Python packages.
    #[prost(message, tag = "2")]
    PipPackages(PipPackages),
    /// Commands.
    #[prost(message, tag = "3")]
    Commands(Commands),
    /// A requirements file.
    #[prost(message, tag = "4")]
    Requirements(Requirements),
    /// The working directory.
    #[prost(message, tag = "6")]
    Workdir(WorkDir),
    /// A file or folder.
    #[prost(message, tag = "7")]
    CopyConfig(CopyConfig),
    /// A project of uv.
    #[prost(message, tag = "8")]
    UvProject(UvProject),
    /// Environment variables.
    #[prost(message, tag = "9")]
    Env(Env),
    /// A project of poetry.
    #[prost(message, tag = "10")]
    PoetryProject(PoetryProject),
}

/// An image.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ImageSpec {
    /// What it starts from.
    #[prost(string, tag = "1")]
    pub base_image: String,
    /// Its Python.
    #[prost(string, tag = "2")]
    pub python_version: String,
    /// Its layers.
    #[prost(message, repeated, tag = "3")]
    pub layers: Vec<Layer>,
    /// Its platforms; the SDK names none.
    #[prost(string, repeated, tag = "4")]
    pub platform: Vec<String>,
}
