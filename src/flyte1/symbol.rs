//! Names of flytekit and union, whatever path they are imported by.
//!
//! ```python
//! from flytekit.image_spec.image_spec import ImageSpec   # Symbol::ImageSpec, as is union.ImageSpec
//! ```
//!
//! The paths are those of flytekit 1.16.31 and union's re-exports.

/// Something of Flyte 1.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Symbol {
    /// `flytekit.ImageSpec`
    ImageSpec,
    /// `@task`
    Task,
    /// `@dynamic`
    Dynamic,
    /// `@workflow`
    Workflow,
    /// `flytekit.Resources`
    Resources,
    /// `flytekit.Cache`
    Cache,
    /// Anything else, by its dotted path.
    Other(String),
}

impl Symbol {
    /// How people call it: the last part of its path.
    pub fn name(&self) -> &str {
        match self {
            Self::ImageSpec => "ImageSpec",
            Self::Task => "task",
            Self::Dynamic => "dynamic",
            Self::Workflow => "workflow",
            Self::Resources => "Resources",
            Self::Cache => "Cache",
            Self::Other(path) => path,
        }
    }

    /// Whether code that uses it does the same in a Flyte 2 task, as long as flytekit is installed: its logger.
    pub fn is_harmless(&self) -> bool {
        let Self::Other(path) = self else { return false };
        ["flytekit.logger", "flytekit.loggers", "flytekit.__version__"].iter().any(|harmless| {
            path.strip_prefix(harmless).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// Whether it is one of the decorators that make an entity.
    pub fn is_entity_decorator(&self) -> bool {
        matches!(self, Self::Task | Self::Dynamic | Self::Workflow)
    }
}

/// Whether a module of this name belongs to Flyte 1.
pub fn is_flyte1_root(root: &str) -> bool {
    matches!(root, "flytekit" | "flytekitplugins" | "union" | "unionai")
}

/// The symbol of a dotted path; `None` if it is not Flyte 1's.
pub fn symbol(path: &str) -> Option<Symbol> {
    let root = path.split('.').next().unwrap_or_default();
    if !is_flyte1_root(root) {
        return None;
    }
    let (module, name) = path.rsplit_once('.').unwrap_or(("", path));
    let symbol = match (module, name) {
        (
            "flytekit" | "union" | "unionai" | "flytekit.image_spec" | "flytekit.image_spec.image_spec",
            "ImageSpec",
        ) => Symbol::ImageSpec,
        ("flytekit" | "union" | "unionai" | "flytekit.core.task", "task") => Symbol::Task,
        ("flytekit" | "union" | "unionai" | "flytekit.core.dynamic_workflow_task", "dynamic") => {
            Symbol::Dynamic
        }
        ("flytekit" | "union" | "unionai" | "flytekit.core.workflow", "workflow") => Symbol::Workflow,
        ("flytekit" | "union" | "unionai" | "flytekit.core.resources", "Resources") => Symbol::Resources,
        ("flytekit" | "union" | "unionai" | "flytekit.core.cache", "Cache") => Symbol::Cache,
        _ => Symbol::Other(path.to_owned()),
    };
    Some(symbol)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_of_image_spec_is_the_same_symbol() {
        for path in [
            "flytekit.ImageSpec",
            "flytekit.image_spec.ImageSpec",
            "flytekit.image_spec.image_spec.ImageSpec",
            "union.ImageSpec",
            "unionai.ImageSpec",
        ] {
            assert_eq!(symbol(path), Some(Symbol::ImageSpec), "{path}");
        }
    }

    #[test]
    fn other_libraries_have_no_symbol() {
        assert_eq!(symbol("mylib.ImageSpec"), None);
        assert_eq!(symbol("flytekit_extras.task"), None);
    }

    #[test]
    fn an_unknown_name_keeps_its_path() {
        assert_eq!(symbol("flytekit.map_task"), Some(Symbol::Other("flytekit.map_task".to_owned())));
    }
}
