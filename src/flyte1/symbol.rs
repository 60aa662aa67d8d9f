//! Names of flytekit and union, whatever path they are imported by.
//!
//! ```python
//! from flytekit.image_spec.image_spec import ImageSpec   # Symbol::ImageSpec, as is union.ImageSpec
//! ```
//!
//! The paths are those of flytekit 1.16.31, those of earlier versions that are gone by then, and union's re-exports.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

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
    /// `@eager`
    Eager,
    /// `flytekit.Resources`
    Resources,
    /// `flytekit.Cache`
    Cache,
    /// `flytekit.Secret`
    Secret,
    /// `flytekit.PodTemplate`
    PodTemplate,
    /// `flytekit.Documentation`
    Documentation,
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
            Self::Eager => "eager",
            Self::Resources => "Resources",
            Self::Cache => "Cache",
            Self::Secret => "Secret",
            Self::PodTemplate => "PodTemplate",
            Self::Documentation => "Documentation",
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
        matches!(self, Self::Task | Self::Dynamic | Self::Workflow | Self::Eager)
    }

    /// The decorator of this name in `flytekit` that makes an entity.
    pub fn entity_decorator(name: &str) -> Option<Self> {
        let symbols = [Self::Task, Self::Dynamic, Self::Workflow, Self::Eager];
        symbols.into_iter().find(|symbol| symbol.name() == name)
    }
}

/// Whether a module of this name belongs to Flyte 1.
pub fn is_flyte1_root(root: &str) -> bool {
    matches!(root, "flytekit" | "flytekitplugins" | "union" | "unionai")
}

/// A module, that under which its names are known here, and the names.
type Home = (&'static str, &'static str, &'static [&'static str]);

/// The modules that hold a name which is known here by another: usually that which people take from `flytekit` itself.
/// The rows from `flytekit.core.map_task` to `FlyteSchema` are of versions before 1.16.
static HOMES: [Home; 43] = [
    ("flytekit.image_spec", FLYTEKIT, &["ImageSpec"]),
    ("flytekit.image_spec.image_spec", FLYTEKIT, &["ImageSpec"]),
    ("flytekit.core.task", FLYTEKIT, &["task", "eager", "reference_task", "Secret"]),
    ("flytekit.core.dynamic_workflow_task", FLYTEKIT, &["dynamic"]),
    ("flytekit.core.workflow", FLYTEKIT, &["workflow", "reference_workflow", "WorkflowFailurePolicy"]),
    ("flytekit.core.resources", FLYTEKIT, &["Resources"]),
    ("flytekit.core.cache", FLYTEKIT, &["Cache", "CachePolicy", "VersionParameters"]),
    ("flytekit.core.pod_template", FLYTEKIT, &["PodTemplate"]),
    ("flytekit.core.launch_plan", FLYTEKIT, &["LaunchPlan", "reference_launch_plan"]),
    ("flytekit.core.node_creation", FLYTEKIT, &["create_node"]),
    ("flytekit.core.condition", FLYTEKIT, &["conditional"]),
    ("flytekit.core.array_node_map_task", FLYTEKIT, &["map_task"]),
    ("flytekit.core.schedule", FLYTEKIT, &["CronSchedule", "FixedRate", "OnSchedule"]),
    ("flytekit.core.gate", FLYTEKIT, &["approve", "sleep", "wait_for_input"]),
    ("flytekit.core.notification", FLYTEKIT, &["Email", "PagerDuty", "Slack"]),
    ("flytekit.core.container_task", FLYTEKIT, &["ContainerTask"]),
    ("flytekit.core.base_task", FLYTEKIT, &["kwtypes", "TaskMetadata"]),
    ("flytekit.core.base_sql_task", FLYTEKIT, &["SQLTask"]),
    ("flytekit.core.hash", FLYTEKIT, &["HashMethod"]),
    ("flytekit.core.reference", FLYTEKIT, &["get_reference_entity"]),
    ("flytekit.core.context_manager", FLYTEKIT, &["FlyteContext", "FlyteContextManager"]),
    ("flytekit.core.artifact", FLYTEKIT, &["Artifact"]),
    ("flytekit.core.options", FLYTEKIT, &["Options"]),
    ("flytekit.deck", FLYTEKIT, &["Deck"]),
    ("flytekit.deck.deck", FLYTEKIT, &["Deck", "DeckField"]),
    ("flytekit.models.common", FLYTEKIT, &["Annotations", "AuthRole", "Labels"]),
    ("flytekit.models.documentation", FLYTEKIT, &["Description", "Documentation", "SourceCode"]),
    ("flytekit.models.security", FLYTEKIT, &["Secret"]),
    ("flytekit.models.core.execution", FLYTEKIT, &["WorkflowExecutionPhase"]),
    ("flytekit.remote", FLYTEKIT, &["FlyteRemote"]),
    ("flytekit.remote.remote", FLYTEKIT, &["FlyteRemote"]),
    ("flytekit.core.map_task", FLYTEKIT, &["map_task"]),
    ("flytekit.experimental", FLYTEKIT, &["eager", "map_task"]),
    ("flytekit.experimental.eager_function", FLYTEKIT, &["eager"]),
    ("flytekit.types.schema.types", "flytekit.types.schema", &["FlyteSchema"]),
    (FLYTEKIT, "flytekit.types.file", &["FlyteFile"]),
    (FLYTEKIT, "flytekit.types.directory", &["FlyteDirectory"]),
    (FLYTEKIT, "flytekit.types.structured", &["StructuredDataset"]),
    ("flytekit.file", "flytekit.types.file", &["FlyteFile"]),
    ("flytekit.types.file.file", "flytekit.types.file", &["FlyteFile"]),
    ("flytekit.directory", "flytekit.types.directory", &["FlyteDirectory"]),
    ("flytekit.types.directory.types", "flytekit.types.directory", &["FlyteDirectory"]),
    ("flytekit.types.structured.structured_dataset", "flytekit.types.structured", &["StructuredDataset"]),
];

