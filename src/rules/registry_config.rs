//! `registry_config` becomes `registry_secret`: the credentials are a secret of the cluster.
//!
//! # FM119
//!
//! ## What it does
//!
//! Names an image pull secret in place of the file with the credentials. Its name is made from the host of the
//! registry, or given with `--registry-secret`.
//!
//! ## Why
//!
//! The credentials are a secret of the cluster on Flyte 2. The finding prints the command that creates it from
//! the file.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(registry="private.example.com/acme", registry_config="/etc/docker/config.json")
//!
//!
//! @task(container_image=image)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import Image, TaskEnvironment
//!
//! image = Image.from_debian_base(
//!     registry="private.example.com/acme", registry_secret="private-example-com"
//! )
//!
//! env = TaskEnvironment(name="example", image=image)
//!
//!
//! @env.task
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! Unsafe. The secret must exist.
//!
//! ## Not handled
//!
//! A spec with neither registry nor name: flyte would leave the secret out.
//!
//! ## References
//!
//! [Secrets](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/secrets/)

use super::codes::REGISTRY_CONFIG;
use super::draft::{Draft, ImageContext, Parameter};
use super::{Effect, Finding};

/// Maps `registry_config`.
pub(super) fn map(
    cx: &ImageContext<'_>,
    draft: &mut Draft,
    parameter: Parameter<'_>,
    registry: Option<Parameter<'_>>,
    name: Option<Parameter<'_>>,
) {
    if registry.is_none() && name.is_none() {
        draft.find(
            Finding::new(
                &REGISTRY_CONFIG,
                parameter.item.range,
                Effect::Blocking,
                "`registry_config` needs a `registry` or a `name`: flyte leaves the secret out without either",
            )
            .help("Name the registry"),
        );
        return;
    }
    let registry = registry.and_then(|registry| cx.literal(registry.value).as_str().map(str::to_owned));
    let host = registry.as_deref().and_then(|registry| registry.split('/').next()).unwrap_or("registry");
    let of_host = || {
        host.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
    };
    let name: String = cx.registry_secret.map_or_else(of_host, str::to_owned);
    let path = cx.literal(parameter.value).as_str().map_or_else(|| "PATH".to_owned(), str::to_owned);
    draft.find(
        Finding::new(
            &REGISTRY_CONFIG,
            parameter.item.range,
            Effect::Unsafe,
            format!("`registry_config` becomes the image pull secret `{name}`, which must exist on the cluster"),
        )
        .help(format!(
            "Create it: `flyte create secret --type image_pull {name} --from-docker-config --docker-config-path {path}`"
        )),
    );
    draft.constructor.push(parameter.argument(format!("registry_secret={}", cx.style.string(&name))));
}
