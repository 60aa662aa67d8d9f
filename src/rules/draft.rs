//! An image while it is being mapped: parameters add to it in any order, the chain comes out in build order.

use super::Finding;
use super::flyte1_places::InRoot;
use super::resolution::Installed;
use crate::edit::NewFile;
use crate::flyte2::chain::{Argument, Call, Chain};
use crate::image::command::Reach;
use crate::project::disk::{ListedPackages, PathFact};
use crate::python::items::Item;
use crate::python::possible::Strings;
use crate::python::scope;
use crate::python::style::Style;
use crate::python::value::{Value, ValueKind};
use crate::source::TextRange;

/// The order of layers in the emitted chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LayerOrder {
    /// The order in which Flyte 1 builds, whatever the order of the keywords.
    #[default]
    Flyte1,
    /// The order of the keywords.
    Source,
}

/// What becomes of packages from conda.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Conda {
    /// They stay, with a finding.
    #[default]
    Finding,
    /// They go into a `pixi.toml`.
    Pixi,
    /// Commands install them.
    Micromamba,
}

/// The platforms of an image that names none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DefaultPlatform {
    /// Those of Flyte 2: two architectures.
    #[default]
    Flyte2,
    /// That of Flyte 1: `linux/amd64`.
    Flyte1,
}

/// The kinds of layers, in Flyte 1's build order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LayerKind {
    /// The virtual environment of another Python.
    Python,
    /// `with_apt_packages`
    Apt,
    /// `with_pixi_project`, or the commands of micromamba.
    Conda,
    /// `with_env_vars`
    Env,
    /// `with_requirements`
    Requirements,
    /// `with_uv_project` or `with_poetry_project`
    Lock,
    /// `with_pip_packages`
    Pip,
    /// The command that makes the user whom copied files belong to.
    User,
    /// `with_source_folder` of the source root.
    Source,
    /// `with_source_file` and `with_source_folder`.
    Copy,
    /// `with_commands`
    Commands,
    /// `with_workdir`
    WorkDir,
}

/// Another `ImageSpec` that `base_image` names.
#[derive(Debug, Clone)]
pub struct BaseSpec {
    /// Its `python_version`, if it is given and can be read.
    pub python_version: Option<(u8, u8)>,
    /// Whether it gives a `python_version` at all.
    pub has_python_version: bool,
    /// Its index options, to be repeated on the new layers.
    pub index_options: Vec<Argument>,
    /// Whether it gives platforms.
    pub has_platform: bool,
    /// Whether it names a registry, itself or through its base.
    pub has_registry: bool,
    /// Whether it starts from an image that is not Flyte's.
    pub is_foreign: bool,
    /// Whether it is such an image as it is, which takes no layers.
    pub is_bare: bool,
    /// Distributions that it lists, normalized.
    pub listed: Vec<String>,
    /// What its layers install.
    pub installed: Installed,
    /// How far its commands reach; `None` if it has none.
    pub commands: Option<Reach>,
    /// The kinds of layers that the user gives it.
    pub layers: Vec<LayerKind>,
    /// Its own chain, if it is written into the `base_image` argument.
    pub chain: Option<Chain>,
    /// The file that such a chain needs.
    pub new_file: Option<NewFile>,
}

