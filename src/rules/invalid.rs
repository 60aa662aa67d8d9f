//! What `ImageSpec` itself refuses: keywords that it does not have, and values of another shape than it takes.
//!
//! flytekit checks most shapes when the spec is made, and the rest when it is built
//! (`flytekit/image_spec/image_spec.py` and `default_builder.py`, 1.16.31).
//!
//! # FM122
//!
//! ## What it does
//!
//! Reports what `ImageSpec` itself refuses: a keyword that it does not have, a value of another shape than it
//! takes, a registry with a space or a scheme, commands that cannot be joined with ` && `; and keywords that cannot
//! be read, such as `**options`.
//!
//! ## Why
//!
//! The code did not work before. To guess what was meant would hide it.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(packages="pandas")
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
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(packages=["pandas"])
//!
//!
//! @task(container_image=image)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! What else only the builder of Flyte 1 refuses.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)

use super::codes::INVALID_CALL;
use super::draft::{Draft, ImageContext, Parameter};
use super::image_spec::FIELDS;
use super::{Effect, Finding};
use crate::python::value::{Value, ValueKind};
use crate::source::TextRange;

/// The shape that a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Strings,
    Paths,
    Text,
    Dict,
    Pairs,
}

impl Shape {
    fn of(parameter: &str) -> Option<Self> {
        match parameter {
            "packages"
            | "conda_channels"
            | "conda_packages"
            | "apt_packages"
            | "pip_extra_index_url"
            | "entrypoint"
            | "commands"
            | "runtime_packages" => Some(Self::Strings),
            // Not checked by flytekit, which walks over it: a string would be copied letter by letter.
            "copy" => Some(Self::Paths),
            "name" | "registry" | "requirements" | "platform" | "pip_index" | "pip_extra_args"
            | "registry_config" | "tag_format" | "python_exec" => Some(Self::Text),
            "env" | "builder_options" | "builder_config" => Some(Self::Dict),
            "pip_secret_mounts" => Some(Self::Pairs),
            _ => None,
        }
    }

    fn wanted(self) -> &'static str {
        match self {
            Self::Strings | Self::Paths => "a list of strings",
            Self::Text => "a string",
            Self::Dict => "a dict",
            Self::Pairs => "a list of tuples of two strings",
        }
    }

    fn help(self) -> &'static str {
        match self {
            Self::Strings | Self::Paths => "Write it as a list: `[\"first\", \"second\"]`",
            Self::Text => "Write it as a string",
            Self::Dict => "Write it as `{\"KEY\": \"value\"}`",
            Self::Pairs => "Write it as `[(\"netrc\", \"/root/.netrc\")]`",
        }
    }

    /// Whether a value may have this shape. What is no literal may have any.
    fn admits(self, value: &Value) -> bool {
        match (self, &value.kind) {
            (
                _,
                ValueKind::Opaque
                | ValueKind::Name(_)
                | ValueKind::Call
                | ValueKind::Concat(..)
                | ValueKind::Conditional(..)
                | ValueKind::Subscript(_),
            ) => true,
            (Self::Text, kind) => matches!(kind, ValueKind::Str(_) | ValueKind::FString(..)),
            (Self::Strings | Self::Paths, ValueKind::List(elements))
            | (Self::Paths, ValueKind::Tuple(elements)) => {
                elements.iter().all(|e| Self::Text.admits_element(e))
            }
            (Self::Pairs, ValueKind::List(elements)) => elements.iter().all(is_pair),
            (Self::Dict, kind) => matches!(kind, ValueKind::Dict(_)),
            (Self::Strings | Self::Paths | Self::Pairs, _) => false,
        }
    }

    /// The same for an element of a list, which may be `*others`.
    fn admits_element(self, element: &Value) -> bool {
        matches!(element.kind, ValueKind::Starred(_)) || self.admits(element)
    }
}

fn is_pair(element: &Value) -> bool {
    match &element.kind {
        ValueKind::Tuple(parts) => parts.len() == 2 && parts.iter().all(|part| Shape::Text.admits(part)),
        ValueKind::List(_) => false,
        _ => matches!(element.kind, ValueKind::Starred(_)) || Shape::Text.admits(element) != is_text(element),
    }
}

/// `{"a", "b"}`, also as a comprehension.
fn is_set(parameter: Parameter<'_>) -> bool {
    parameter.value.kind == ValueKind::Opaque && parameter.item.value_text.starts_with('{')
}

fn is_text(element: &Value) -> bool {
    matches!(element.kind, ValueKind::Str(_) | ValueKind::FString(..))
}

/// Whether a parameter takes a list or a dict, which code may change in place.
pub(super) fn takes_container(parameter: &str) -> bool {
    Shape::of(parameter).is_some_and(|shape| shape != Shape::Text)
}

/// Says so if Flyte 1 refuses the parameter; nothing else is to be mapped then.
pub(super) fn is_refused(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>) -> bool {
    let name = parameter.name;
    let value = cx.literal(parameter.value);
    let finding = if !FIELDS.contains(&name) {
        unknown(name, parameter.item.range)
    } else if parameter.item.value_text.starts_with(['-', '~', '+']) {
        let text = &parameter.item.value_text;
        blocking(parameter.value.range, format!("`{name}={text}` is refused by Flyte 1 too"))
            .help("Remove the operator")
    } else if let Some(shape) =
        Shape::of(name).filter(|shape| !shape.admits(&value) || *shape == Shape::Strings && is_set(parameter))
    {
        let message = format!("`{name}` must be {}; Flyte 1 refuses anything else", shape.wanted());
        blocking(parameter.value.range, message).help(shape.help())
    } else if let Some(registry) = value.as_str().filter(|text| name == "registry" && !is_registry(text)) {
        let message = format!("`{registry}` is no registry that Flyte 1 takes");
        blocking(parameter.value.range, message).help("Write host and path alone, such as `ghcr.io/acme`")
    } else {
        return false;
    };
    draft.find(finding);
    true
}

fn blocking(range: TextRange, message: String) -> Finding {
    Finding::new(&INVALID_CALL, range, Effect::Blocking, message)
}

fn unknown(name: &str, range: TextRange) -> Finding {
    let help =
        nearest(name).map_or_else(|| "Remove it".to_owned(), |field| format!("Did you mean `{field}`?"));
    blocking(range, format!("`{name}` is no parameter of `ImageSpec`")).help(help)
}

/// A field that contains the name, or is contained in it.
fn nearest(name: &str) -> Option<&'static str> {
    FIELDS.into_iter().find(|field| name.contains(field) || field.contains(name))
}

/// What `validate_container_registry_name` lets through, which flytekit asks after it lower-cased the registry.
fn is_registry(registry: &str) -> bool {
    let mut parts = registry.split('/');
    let host = parts.next().unwrap_or_default();
    let (host, port) = host.rsplit_once(':').map_or((host, None), |(host, port)| (host, Some(port)));
    let is_of = |text: &str, also: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
    };
    let has_port =
        port.is_none_or(|port| (1..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit()));
    has_port
        && is_of(host, "._-")
        && parts
            .all(|part| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || "_.-".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::is_registry;

    #[test]
    fn registries_are_checked_as_flytekit_does() {
        for registry in ["ghcr.io/acme", "localhost:30000", "acme", "GHCR.io/A_b/c-d", "host:5000/x"] {
            assert!(is_registry(registry), "{registry}");
        }
        for registry in
            [" ghcr.io/acme", "ghcr.io/acme/", "https://ghcr.io/acme", "host:123456/x", "a b", "@x"]
        {
            assert!(!is_registry(registry), "{registry}");
        }
    }
}
