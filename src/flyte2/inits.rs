//! What code tells the SDK when it initializes it: the registry of the images that are made from then on, the images that
//! names stand for, and the folder whose `.dockerignore` counts.
//!
//! ```python
//! flyte.init(image_registry="ghcr.io/acme")
//! flyte.init_from_config("prod.yaml", root_dir=Path(__file__).parent)
//! ```
//!
//! What `flyte.init_from_config()` without a path finds is what the SDK finds without it, so that it changes nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::calls::{FoundCall, call_at};
use super::constant::Constant;
use super::environment::{Argument, argument};
use super::evaluate::{Built, Evaluator, Place, Scope, Unknown};
use super::order::{Moment, may_have_run};
use super::replaced::is_test;
use crate::image::config::Config;
use crate::image::{Base, Image, digest, path};
use crate::project::link::Target;
use crate::project::{FileId, Project};
use crate::source::TextRange;

/// The variables that the registry of images depends on, directly or by the configuration that is found.
const VARIABLES: [&str; 3] = ["FLYTE_IMAGE_REGISTRY", "UCTL_CONFIG", "FLYTECTL_CONFIG"];

/// A place where code initializes the SDK, or hands on the function that does.
#[derive(Debug)]
pub struct Init {
    file: FileId,
    /// The function: `flyte.init`.
    callee: TextRange,
    kind: Kind,
    is_deferred: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `flyte.init(…)`
    Plain,
    /// `flyte.init_from_config(…)`
    FromConfig,
    /// `flyte.init_from_api_key(…)`
    FromApiKey,
    /// `flyte.init_in_cluster(…)`, which reads the configuration that a variable names.
    InCluster,
    /// `flyte.init_passthrough(…)`
    Passthrough,
}

impl Kind {
    fn of(path: &str) -> Option<Self> {
        let path = path.strip_suffix(".aio").unwrap_or(path);
        let name = path.strip_prefix("flyte._initialize.").or_else(|| path.strip_prefix("flyte."))?;
        Some(match name {
            "init" => Self::Plain,
            "init_from_config" => Self::FromConfig,
            "init_from_api_key" => Self::FromApiKey,
            "init_in_cluster" => Self::InCluster,
            "init_passthrough" => Self::Passthrough,
            _ => return None,
        })
    }

    /// The position of a parameter; those far behind are only given by name.
    fn parameter(self, name: &'static str) -> (&'static str, usize) {
        let position = match (self, name) {
            (Self::FromConfig, "path_or_config") => 0,
            (Self::FromConfig, "root_dir") => 1,
            (Self::Plain | Self::FromApiKey, "root_dir") => 3,
            _ => usize::MAX,
        };
        (name, position)
    }
}

/// All places outside tests where code initializes the SDK.
pub(super) fn find(project: &Project) -> Vec<Init> {
    let named = project.parsed().filter(|&(file, _)| {
        let text = project.text(file);
        text.contains("flyte") && text.contains("init") && !is_test(&project.files[file].relative)
    });
    let inits = named.flat_map(|(file, facts)| {
        facts.module.references.iter().filter_map(move |reference| {
            let kind = project.resolve(file, reference).iter().find_map(|target| match target {
                Target::External(path) => Kind::of(path),
                _ => None,
            })?;
            Some(Init { file, callee: reference.range, kind, is_deferred: reference.is_deferred })
        })
    });
    inits.collect()
}

/// What stands for a value that is not known.
struct NotKnown;

impl<'a> Evaluator<'a> {
    /// What gives images that are made at a moment another registry than the configuration that was found.
    pub(super) fn other_registry(&self, moment: Moment) -> Option<Unknown> {
        let expected = self.settings.config.registry.as_deref();
        let init = self.inits_before(moment).find(|init| {
            let given = self.registry_after(init);
            given.map_or(true, |given| given.as_deref() != expected)
        });
        init.map(|init| self.named(init, &["image_registry", "path_or_config"]))
            .or_else(|| self.set_variable(moment))
    }

    /// Where code may have set a variable that the registry depends on.
    fn set_variable(&self, moment: Moment) -> Option<Unknown> {
        let mut variables = self.changes.set_variables().filter(|(file, set)| {
            !is_test(&self.project.files[*file].relative)
                && VARIABLES.iter().any(|name| set.may_be(name))
                // Functions set variables of all kinds while their task runs.
                && (set.name.is_some() || !set.is_deferred || moment.at.is_some())
                && may_have_run(self.project, *file, (set.range, set.is_deferred), moment)
                && !self.is_harmless_file(*file, set.range)
        });
        let place = variables.next().map(|(file, set)| Place { file, range: set.range })?;
        Some(Unknown { place, text: self.text(place).to_owned() })
    }

    /// What makes the SDK take another image for a name than the configuration that was found: images are looked up
    /// when they are built, after all else has run.
    pub(super) fn other_image(&self, file: FileId, name: &str) -> Option<Unknown> {
        let expected = self.settings.config.image_refs.get(name);
        let init = self
            .inits_before(Moment { file, at: None })
            .find(|init| self.image_after(init, name).map_or(true, |image| image.as_ref() != expected));
        init.map(|init| self.named(init, &["images", "path_or_config"]))
    }

