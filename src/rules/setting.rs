//! Objects of Flyte 1 that say how a task runs, in a decorator or behind a name.
//!
//! ```python
//! SMALL = Resources(cpu="1", mem="1Gi")        # SMALL = flyte.Resources(cpu="1", memory="1Gi")
//! DB = Secret(group="db", key="password")      # DB = flyte.Secret(group="db", key="password", as_env_var="DB_PASSWORD")
//! ```
//!
//! Every object is mapped by itself; objects inside its arguments are mapped with it.

use super::{Finding, cache, documentation, plugin, pod_template, resources, secrets};
use crate::flyte1::symbol::Symbol;
use crate::flyte2::chain::{Argument, Call as CallText, Chain};
use crate::flyte2::layout::{Place, layout};
use crate::python::items::{Item, indentation_at};
use crate::python::scope::{Call, Module};
use crate::python::style::Style;
use crate::python::value::Value;
use crate::source::{TextRange, TextSize};

/// What the mapping of settings may ask.
#[derive(Clone, Copy)]
pub struct SettingContext<'a> {
    /// The text of the file.
    pub text: &'a str,
    /// Its names.
    pub module: &'a Module,
    /// How the user writes.
    pub style: &'a Style,
    /// The longest line.
    pub line_length: usize,
    /// How a name of flyte is written in this file.
    pub name: &'a dyn Fn(&'static str) -> String,
    /// The literal that a name, alone or with attributes, stands for where the setting stands.
    pub constant: &'a dyn Fn(&str) -> Option<Value>,
    /// The symbol of Flyte 1 that is meant at a place.
    pub symbol: &'a dyn Fn(TextRange) -> Option<Symbol>,
    /// The objects that the name at a place may stand for.
    pub named: &'a dyn Fn(TextRange) -> Vec<NamedSetting<'a>>,
    /// Where an expression reads the address of an image as Flyte 1 does: `image_name()` of `image.image_name()`.
    pub addresses: &'a dyn Fn(TextRange) -> Vec<TextRange>,
}

/// An object behind a name.
#[derive(Clone, Copy)]
pub struct NamedSetting<'a> {
    /// The text of the file that it stands in.
    pub text: &'a str,
    /// How that file is written.
    pub style: &'a Style,
    /// The call that makes it.
    pub call: &'a Call,
    /// What is called.
    pub kind: SettingKind,
    /// Whether the name stands for a tuple that holds it.
    pub is_in_tuple: bool,
    /// Whether the name stands for it or for another one, as a condition has it.
    pub is_choice: bool,
}

/// What kind of object it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingKind {
    /// `Resources(…)`
    Resources,
    /// `Secret(…)`
    Secret,
    /// `PodTemplate(…)`
    PodTemplate,
    /// `Cache(…)`
    Cache,
    /// `Documentation(…)`
    Documentation,
    /// What a plugin is configured with: `Spark(…)`.
    Plugin,
}

impl SettingKind {
    /// The kind of a class of Flyte 1.
    pub fn of(symbol: &Symbol) -> Option<Self> {
        match symbol {
            Symbol::Resources => Some(Self::Resources),
            Symbol::Secret => Some(Self::Secret),
            Symbol::PodTemplate => Some(Self::PodTemplate),
            Symbol::Cache => Some(Self::Cache),
            Symbol::Documentation => Some(Self::Documentation),
            Symbol::Other(path) if plugin::is_configuration(path) => Some(Self::Plugin),
            _ => None,
        }
    }

    /// What users call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resources => "Resources",
            Self::Secret => "Secret",
            Self::PodTemplate => "PodTemplate",
            Self::Cache => "Cache",
            Self::Documentation => "Documentation",
            Self::Plugin => "task_config",
        }
    }
}

/// Whether the rules of settings know what a name of Flyte 1 becomes: a class of objects, or a part of one.
pub fn is_part(symbol: &Symbol) -> bool {
    let is_known = |path: &str| {
        ["flytekit.Secret.", "flytekit.Description", "flytekit.SourceCode", "flytekit.extras.accelerators."]
            .iter()
            .any(|prefix| path.starts_with(prefix))
            || path.ends_with(".CacheFunctionBody")
    };
    SettingKind::of(symbol).is_some()
        || plugin::is_part(symbol)
        || matches!(symbol, Symbol::Other(path) if is_known(path))
}

/// What the mapping of an expression asks for besides its text.
#[derive(Debug, Default)]
pub struct Effects {
    /// References to Flyte 1 that are written anew.
    pub consumed: Vec<TextRange>,
    /// Names of flyte that are written.
    pub uses: Vec<&'static str>,
    /// Imports of other modules that are needed, as lines.
    pub imports: Vec<String>,
    /// What there is to say.
    pub findings: Vec<Finding>,
}

