//! The mapping: what each parameter of Flyte 1 becomes on Flyte 2.
//!
//! One file per parameter. A rule reads the spanned model, adds to a draft, and says what it found; it never edits
//! text and never prints.

pub mod body;
pub mod codes;
pub mod draft;
pub mod image_spec;
pub mod pages;
pub mod tables;

pub mod actor;
pub mod container_task;

mod accelerator;
mod apt_packages;
mod base_image;
pub mod builder;
mod commands;
mod conda;
mod copy;
mod documentation;
mod dropped;
mod env;
mod flyte1_places;
mod flyte_requirements;
mod invalid;
mod methods;
mod name;
mod none;
mod packages;
mod pip_index;
mod pip_secret_mounts;
mod platform;
mod plugin;
mod pod_template;
mod python_exec;
mod python_version;
mod registry_config;
mod requirements;
mod resolution;
mod schedule;
pub(crate) mod secrets;
mod unread;

pub mod advice;
pub mod cache;
pub mod launch_plan;
pub mod resources;
pub mod setting;
pub mod task;
pub mod workflow;

pub use base_image::{flytekit_image_python as base_image_python, is_flytekit_image};
pub use methods::{is_image_copy, is_image_method, receiver};
pub use packages::READ_VERSION;

use crate::diagnostic::Rule;
use crate::source::TextRange;

/// What a finding means for the conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It informs.
    Info,
    /// The conversion may change results, image content or set-up.
    Unsafe,
    /// There is no conversion.
    Blocking,
}

/// Something that the mapping has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub rule: &'static Rule,
    /// Where.
    pub range: TextRange,
    /// What it means for the conversion.
    pub effect: Effect,
    /// What was found.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Finding {
    /// A finding without advice.
    pub fn new(rule: &'static Rule, range: TextRange, effect: Effect, message: impl Into<String>) -> Self {
        Self { rule, range, effect, message: message.into(), help: None }
    }

    /// The same with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
