//! Plugins of Flyte 1 that are imported only for what they register, such as a type of data.
//!
//! ```python
//! import flytekitplugins.pandera  # noqa: F401
//! ```
//!
//! Plugins of Flyte 2 register themselves when they are installed, so that the import goes where there is such a one.

use crate::project::graph::NodeId;
use crate::project::plan::Plan;
use crate::project::{FileId, Project};
use crate::python::scope::{Alias, BindingId, ImportStatement};
use crate::rules::codes::MIXED_FILE;
use crate::rules::tables::{self, Plugin};
use crate::rules::{Effect, Finding};

/// A plugin that is imported and not read.
pub(super) struct PluginImport<'a> {
    /// Its module: `flytekitplugins.pandera`.
    module: &'a str,
    alias: &'a Alias,
}

impl<'a> PluginImport<'a> {
    /// The plugin that a name of an import statement brings, if nothing reads it.
    pub(super) fn of(
        project: &Project,
        file: FileId,
        import: &'a ImportStatement,
        alias: &'a Alias,
    ) -> Option<Self> {
        let module = import.from.as_ref().map_or(alias.name.as_str(), |(_, module)| module);
        let (_, plugin) = module.split_once("flytekitplugins.").filter(|(before, _)| before.is_empty())?;
        let end = plugin.find('.').unwrap_or(plugin.len());
        let module = &module[..module.len() - plugin.len() + end];
        let is_read = alias.binding.is_some_and(|binding| is_read(project, file, binding));
        (!is_read).then_some(Self { module, alias })
    }

    /// The package of Flyte 2 that registers the same.
    fn successor(&self) -> Option<&'static str> {
        match tables::plugin(&self.module.replace(['.', '_'], "-")) {
            Plugin::Successor(successor) => Some(successor),
            Plugin::None => None,
        }
    }

    /// Whether the import goes: Flyte 2 has a plugin for the same, and nothing in the file stays on Flyte 1.
    pub(super) fn goes(&self, project: &Project, plan: &Plan, file: FileId) -> bool {
        let stays = |node: NodeId| plan.graph.entity(node).is_some() && !plan.converts[node];
        let is_package = project.files[file].relative.ends_with("__init__.py");
        let is_always_there = self.alias.binding.is_some_and(|binding| {
            project.facts(file).is_some_and(|facts| facts.module.bindings[binding].is_unconditional)
        });
        self.successor().is_some() && is_always_there && !is_package && !plan.graph.nodes_in(file).any(stays)
    }

    /// Says what became of it.
    pub(super) fn finding(&self, is_removed: bool) -> Finding {
        let module = self.module;
        let (effect, help) = match (self.successor(), is_removed) {
            (Some(successor), true) => (
                Effect::Info,
                format!("See that `{successor}` is installed, which registers itself with Flyte 2"),
            ),
            (Some(successor), false) => (
                Effect::Blocking,
                format!("Install `{successor}`, which registers itself with Flyte 2, and remove the import"),
            ),
            (None, _) => {
                (Effect::Blocking, "Remove it if nothing needs it, or keep what does on Flyte 1".to_owned())
            }
        };
        let message =
            format!("`{module}` is imported for what it registers with Flyte 1, which Flyte 2 does not use");
        Finding::new(&MIXED_FILE, self.alias.range, effect, message).help(help)
    }
}

/// Whether anything reads what an import binds.
fn is_read(project: &Project, file: FileId, binding: BindingId) -> bool {
    project
        .facts(file)
        .is_some_and(|facts| facts.module.references.iter().any(|read| read.bindings.contains(&binding)))
}