/// What the mapping of one `ImageSpec` may ask.
pub struct ImageContext<'a> {
    /// The text of the file.
    pub text: &'a str,
    /// The call.
    pub call: &'a scope::Call,
    /// How the user writes.
    pub style: &'a Style,
    /// How `flyte.Image` is written in this file: `Image`, `flyte.Image`.
    pub image_name: &'a str,
    /// The variable that holds the image.
    pub variable: Option<&'a str>,
    /// The order of layers.
    pub order: LayerOrder,
    /// What becomes of packages from conda.
    pub conda: Conda,
    /// Where the `pixi.toml` of this image goes, from the folder of the file; `None` if there is one already.
    pub manifest: Option<&'a str>,
    /// The platforms of an image that names none.
    pub default_platform: DefaultPlatform,
    /// The name of the image pull secret, in place of one made from the registry's host.
    pub registry_secret: Option<&'a str>,
    /// The literal that a name stands for, where the call stands.
    pub constant: &'a dyn Fn(&str) -> Option<Value>,
    /// The strings that an expression may give, itself or as the elements of its list.
    pub strings: &'a dyn Fn(TextRange) -> Strings,
    /// Whether code may change the list or dict that an expression gives.
    pub is_changed: &'a dyn Fn(&Value) -> bool,
    /// The `ImageSpec` that `base_image` names, if it names one.
    pub base: Option<BaseSpec>,
    /// Whether an expression names an image that is Flyte 2's already.
    pub is_flyte2: &'a dyn Fn(TextRange) -> bool,
    /// For `image.with_packages(…)`: how the image is written.
    pub receiver: Option<&'a str>,
    /// The distribution of Flyte 1 that code in the image still imports after the migration.
    pub keeps_flyte1: Option<&'static str>,
    /// Distributions that only flytekit brought and that code in the image imports.
    pub brought: &'a [String],
    /// Whether a task that uses the image runs pip.
    pub runs_pip: bool,
    /// Whether its containers are reused.
    pub is_reused: bool,
    /// Whether the name must tell the Python version, because another image differs in nothing else.
    pub names_python: bool,
    /// How `flyte.Secret` is written in this file.
    pub secret_name: &'a str,
    /// How `pathlib.Path` is written in this file.
    pub path_name: &'a str,
    /// What stands at a path that the call names.
    pub path: &'a dyn Fn(&str) -> PathFact,
    /// What the requirements file lists that the call names.
    pub listed: &'a dyn Fn(&str) -> Option<ListedPackages>,
    /// Whether the project's `.dockerignore` keeps `.git`, `.env` and virtual environments out of images.
    pub ignores_private_files: bool,
    /// The longest line.
    pub line_length: usize,
}

impl ImageContext<'_> {
    /// The text of an expression.
    pub fn slice(&self, range: TextRange) -> &str {
        &self.text[range]
    }

    /// `value`, or the literal that it names: `PYTHON`, `settings.PYTHON`.
    pub fn literal(&self, value: &Value) -> Value {
        match &value.kind {
            ValueKind::Name(_) | ValueKind::Opaque => (self.constant)(self.slice(value.range)),
            _ => None,
        }
        .unwrap_or_else(|| value.clone())
    }
}

/// One keyword of the call with its comments.
#[derive(Debug, Clone, Copy)]
pub struct Parameter<'a> {
    /// Its name; a positional argument has the name of the field it fills.
    pub name: &'a str,
    /// Its value.
    pub value: &'a Value,
    /// Its text and comments.
    pub item: &'a Item,
    /// Its place among the arguments.
    pub position: usize,
}

impl Parameter<'_> {
    /// An argument `text` that carries the comments of this keyword.
    pub fn argument(&self, text: impl Into<String>) -> Argument {
        Argument {
            leading: self.item.leading.clone(),
            text: text.into(),
            trailing: self.item.trailing.clone(),
        }
    }

    /// A method call that carries the comments of this keyword.
    pub fn method(&self, name: &str, arguments: Vec<Argument>) -> Call {
        Call {
            leading: self.item.leading.clone(),
            callee: name.to_owned(),
            arguments,
            trailing: self.item.trailing.clone(),
            ..Call::default()
        }
    }
}

/// A layer and where its keyword stood.
#[derive(Debug, Clone)]
pub struct Layer {
    kind: LayerKind,
    position: usize,
    call: Call,
}

/// What the image starts from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Base {
    /// `Image.from_debian_base(…)`
    #[default]
    Debian,
    /// `Image.from_base(URI)` with a clone behind it.
    Uri(String),
    /// `Image.from_base(URI)` as it is.
    BareUri(String),
    /// A clone of another image.
    Clone(String),
    /// A clone of an image that is written out here.
    Inline(Chain),
    /// Another image, to which layers are added.
    Receiver(String),
}

