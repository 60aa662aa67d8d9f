//! The programs that build images, and how each is called.
//!
//! ```python
//! # docker buildx build --file Dockerfile --tag ghcr.io/me/train:5b7a… --platform linux/amd64 --load context
//! ```
//!
//! Nothing is started here: a call is a list of arguments, which [`build`](super::build) runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A program that builds images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// `docker buildx build`
    Docker,
    /// `podman build`
    Podman,
    /// `buildah build`
    Buildah,
}

/// Where the value of a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// An environment variable.
    Variable(String),
    /// A file.
    File(PathBuf),
}

/// One build.
#[derive(Debug, Clone)]
pub struct Job<'a> {
    /// The Dockerfile.
    pub dockerfile: &'a Path,
    /// The build context.
    pub context: &'a Path,
    /// The image that comes out.
    pub uri: &'a str,
    /// The platforms that it is built for.
    pub platforms: &'a [String],
    /// Whether it is pushed to its registry.
    pub is_pushed: bool,
    /// The secrets, by what the Dockerfile calls them.
    pub secrets: &'a [(String, SecretSource)],
    /// Values for `ARG`.
    pub build_args: &'a BTreeMap<String, String>,
    /// Arguments of whoever runs the build.
    pub settings: &'a EngineSettings,
}

/// What the environment says about engines, in the variables of the SDK.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EngineSettings {
    /// `FLYTE_DOCKER_BUILDKIT_BUILDER_NAME`: the builder of buildx.
    pub buildx_builder: Option<String>,
    /// `FLYTE_DOCKER_BUILDER_CACHE_FROM` and `FLYTE_DOCKER_BUILDER_CACHE_TO`, which count together.
    pub cache: Option<(String, String)>,
    /// `FLYTE_DOCKER_BUILD_EXTRA_ARGS`, split into words.
    pub extra_args: Vec<String>,
    /// Whether `BUILDAH_LAYERS` switches buildah's cache off.
    pub is_buildah_cache_off: bool,
}

impl EngineSettings {
    /// Reads the settings from variables; those that are empty are not set.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let extra = variable("FLYTE_DOCKER_BUILD_EXTRA_ARGS").unwrap_or_default();
        Self {
            buildx_builder: variable("FLYTE_DOCKER_BUILDKIT_BUILDER_NAME"),
            cache: variable("FLYTE_DOCKER_BUILDER_CACHE_FROM").zip(variable("FLYTE_DOCKER_BUILDER_CACHE_TO")),
            extra_args: shlex::split(&extra).unwrap_or_default(),
            is_buildah_cache_off: variable("BUILDAH_LAYERS")
                .is_some_and(|value| value == "false" || value == "0"),
        }
    }
}

impl Engine {
    /// All of them, in the order in which they are looked for.
    pub const ALL: [Self; 3] = [Self::Docker, Self::Podman, Self::Buildah];

    /// The name of its program.
    pub fn program(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Buildah => "buildah",
        }
    }

    /// The calls that build an image, and push it.
    pub fn calls(self, job: &Job<'_>) -> Vec<Vec<String>> {
        let mut calls = vec![self.build(job)];
        if job.is_pushed && self != Self::Docker {
            calls.push(push(job));
        }
        calls
    }

    fn build(self, job: &Job<'_>) -> Vec<String> {
        let mut call = Call::default();
        match self {
            Self::Docker => {
                call.words(&["buildx", "build"]);
                if let Some(builder) = &job.settings.buildx_builder {
                    call.words(&["--builder", builder]);
                }
                call.words(&["--progress", "plain"]);
            }
            // The format keeps the shell of the image, in which commands of images on top of it run.
            Self::Podman => call.words(&["build", "--format", "docker"]),
            Self::Buildah => {
                call.words(&["build", "--format", "docker"]);
                if !job.settings.is_buildah_cache_off {
                    // With its cache, buildah leaves the container of a build that fails.
                    call.words(&["--layers", "--force-rm"]);
                }
            }
        }
        call.words(&["--file", &job.dockerfile.to_string_lossy(), "--platform", &job.platforms.join(",")]);
        let is_list = self != Self::Docker && job.platforms.len() > 1;
        call.words(&[if is_list { "--manifest" } else { "--tag" }, job.uri]);
        if self == Self::Docker {
            call.words(&[if job.is_pushed { "--push" } else { "--load" }]);
            if let Some((from, to)) = &job.settings.cache {
                call.words(&[&format!("--cache-from={from}"), &format!("--cache-to={to}")]);
            }
        }
        for (id, source) in job.secrets {
            let source = match source {
                SecretSource::Variable(name) => format!("env={name}"),
                SecretSource::File(path) => format!("src={}", path.display()),
            };
            call.words(&["--secret", &format!("id={id},{source}")]);
        }
        for (name, value) in job.build_args {
            call.words(&["--build-arg", &format!("{name}={value}")]);
        }
        call.0.extend(job.settings.extra_args.iter().cloned());
        call.words(&[&job.context.to_string_lossy()]);
        call.0
    }

    /// The call that succeeds if the local store has an image.
    pub fn local_check(self, uri: &str) -> Vec<String> {
        let mut call = Call::default();
        match self {
            Self::Docker => call.words(&["image", "inspect", uri]),
            Self::Podman => call.words(&["image", "exists", uri]),
            Self::Buildah => call.words(&["inspect", "--type", "image", uri]),
        }
        call.0
    }

    /// The call that succeeds if the registry has an image.
    pub fn registry_check(self, uri: &str) -> Vec<String> {
        let mut call = Call::default();
        match self {
            Self::Docker => call.words(&["buildx", "imagetools", "inspect", "--raw", uri]),
            Self::Podman | Self::Buildah => call.words(&["manifest", "inspect", &format!("docker://{uri}")]),
        }
        call.0
    }
}

/// How podman and buildah push what they built.
fn push(job: &Job<'_>) -> Vec<String> {
    let mut call = Call::default();
    if job.platforms.len() > 1 {
        call.words(&["manifest", "push", "--all", job.uri, &format!("docker://{}", job.uri)]);
    } else {
        call.words(&["push", job.uri]);
    }
    call.0
}

#[derive(Default)]
struct Call(Vec<String>);

impl Call {
    fn words(&mut self, words: &[&str]) {
        self.0.extend(words.iter().map(|&word| word.to_owned()));
    }
}

/// The platform of this machine, as engines name it.
pub fn host_platform() -> String {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("linux/{architecture}")
}