/// Maps the object that `call` makes; `None` if it is none, or a finding says why not.
pub fn map(cx: &SettingContext<'_>, call: &Call, effects: &mut Effects) -> Option<CallText> {
    let symbol = (cx.symbol)(call.callee)?;
    let kind = SettingKind::of(&symbol)?;
    effects.consumed.push(call.callee);
    let mut mapped = match kind {
        SettingKind::Resources => resources::map_object(cx, call, effects),
        SettingKind::Secret => secrets::map_object(cx, call, effects),
        SettingKind::PodTemplate => pod_template::map_object(cx, call, effects),
        SettingKind::Cache => cache::map_object(cx, call, effects),
        SettingKind::Documentation => documentation::map_object(cx, call, effects),
        SettingKind::Plugin => plugin::map_object(cx, call, &symbol, effects),
    }?;
    mapped.is_exploded |=
        call.items.is_multiline && call.items.has_trailing_comma && mapped.arguments.len() > 1;
    Some(mapped)
}

/// The argument of an object with its comments, objects inside it mapped, under a name that Flyte 2 takes.
pub(super) fn argument(cx: &SettingContext<'_>, name: &str, item: &Item, effects: &mut Effects) -> Argument {
    let value = value_text(cx, item, effects);
    Argument {
        leading: item.leading.clone(),
        text: format!("{name}={value}"),
        trailing: item.trailing.clone(),
    }
}

/// The text of a value, with the objects of Flyte 1 inside it mapped.
pub(super) fn value_text(cx: &SettingContext<'_>, item: &Item, effects: &mut Effects) -> String {
    let replaced = item.replaced(cx.text, &objects_in(cx, item, effects));
    replaced[item.text.len() - item.value_text.len()..].to_owned()
}

/// The objects in an item and what takes their places.
fn objects_in(cx: &SettingContext<'_>, item: &Item, effects: &mut Effects) -> Vec<(TextRange, String)> {
    let mut replacements: Vec<(TextRange, String)> = Vec::new();
    for call in cx.module.calls.iter().filter(|call| item.range.contains_range(call.range)) {
        if replacements.iter().any(|(range, _)| range.contains_range(call.range)) {
            continue;
        }
        if let Some(mapped) = map(cx, call, effects) {
            let text = layout(&Chain { head: mapped, ..Chain::default() }, place(cx, item, call.range));
            replacements.push((call.range, text));
        }
    }
    let addresses = (cx.addresses)(item.range).into_iter();
    let is_apart =
        |address: &TextRange| !replacements.iter().any(|(range, _)| range.contains_range(*address));
    let addresses: Vec<TextRange> = addresses.filter(is_apart).collect();
    replacements.extend(addresses.into_iter().map(|address| (address, "uri".to_owned())));
    replacements.sort_by_key(|(range, _)| range.start());
    replacements
}

/// Where an object inside an item stands, once the item is an argument on lines of its own.
fn place<'a>(cx: &'a SettingContext<'_>, item: &'a Item, range: TextRange) -> Place<'a> {
    let start = item.offset(cx.text, range.start());
    let end = item.offset(cx.text, range.end());
    let line = item.text[..start].rfind('\n').map_or(0, |at| at + 1);
    let rest = item.text[end..].split('\n').next().unwrap_or_default();
    let unit = &cx.style.indent_unit;
    Place {
        indent: indentation_at(&item.text, TextSize::of(&item.text[..start])),
        indent_unit: unit,
        before: unit.chars().count() + item.text[line..start].chars().count(),
        after: rest.chars().count() + 1,
        line_length: cx.line_length,
        is_bracketed: true,
    }
}

/// A call as the value of the argument `name` of a call that has a line for each.
pub(super) fn nested(cx: &SettingContext<'_>, name: &str, call: CallText) -> String {
    let unit = &cx.style.indent_unit;
    let place = Place {
        indent: "",
        indent_unit: unit,
        before: unit.chars().count() + name.len() + 1,
        after: 1,
        line_length: cx.line_length,
        is_bracketed: false,
    };
    layout(&Chain { head: call, ..Chain::default() }, place)
}

/// References to Flyte 1 inside an expression that is not written again.
pub(super) fn dropped_references(cx: &SettingContext<'_>, range: TextRange) -> Vec<TextRange> {
    let references = cx.module.references.iter().map(|reference| reference.range);
    references
        .filter(|&reference| range.contains_range(reference) && (cx.symbol)(reference).is_some())
        .collect()
}
