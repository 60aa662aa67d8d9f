//! The configuration of Flyte 2, as far as it is about images: where the SDK looks for it, and what it says.
//!
//! ```yaml
//! image:
//!   builder: local
//!   registry: ghcr.io/me
//!   image_refs:
//!     trainer: ghcr.io/me/trainer:v1
//! ```
//!
//! Variables of the environment win over the file (`flyte/config/_reader.py`, flyte 2.12.1).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use yaml_serde::Value;

use super::Image;

/// The registry of a development cluster on this machine.
const LOCAL_REGISTRY: &str = "localhost:30000";

/// What the configuration says about images.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// The file that it comes from, if there is one.
    pub source: Option<PathBuf>,
    /// `image.builder`
    pub builder: Option<String>,
    /// `image.registry`
    pub registry: Option<String>,
    /// Whether it may be something else than this text for the SDK.
    pub has_odd_registry: bool,
    /// `image.image_refs`: images by the names that `Image.from_ref_name` takes.
    pub image_refs: BTreeMap<String, String>,
    /// `admin.endpoint`
    pub endpoint: Option<String>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the Flyte 2 configuration `{}`", .0.display())]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// The file is no YAML; the SDK goes on without it, with a warning.
    #[error("the Flyte 2 configuration `{}` is no YAML", .0.display())]
    NoYaml(PathBuf, #[source] yaml_serde::Error),
    /// The registry is a number or the like, of which the SDK makes a text of its own.
    #[error("`image.registry` in the Flyte 2 configuration `{}` is no text for the SDK; put it in quotes", .0.display())]
    OddRegistry(PathBuf),
}

/// What the search for a configuration depends on.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The working directory.
    pub cwd: &'a Path,
    /// The home of the user.
    pub home: Option<&'a Path>,
    /// Variables of the environment.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

impl Config {
    /// Reads the configuration: the file that is named, else the one that the SDK would find.
    ///
    /// # Errors
    /// A file that is named or found, and is not readable or no YAML.
    pub fn load(named: Option<&Path>, around: Surroundings<'_>) -> Result<Self, ConfigError> {
        let source = named.map(Path::to_path_buf).or_else(|| find(around));
        let config = match source {
            Some(path) => {
                let text = fs::read_to_string(around.cwd.join(&path))
                    .map_err(|error| ConfigError::Unreadable(path.clone(), error))?;
                let config = Self::read(&text).map_err(|error| ConfigError::NoYaml(path.clone(), error))?;
                Self { source: Some(path), ..config }
            }
            None => Self::default(),
        };
        let config = config.with_variables(around.variable);
        match config.source {
            Some(source) if config.has_odd_registry => Err(ConfigError::OddRegistry(source)),
            _ => Ok(config),
        }
    }

    /// The configuration with what the environment says. A variable that is empty counts as well: then there is nothing.
    #[must_use]
    pub fn with_variables(self, variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str, own: Option<String>| match variable(name) {
            Some(value) => Some(value).filter(|value| !value.is_empty()),
            None => own,
        };
        Self {
            builder: set("FLYTE_IMAGE_BUILDER", self.builder),
            has_odd_registry: self.has_odd_registry && variable("FLYTE_IMAGE_REGISTRY").is_none(),
            registry: set("FLYTE_IMAGE_REGISTRY", self.registry),
            endpoint: set("FLYTE_ADMIN_ENDPOINT", self.endpoint),
            ..self
        }
    }

    /// Reads the text of a configuration file.
    ///
    /// # Errors
    /// It is no YAML.
    pub fn read(text: &str) -> Result<Self, yaml_serde::Error> {
        let mut value: Value = yaml_serde::from_str(text)?;
        value.apply_merge()?;
        let image = value.get("image");
        let string = |section: Option<&Value>, name: &str| {
            section
                .and_then(|section| section.get(name)?.as_str())
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let references = image.and_then(|image| image.get("image_refs")?.as_mapping());
        let image_refs = references
            .into_iter()
            .flatten()
            .filter_map(|(name, uri)| Some((name.as_str()?.to_owned(), uri.as_str()?.to_owned())))
            .collect();
        Ok(Self {
            source: None,
            builder: string(image, "builder"),
            registry: string(image, "registry"),
            has_odd_registry: image.and_then(|image| image.get("registry")).is_some_and(is_odd),
            image_refs,
            endpoint: string(value.get("admin"), "endpoint"),
        })
    }

    /// Whether images are built on this machine.
    pub fn builds_locally(&self) -> bool {
        self.builder.as_deref().is_none_or(|builder| matches!(builder, "local" | "local-podman"))
    }

    /// The registry in which an image that names none is looked for.
    pub fn looked_for_in(&self) -> Option<&str> {
        self.push_registry().filter(|_| self.builds_locally())
    }

    /// Gives an image that names no registry the one that a local build pushes to, and looks for it in.
    pub fn give_registry(&self, image: &mut Image) {
        if image.is_cloned && image.registry.as_ref().is_none_or(String::is_empty) {
            image.registry = self.push_registry().map(str::to_owned);
        }
    }

    /// The registry that a local build pushes an image to that names none.
    pub fn push_registry(&self) -> Option<&str> {
        let is_local = || self.endpoint.as_deref().is_some_and(|endpoint| endpoint.contains("localhost"));
        self.registry.as_deref().or_else(|| is_local().then_some(LOCAL_REGISTRY))
    }
}

/// Whether a value is no text, or one only where it stands in quotes: the SDK reads YAML 1.1.
fn is_odd(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => {
            let is_word = ["yes", "no", "on", "off"].contains(&text.to_ascii_lowercase().as_str());
            let is_number = text.starts_with(|first: char| first.is_ascii_digit())
                && (text.starts_with('0') || text.contains(['_', ':']))
                && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '_' | ':'));
            is_word || is_number
        }
        _ => true,
    }
}