/// An image being mapped.
#[derive(Debug, Default)]
pub struct Draft {
    /// What it starts from.
    pub base: Base,
    /// The arguments of the constructor, or of `clone`.
    pub constructor: Vec<Argument>,
    /// `index_url=…`, `extra_index_urls=…`: on every layer that installs Python packages.
    pub index_options: Vec<Argument>,
    /// Those of the layers of packages, where they differ.
    pub pip_options: Option<Vec<Argument>>,
    /// Whether `name` is among the constructor's arguments.
    pub has_name: bool,
    /// The Python version, if it is known.
    pub python_version: Option<(u8, u8)>,
    /// Whether the Python that holds `flyte` is replaced by another.
    pub needs_flyte: bool,
    /// Whether a command runs pip.
    pub runs_pip: bool,
    /// Whether a command runs flytekit or union, or imports them.
    pub runs_flyte1: bool,
    /// Distributions that only flytekit brought and that a command imports.
    pub brought: Vec<&'static str>,
    /// Whether files are copied into the image.
    pub copies_files: bool,
    /// Whether a layer is given a `Secret`.
    pub uses_secret: bool,
    /// How far its commands reach; `None` if it has none.
    pub commands: Option<Reach>,
    /// Commands that mean something else to bash, and what in them does.
    pub bash: Vec<(TextRange, &'static str)>,
    /// Paths in the working directory of Flyte 1.
    pub in_root: Vec<InRoot>,
    /// Distributions that the image lists, normalized.
    pub listed: Vec<String>,
    /// What its layers install that Flyte 1 resolved together.
    pub installed: Installed,
    /// Expressions that are not written anywhere.
    pub consumed: Vec<TextRange>,
    /// Comments of keywords that have no place in the chain.
    pub orphans: Vec<String>,
    layers: Vec<Layer>,
    /// What there is to say.
    pub findings: Vec<Finding>,
}

impl Draft {
    /// The kinds of its layers.
    pub fn kinds(&self) -> impl Iterator<Item = LayerKind> {
        self.layers.iter().map(|layer| layer.kind)
    }

    /// Adds a layer.
    pub fn layer(&mut self, kind: LayerKind, position: usize, call: Call) {
        self.layers.push(Layer { kind, position, call });
    }

    /// The layer of a kind, if there is one.
    pub fn layer_mut(&mut self, kind: LayerKind) -> Option<&mut Call> {
        self.layers.iter_mut().find(|layer| layer.kind == kind).map(|layer| &mut layer.call)
    }

    /// Takes the layer of a kind out.
    pub fn take_layer(&mut self, kind: LayerKind) -> Option<Call> {
        let at = self.layers.iter().position(|layer| layer.kind == kind)?;
        Some(self.layers.remove(at).call)
    }

    /// Adds an option of pip to every layer that installs Python packages.
    pub fn option(&mut self, option: Argument) {
        add_option(&mut self.index_options, option);
    }

    /// Whether it starts, itself or through its base, from an image that is not Flyte's.
    pub fn is_foreign(&self, cx: &ImageContext<'_>) -> bool {
        match self.base {
            Base::Debian => false,
            Base::Uri(_) | Base::BareUri(_) => true,
            Base::Clone(_) | Base::Inline(_) | Base::Receiver(_) => {
                cx.base.as_ref().is_some_and(|base| base.is_foreign)
            }
        }
    }

    /// Adds something to say.
    pub fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Keeps the comments of a keyword that is dropped.
    pub fn orphan(&mut self, parameter: Parameter<'_>) {
        self.orphans.extend(parameter.item.leading.iter().cloned());
        self.orphans.extend(parameter.item.trailing.clone());
    }

    /// Takes over what a method call adds; packages join the layer of their kind where `folds` says so.
    pub fn absorb(&mut self, part: Self, folds: bool) {
        self.findings.extend(part.findings);
        self.listed.extend(part.listed);
        self.installed.extend(part.installed);
        part.index_options.into_iter().for_each(|option| self.option(option));
        self.orphans.extend(part.orphans);
        self.consumed.extend(part.consumed);
        self.runs_pip |= part.runs_pip;
        self.runs_flyte1 |= part.runs_flyte1;
        self.brought.extend(part.brought);
        self.copies_files |= part.copies_files;
        self.uses_secret |= part.uses_secret;
        self.commands = self.commands.max(part.commands);
        self.bash.extend(part.bash);
        self.in_root.extend(part.in_root);
        for layer in part.layers {
            let joins = folds && matches!(layer.kind, LayerKind::Apt | LayerKind::Pip);
            match self.layer_mut(layer.kind).filter(|_| joins) {
                Some(call) => {
                    call.arguments.extend(layer.call.arguments);
                    call.leading.extend(layer.call.leading);
                    call.dangling.extend(layer.call.dangling);
                    call.dangling.extend(layer.call.trailing);
                }
                None => self.layers.push(layer),
            }
        }
    }

