//! `pip_secret_mounts=[("netrc", "/root/.netrc")]` becomes `secret_mounts=[Secret(…)]` on every layer that installs.
//!
//! flytekit mounted files of the machine that builds. flyte mounts secrets by name, and as a file at one place only.
//!
//! # FM114
//!
//! ## What it does
//!
//! Mounts a secret with a name, made from that of the file, on every layer that installs Python packages.
//!
//! ## Why
//!
//! Flyte 1 mounted a file of the machine that builds. Flyte 2 mounts secrets by name, as files at
//! `/etc/flyte/secrets` only. The finding prints the command that creates the secret, and says where a local
//! build looks for it.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(packages=["acme"], pip_secret_mounts=[("/home/me/.netrc", "/root/.netrc")])
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
//! from pathlib import Path
//!
//! from flyte import Image, Secret, TaskEnvironment
//!
//! image = Image.from_debian_base().with_pip_packages(
//!     "acme", secret_mounts=[Secret(key="netrc", mount=Path("/etc/flyte/secrets"))]
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
//! Unsafe. The secret must exist, and the place of the file is another.
//!
//! ## Not handled
//!
//! Several files, which would all lie at the one place.
//!
//! ## References
//!
//! [Secrets](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/secrets/)

use super::codes::PIP_SECRET_MOUNTS;
use super::draft::{Draft, ImageContext, Parameter};
use super::{Effect, Finding};
use crate::flyte2::chain::Argument;
use crate::python::value::Value;
use crate::source::TextRange;

/// The one place where flyte 2.12.1 mounts a secret as a file (`flyte/_secret.py`).
const MOUNT: &str = "/etc/flyte/secrets";

/// Maps `pip_secret_mounts`.
pub(super) fn map(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>) {
    let value = cx.literal(parameter.value);
    let range = parameter.value.range;
    let mounts: Option<Vec<(&str, &str)>> =
        value.elements().and_then(|elements| elements.iter().map(mount).collect());
    match mounts.as_deref() {
        Some([(source, target)]) => {
            let key = secret_key(source);
            draft.find(unsafe_finding(range, source, target, &key));
            let secret = format!(
                "{}(key={}, mount={}({}))",
                cx.secret_name,
                cx.style.string(&key),
                cx.path_name,
                cx.style.string(MOUNT)
            );
            draft.orphan(parameter);
            draft.option(Argument::new(format!("secret_mounts=[{secret}]")));
            draft.uses_secret = true;
        }
        Some(_) => draft.find(
            Finding::new(
                &PIP_SECRET_MOUNTS,
                range,
                Effect::Blocking,
                "`pip_secret_mounts` has several files; Flyte 2 mounts secrets as files at one place only",
            )
            .help("Put the credentials into one file, such as a netrc"),
        ),
        None => draft.find(
            Finding::new(&PIP_SECRET_MOUNTS, range, Effect::Blocking, "`pip_secret_mounts` cannot be read")
                .help("Write it as a list of pairs of strings: the file, and where it is mounted"),
        ),
    }
}

fn mount(pair: &Value) -> Option<(&str, &str)> {
    match pair.elements()? {
        [source, target] => Some((source.as_str()?, target.as_str()?)),
        _ => None,
    }
}

/// The name of the secret: that of the file. The local builder reads it from a variable of this name in capitals.
fn secret_key(source: &str) -> String {
    let file = source.rsplit('/').next().unwrap_or(source);
    let name: String =
        file.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    let name = name.trim_matches('_');
    match name.chars().next() {
        None => "pip_secret".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("secret_{name}"),
        Some(_) => name.to_owned(),
    }
}

fn unsafe_finding(range: TextRange, source: &str, target: &str, key: &str) -> Finding {
    let message = format!(
        "`{source}` becomes the secret `{key}`, which must exist, and is mounted at `{MOUNT}`, not at `{target}`"
    );
    let variable = key.to_ascii_uppercase();
    Finding::new(&PIP_SECRET_MOUNTS, range, Effect::Unsafe, message).help(format!(
        "Create it for remote builds with `flyte create secret {key} --from-file {source}`, give it to local builds \
         in the variable `{variable}` or the file `/etc/secrets/{key}`, and tell uv where it is, as with `NETRC={MOUNT}`"
    ))
}

#[cfg(test)]
mod tests {
    use super::secret_key;

    #[test]
    fn the_key_is_a_name_that_a_variable_can_have() {
        assert_eq!(secret_key("/home/u/.netrc"), "netrc");
        assert_eq!(secret_key("pip.conf"), "pip_conf");
        assert_eq!(secret_key("2024-token"), "secret_2024_token");
        assert_eq!(secret_key("..."), "pip_secret");
    }
}
