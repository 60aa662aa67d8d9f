//! union's `ActorEnvironment` becomes a `TaskEnvironment` whose containers are reused.
//!
//! ```python
//! actor = ActorEnvironment(name="a.b", container_image=image, replica_count=2)
//! actor = TaskEnvironment(
//!     name="a_b", image=image, reusable=ReusePolicy(replicas=2, idle_ttl=90, scaledown_ttl=90)
//! )
//! ```
//!
//! The defaults of Flyte 1 are written out, because those of Flyte 2 differ.
//!
//! # FM225
//!
//! ## What it does
//!
//! Turns an `ActorEnvironment` into a `TaskEnvironment` with a `ReusePolicy`. `replica_count` becomes `replicas`, `ttl_seconds`
//! becomes `idle_ttl` and `scaledown_ttl`. The tasks of the actor stay its tasks.
//!
//! ## Why
//!
//! Reused containers are a setting of any environment on Flyte 2. The image must hold `unionai-reuse`, which starts the tasks;
//! it is added to images that are migrated.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec
//! from union.actor import ActorEnvironment
//!
//! image = ImageSpec(name="actor", packages=["pandas"])
//!
//! actor = ActorEnvironment(name="actor", container_image=image, replica_count=2, ttl_seconds=120)
//!
//!
//! @actor.task
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_debian_base(name="actor").with_pip_packages(
//!     "pandas", "unionai-reuse"
//! )
//!
//! actor = flyte.TaskEnvironment(
//!     name="actor",
//!     image=image,
//!     reusable=flyte.ReusePolicy(replicas=2, idle_ttl=120, scaledown_ttl=120),
//! )
//!
//!
//! @actor.task
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! Unsafe. The image changes, and only Union's backend reuses containers.
//!
//! ## Not handled
//!
//! An image that is given as a string cannot get the package: add `unionai-reuse` to it yourself.
//!
//! ## References
//!
//! `ReusePolicy` in `flyte/_reusable_environment.py` of flyte 2.12.1.

use super::codes::ACTOR;
use super::setting::SettingContext;
use super::task::{self, MappedTask};
use super::{Effect, Finding};
use crate::flyte2::chain::{Argument, Call};
use crate::python::scope::CallId;
use crate::python::value::ValueKind;

/// The package that Flyte 2 needs in an image whose containers are reused.
pub const REUSE_PACKAGE: &str = "unionai-reuse";

/// For how many seconds union keeps an idle actor, if it is not told.
const USUAL_SECONDS: &str = "90";

/// A mapped actor, or another call that makes tasks.
#[derive(Debug, Default)]
pub struct MappedMaker {
    /// The settings that it shares with tasks; the arguments are those of the environment.
    pub settings: MappedTask,
    /// Its name, where it can be read.
    pub name: Option<String>,
    /// `reusable=` of the environment of an actor.
    pub reusable: Option<Call>,
}

/// Maps the call of `ActorEnvironment`; `reuse_name` is how `flyte.ReusePolicy` is written.
pub fn map(cx: &SettingContext<'_>, id: CallId, reuse_name: &str) -> MappedMaker {
    let call = &cx.module.calls[id];
    let mut settings = task::map_settings(cx, id, &["name", "replica_count", "ttl_seconds"]);
    let mut replicas = "1";
    let mut seconds = USUAL_SECONDS;
    for (argument, item) in call.arguments.iter().zip(&call.items.items) {
        let place = match argument.name.as_deref() {
            Some("replica_count") => &mut replicas,
            Some("ttl_seconds") => &mut seconds,
            _ => continue,
        };
        settings.dangling.extend(item.leading.iter().chain(&item.trailing).cloned());
        if argument.value.kind != ValueKind::None {
            *place = &item.value_text;
        }
    }
    settings.effects.findings.push(
        Finding::new(
            &ACTOR,
            call.callee,
            Effect::Unsafe,
            format!("the image of an environment with reused containers must hold `{REUSE_PACKAGE}`"),
        )
        .help("It is added to images that are migrated; each replica runs one task at a time, as before"),
    );
    let arguments =
        [format!("replicas={replicas}"), format!("idle_ttl={seconds}"), format!("scaledown_ttl={seconds}")];
    let reusable = Call {
        callee: reuse_name.to_owned(),
        arguments: arguments.into_iter().map(Argument::new).collect(),
        ..Call::default()
    };
    let name = call.keyword("name").and_then(|name| match &name.value.kind {
        ValueKind::Name(constant) => (cx.constant)(constant)?.as_str().map(str::to_owned),
        _ => name.value.as_str().map(str::to_owned),
    });
    MappedMaker { settings, name, reusable: Some(reusable) }
}