    /// Writes the chain.
    pub fn chain(mut self, cx: &ImageContext<'_>) -> Chain {
        self.layers.sort_by_key(|layer| match cx.order {
            LayerOrder::Flyte1 => (layer.kind as usize, layer.position),
            // Where the keywords decide, the working directory still comes last: files are copied above it.
            LayerOrder::Source if layer.kind == LayerKind::WorkDir => (usize::MAX, 0),
            LayerOrder::Source => (layer.position, layer.kind as usize),
        });
        let installs = |kind| matches!(kind, LayerKind::Pip | LayerKind::Requirements);
        for layer in self.layers.iter_mut().filter(|layer| installs(layer.kind)) {
            let own = self.pip_options.as_ref().filter(|_| layer.kind == LayerKind::Pip);
            layer.call.arguments.extend(own.unwrap_or(&self.index_options).iter().cloned());
        }
        let mut methods: Vec<Call> = self.layers.into_iter().map(|layer| layer.call).collect();
        let mut dangling = self.orphans;
        // What stands in the call of a method is among them.
        if !matches!(self.base, Base::Receiver(_)) {
            dangling.extend(cx.call.items.dangling.iter().cloned());
        }
        let head_call =
            |callee: String, arguments: Vec<Argument>| Call { callee, arguments, ..Call::default() };
        let head = match self.base {
            Base::Debian => {
                let mut head = head_call(format!("{}.from_debian_base", cx.image_name), self.constructor);
                head.is_exploded = is_exploded(cx, &head);
                head
            }
            Base::BareUri(uri) => head_call(format!("{}.from_base", cx.image_name), vec![Argument::new(uri)]),
            Base::Uri(uri) => {
                let mut arguments = self.constructor;
                arguments.push(Argument::new("extendable=True"));
                methods.insert(0, head_call("clone".to_owned(), arguments));
                head_call(format!("{}.from_base", cx.image_name), vec![Argument::new(uri)])
            }
            Base::Clone(base) => {
                let mut arguments = self.constructor;
                arguments.push(Argument::new("extendable=True"));
                head_call(format!("{base}.clone"), arguments)
            }
            // Without layers it is the other image under another name.
            Base::Receiver(receiver) if methods.is_empty() => {
                head_call(format!("{receiver}.clone"), Vec::new())
            }
            Base::Receiver(receiver) => {
                let mut first = methods.remove(0);
                first.callee = format!("{receiver}.{}", first.callee);
                first
            }
            Base::Inline(base) => {
                let mut arguments = self.constructor;
                arguments.push(Argument::new("extendable=True"));
                let clone = head_call("clone".to_owned(), arguments);
                methods.splice(0..0, base.methods.into_iter().chain([clone]));
                base.head
            }
        };
        Chain { head, methods, dangling }
    }
}

/// A constructor is written one argument a line where the user wrote the spec so and it does not fit a line.
fn is_exploded(cx: &ImageContext<'_>, head: &Call) -> bool {
    let items = &cx.call.items;
    let width: usize = head.arguments.iter().map(|argument| argument.text.chars().count() + 2).sum();
    items.is_multiline
        && items.has_trailing_comma
        && head.arguments.len() > 1
        && cx.style.indent_unit.len() + head.callee.len() + width > cx.line_length
}

/// Adds an option of pip. Extra indexes are joined; any other option that is there already gives way.
pub(super) fn add_option(options: &mut Vec<Argument>, option: Argument) {
    let name = option.text.split('=').next().unwrap_or_default().to_owned();
    let same = options.iter_mut().find(|other| other.text.split('=').next() == Some(&name));
    match same {
        None => options.push(option),
        Some(other) if other.text == option.text => {}
        Some(other) if name == "extra_index_urls" => {
            let values = |text: &str| {
                let value = text.split_once('=').map_or("", |(_, value)| value).to_owned();
                let inner = value.strip_prefix('[').and_then(|value| value.strip_suffix(']'));
                inner.map_or_else(
                    || format!("*{value}"),
                    |inner| inner.trim().trim_end_matches(',').to_owned(),
                )
            };
            let (there, new) = (values(&other.text), values(&option.text));
            if !there.split(", ").any(|index| index == new) {
                other.text = format!("{name}=[{there}, {new}]");
            }
        }
        Some(other) => *other = option,
    }
}