const FLYTEKIT: &str = "flytekit";

/// What `union` re-exports of flytekit.
const OF_UNION: [&str; 18] = [
    "Cache",
    "CachePolicy",
    "ContainerTask",
    "Deck",
    "FlyteDirectory",
    "FlyteFile",
    "ImageSpec",
    "LaunchPlan",
    "PodTemplate",
    "Resources",
    "Secret",
    "StructuredDataset",
    "VersionParameters",
    "current_context",
    "dynamic",
    "map_task",
    "task",
    "workflow",
];

/// The symbol of a dotted path; `None` if it is not Flyte 1's.
pub fn symbol(path: &str) -> Option<Symbol> {
    if !is_flyte1_root(path.split('.').next().unwrap_or_default()) {
        return None;
    }
    let path = canonical(path);
    let symbol = match path.as_str() {
        // `from_env` takes the same keywords, and the Python that registers, which is the default.
        "flytekit.ImageSpec" | "flytekit.ImageSpec.from_env" => Symbol::ImageSpec,
        "flytekit.task" => Symbol::Task,
        "flytekit.dynamic" => Symbol::Dynamic,
        "flytekit.workflow" => Symbol::Workflow,
        "flytekit.eager" => Symbol::Eager,
        "flytekit.Resources" => Symbol::Resources,
        "flytekit.Cache" => Symbol::Cache,
        "flytekit.Secret" => Symbol::Secret,
        "flytekit.PodTemplate" => Symbol::PodTemplate,
        "flytekit.Documentation" => Symbol::Documentation,
        _ => Symbol::Other(path),
    };
    Some(symbol)
}

/// The one path by which something is known here, whatever path it is imported by: `flytekit.LaunchPlan.create` for
/// `flytekit.core.launch_plan.LaunchPlan.create` and `union.LaunchPlan.create`.
fn canonical(path: &str) -> String {
    let (root, rest) = path.split_once('.').unwrap_or((path, ""));
    let first = rest.split('.').next().unwrap_or_default();
    let path = if matches!(root, "union" | "unionai") && OF_UNION.contains(&first) {
        format!("{FLYTEKIT}.{rest}")
    } else {
        path.to_owned()
    };
    match home(&path) {
        Some((module, rest)) => format!("{module}.{rest}"),
        None => path,
    }
}

/// The module under which the names of [`HOMES`] are known, and what stands behind it in `path`.
fn home(path: &str) -> Option<(&'static str, &str)> {
    let mut dots = path.match_indices('.').map(|(dot, _)| dot);
    dots.find_map(|dot| {
        let mut homes = BY_MODULE.get(&path[..dot])?.iter();
        homes.find_map(|(module, known, names)| Some((*known, taken_from(path, module, names)?)))
    })
}

/// [`HOMES`] by module.
static BY_MODULE: LazyLock<FxHashMap<&str, Vec<&Home>>> = LazyLock::new(|| {
    let mut by_module: FxHashMap<&str, Vec<&Home>> = FxHashMap::default();
    for home in &HOMES {
        by_module.entry(home.0).or_default().push(home);
    }
    by_module
});

/// What stands behind `module` in `path`, if that begins with one of `names`.
fn taken_from<'p>(path: &'p str, module: &str, names: &[&str]) -> Option<&'p str> {
    let rest = path.strip_prefix(module)?.strip_prefix('.')?;
    names.contains(&rest.split('.').next().unwrap_or_default()).then_some(rest)
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
    fn a_name_is_one_symbol_by_whatever_path_it_is_imported() {
        for (path, known) in [
            ("flytekit.core.launch_plan.LaunchPlan.create", "flytekit.LaunchPlan.create"),
            ("union.LaunchPlan", "flytekit.LaunchPlan"),
            ("flytekit.FlyteFile", "flytekit.types.file.FlyteFile"),
            ("flytekit.types.file.file.FlyteFile.new", "flytekit.types.file.FlyteFile.new"),
            ("flytekit.directory.FlyteDirectory", "flytekit.types.directory.FlyteDirectory"),
            ("flytekit.types.directory.types.FlyteDirectory", "flytekit.types.directory.FlyteDirectory"),
            (
                "flytekit.types.structured.structured_dataset.StructuredDataset",
                "flytekit.types.structured.StructuredDataset",
            ),
            ("union.StructuredDataset", "flytekit.types.structured.StructuredDataset"),
            ("flytekit.experimental.map_task", "flytekit.map_task"),
            ("flytekit.core.map_task.map_task", "flytekit.map_task"),
            ("flytekit.models.security.Secret.MountType", "flytekit.Secret.MountType"),
            ("union.actor.ActorEnvironment", "union.actor.ActorEnvironment"),
            ("flytekit.core.workflow.WorkflowBase", "flytekit.core.workflow.WorkflowBase"),
        ] {
            assert_eq!(symbol(path), Some(Symbol::Other(known.to_owned())), "{path}");
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