/// The file that the SDK would read.
pub fn find(around: Surroundings<'_>) -> Option<PathBuf> {
    let here = [PathBuf::from("config.yaml"), PathBuf::from(".flyte/config.yaml")];
    if let Some(path) = here.into_iter().find(|path| around.cwd.join(path).exists()) {
        return Some(path);
    }
    let git_root = around.cwd.ancestors().find(|folder| folder.join(".git").exists());
    let in_git_root = git_root.map(|root| root.join(".flyte/config.yaml")).filter(|path| path.exists());
    let variable = |name| (around.variable)(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let in_home = |name| around.home.map(|home| home.join(name)).filter(|path| path.exists());
    in_git_root
        .or_else(|| variable("UCTL_CONFIG"))
        .or_else(|| variable("FLYTECTL_CONFIG"))
        .or_else(|| in_home(".union/config.yaml"))
        .or_else(|| in_home(".flyte/config.yaml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, registry: &str) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("image:\n  registry: {registry}\n")).unwrap();
    }

    fn registry(cwd: &Path, home: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        let around = Surroundings { cwd, home: Some(home), variable };
        Config::load(None, around).unwrap().registry
    }

    #[test]
    fn the_file_is_found_where_the_sdk_finds_it() {
        let folder = tempfile::tempdir().unwrap();
        let (root, home) = (folder.path().join("repo"), folder.path().join("home"));
        let cwd = root.join("deep/er");
        fs::create_dir_all(&cwd).unwrap();
        fs::create_dir_all(root.join(".git")).unwrap();
        let named = folder.path().join("named.yaml").to_string_lossy().into_owned();
        let none = |_: &str| None;
        assert_eq!(registry(&cwd, &home, &none), None);
        write(&home, ".flyte/config.yaml", "home");
        assert_eq!(registry(&cwd, &home, &none).unwrap(), "home");
        write(&home, ".union/config.yaml", "union");
        assert_eq!(registry(&cwd, &home, &none).unwrap(), "union");
        write(folder.path(), "named.yaml", "variable");
        let variable = |name: &str| (name == "FLYTECTL_CONFIG").then(|| named.clone());
        assert_eq!(registry(&cwd, &home, &variable).unwrap(), "variable");
        write(&root, ".flyte/config.yaml", "git");
        assert_eq!(registry(&cwd, &home, &variable).unwrap(), "git");
        write(&cwd, ".flyte/config.yaml", "folder");
        assert_eq!(registry(&cwd, &home, &variable).unwrap(), "folder");
        write(&cwd, "config.yaml", "here");
        assert_eq!(registry(&cwd, &home, &variable).unwrap(), "here");
        let variable = |name: &str| (name == "FLYTE_IMAGE_REGISTRY").then(|| "environment".to_owned());
        assert_eq!(registry(&cwd, &home, &variable).unwrap(), "environment");
        let variable = |name: &str| (name == "FLYTE_IMAGE_REGISTRY").then(String::new);
        assert_eq!(registry(&cwd, &home, &variable), None);
    }

    #[test]
    fn a_registry_that_yaml_takes_for_something_else_is_told() {
        let is_odd = |registry: &str| {
            Config::read(&format!("image:\n  registry: {registry}\n")).unwrap().has_odd_registry
        };
        for odd in ["123", "true", "1.5", "[a]", "yes", "1:30", "0x10", "012", "1_000", "On"] {
            assert!(is_odd(odd), "{odd}");
        }
        for usual in
            ["ghcr.io/me", "localhost:5000", "10.0.0.1:5000", "''", "null", "false", "\"12\"", "\"r\""]
        {
            assert!(!is_odd(usual), "{usual}");
        }
    }

    #[test]
    fn everything_about_images_is_read() {
        let text = "admin:\n  endpoint: dns:///localhost:30080\nimage:\n  builder: remote\n  image_refs:\n    a: b/c:d\n";
        let config = Config::read(text).unwrap();
        assert_eq!(config.builder.as_deref(), Some("remote"));
        assert_eq!(config.image_refs, BTreeMap::from([("a".to_owned(), "b/c:d".to_owned())]));
        assert_eq!((config.registry.as_deref(), config.push_registry()), (None, Some("localhost:30000")));
        assert_eq!(Config::read("").unwrap(), Config::default());
        let merged = "base: &base\n  registry: r\n  builder: remote\nimage:\n  <<: *base\n  builder: local\n";
        let merged = Config::read(merged).unwrap();
        assert_eq!((merged.registry.as_deref(), merged.builder.as_deref()), (Some("r"), Some("local")));
        assert!(Config::read("a: [").is_err());
    }
}