    /// What makes another `.dockerignore` count for an image than that of the working directory.
    pub(super) fn other_ignore_file(&self, file: FileId, image: &Image) -> Option<Unknown> {
        if !digest::depends_on_root(image) {
            return None;
        }
        let own = || digest::uri(image, self.disk).ok();
        let init = self.inits_before(Moment { file, at: None }).find(|init| match self.root_after(init) {
            Ok(None) => false,
            Ok(Some(root)) => digest::uri_below(image, self.disk, &root).ok() != own(),
            Err(NotKnown) => true,
        });
        init.map(|init| self.named(init, &["root_dir"]))
    }

    /// Notes what is only decided once all code has run: what a name stands for, and which `.dockerignore` counts.
    pub(super) fn note_what_comes_later(&self, file: FileId, built: &mut Built) {
        let image = match &built.image.base {
            Base::RefName(name) => self.other_image(file, name),
            Base::Reference(_) | Base::Dockerfile(_) => None,
        };
        let ignore_file = built.is_known().then(|| self.other_ignore_file(file, &built.image)).flatten();
        built.unknown.extend(image.into_iter().chain(ignore_file));
        let has_registry = built.image.registry.as_ref().is_some_and(|registry| !registry.is_empty());
        if built.is_known() && built.image.is_cloned && !has_registry {
            built.unknown.extend(self.other_push_registry(file));
        }
    }

    /// What makes a local build look in another registry for an image that names none.
    fn other_push_registry(&self, file: FileId) -> Option<Unknown> {
        let (expected, moment) = (self.settings.config.looked_for_in(), Moment { file, at: None });
        let init = self.inits_before(moment).find(|init| {
            let registry = self.push_registry_after(init);
            registry.map_or(true, |registry| registry.as_deref() != expected)
        });
        let shown = ["endpoint", "image_registry", "image_builder", "path_or_config"];
        init.map(|init| self.named(init, &shown)).or_else(|| self.set_variable(moment))
    }

    /// The registry in which images that name none are looked for once this has run.
    fn push_registry_after(&self, init: &Init) -> Result<Option<String>, NotKnown> {
        let mut config = match init.kind {
            Kind::Plain | Kind::FromApiKey => Config::default(),
            Kind::FromConfig => match self.config_of(init)? {
                Some(config) => config,
                None => self.settings.found_config.clone(),
            },
            Kind::InCluster | Kind::Passthrough => return Ok(None),
        };
        config.registry = self.registry_after(init)?;
        let said = self.said(init)?;
        let text = |name| match self.argument_of(init, &said, name)? {
            None => Ok(None),
            Some(Constant::Str(text)) => Ok(Some(text)),
            Some(_) => Err(NotKnown),
        };
        config.builder = text("image_builder")?.or(config.builder);
        // Where it is known, nothing else is asked.
        if config.registry.is_none() && config.builds_locally() && init.kind == Kind::Plain {
            config.endpoint = text("endpoint")?;
        }
        Ok(config.looked_for_in().map(str::to_owned))
    }

    fn inits_before(&self, moment: Moment) -> impl Iterator<Item = &'a Init> {
        let place = |init: &Init| (init.callee, init.is_deferred);
        let inits = self.changes.inits().iter();
        inits.filter(move |init| may_have_run(self.project, init.file, place(init), moment))
    }

    /// The registry that images have without one of their own once this has run.
    fn registry_after(&self, init: &Init) -> Result<Option<String>, NotKnown> {
        let given = match init.kind {
            Kind::Plain => {
                let said = self.said(init)?;
                match self.argument_of(init, &said, "image_registry")? {
                    None => None,
                    Some(Constant::Str(registry)) => Some(registry).filter(|registry| !registry.is_empty()),
                    Some(_) => return Err(NotKnown),
                }
            }
            Kind::FromConfig | Kind::InCluster => self.config_of(init)?.and_then(|config| config.registry),
            Kind::FromApiKey | Kind::Passthrough => None,
        };
        Ok(given.or_else(|| self.settings.found_config.registry.clone()))
    }

    /// The image that a name stands for once this has run.
    fn image_after(&self, init: &Init, name: &str) -> Result<Option<String>, NotKnown> {
        if !matches!(init.kind, Kind::InCluster | Kind::Passthrough) {
            match self.argument_of(init, &self.said(init)?, "images")? {
                None => {}
                Some(value) if !value.is_true() => {}
                Some(_) => return Err(NotKnown),
            }
        }
        let images = match init.kind {
            Kind::FromConfig | Kind::InCluster => match self.config_of(init)? {
                Some(config) => config.image_refs,
                None => self.settings.found_config.image_refs.clone(),
            },
            // Without a default there is one of the SDK's own; other names that stand for nothing fail.
            _ if name == "default" => BTreeMap::new(),
            _ => self.settings.config.image_refs.clone(),
        };
        Ok(images.get(name).cloned())
    }

    /// The folder that decides once this has run; `None` if that is the working directory.
    fn root_after(&self, init: &Init) -> Result<Option<PathBuf>, NotKnown> {
        if matches!(init.kind, Kind::InCluster | Kind::Passthrough) {
            return Ok(None);
        }
        let root = match self.argument_of(init, &self.said(init)?, "root_dir")? {
            None => return Ok(None),
            Some(Constant::Str(root) | Constant::Path(root)) => root,
            Some(_) => return Err(NotKnown),
        };
        let is_moved = !root.starts_with('/') && self.changes.moves();
        let root = PathBuf::from(path::join(&self.disk.cwd().to_string_lossy(), &root));
        if is_moved { Err(NotKnown) } else { Ok(Some(root).filter(|root| root != self.disk.cwd())) }
    }

    /// The configuration that a call reads; `None` if it is the one that is found.
    fn config_of(&self, init: &Init) -> Result<Option<Config>, NotKnown> {
        let file = if init.kind == Kind::InCluster {
            let variable = |name: &&str| self.settings.environment.get(*name).filter(|path| !path.is_empty());
            let Some(file) = ["UCTL_CONFIG", "FLYTECTL_CONFIG"].iter().find_map(variable) else {
                return Ok(None);
            };
            file.clone()
        } else {
            let said = self.said(init)?;
            match self.argument_of(init, &said, "path_or_config")? {
                None => return Ok(None),
                Some(Constant::Str(file) | Constant::Path(file)) => match self.root_after(init)? {
                    Some(root) => path::join(&root.to_string_lossy(), &file),
                    None => file,
                },
                Some(_) => return Err(NotKnown),
            }
        };
        if file.starts_with('~') {
            return Err(NotKnown);
        }
        if !file.starts_with('/') && self.changes.moves() {
            return Err(NotKnown);
        }
        let text = self.disk.read_text(Path::new(&file)).map_err(|_| NotKnown)?;
        let variable = |name: &str| self.settings.environment.get(name).cloned();
        let config = Config::read(&text).map_err(|_| NotKnown)?.with_variables(&variable);
        if config.has_odd_registry { Err(NotKnown) } else { Ok(Some(config)) }
    }

    /// What a parameter is given; `None` if that is nothing.
    fn argument_of(
        &self,
        init: &Init,
        said: &FoundCall<'a>,
        name: &'static str,
    ) -> Result<Option<Constant>, NotKnown> {
        let scope = Scope { file: init.file, frames: &said.frames };
        match argument(self, scope, said.call, init.kind.parameter(name)) {
            Argument::Missing | Argument::Given { value: Ok(Constant::None), .. } => Ok(None),
            Argument::Given { value: Ok(value), .. } => Ok(Some(value)),
            Argument::Given { value: Err(_), .. } | Argument::Hidden(_) => Err(NotKnown),
        }
    }

    /// The call, if the function is not handed on to be called elsewhere.
    fn said(&self, init: &Init) -> Result<FoundCall<'a>, NotKnown> {
        call_at(self, Place { file: init.file, range: init.callee }).ok_or(NotKnown)
    }

    /// How a call is named that stands in the way: with the arguments that matter.
    fn named(&self, init: &Init, parameters: &[&'static str]) -> Unknown {
        let place = Place { file: init.file, range: init.callee };
        let callee = self.text(place);
        let Ok(said) = self.said(init) else { return Unknown { place, text: callee.to_owned() } };
        let scope = Scope { file: init.file, frames: &said.frames };
        let shown = parameters.iter().filter_map(|name| {
            let (place, is_keyword) = match argument(self, scope, said.call, init.kind.parameter(name)) {
                Argument::Missing => return None,
                Argument::Hidden(place) => (place, false),
                Argument::Given { place, .. } => (place, said.call.arguments.find_keyword(name).is_some()),
            };
            let value = self.text(place);
            Some(if is_keyword { format!("{name}={value}") } else { value.to_owned() })
        });
        Unknown { place, text: format!("{callee}({})", shown.collect::<Vec<_>>().join(", ")) }
    }

    /// Whether code reads variables out of files that name none of those that the registry depends on: `load_dotenv()`
    /// looks for `.env` from its own folder upwards.
    fn is_harmless_file(&self, file: FileId, range: TextRange) -> bool {
        let text = self.text(Place { file, range });
        let is_plain = text.ends_with("load_dotenv()") || text.contains("load_dotenv(override=");
        let folder = self.project.source(file).and_then(|source| source.path.parent());
        let Some(folder) = folder.filter(|_| is_plain) else { return false };
        let mut files = folder.ancestors().chain(self.disk.cwd().ancestors()).map(|it| it.join(".env"));
        files.all(|file| {
            let text = self.disk.read_text(&file);
            text.map_or(!self.disk.exists(&file), |text| !VARIABLES.iter().any(|name| text.contains(name)))
        })
    }
}
