//! Names of a module: who binds them, who reads them, and which binding a reader sees.
//!
//! ```python
//! from flytekit import task as t    # a binding of `t`
//!
//! @t(retries=3)                     # a reference to it, in the role of a decorator
//! def train(): ...
//! ```
//!
//! The result is owned and small: only references that can matter to a migration are kept, the tree is dropped.

mod builder;
mod expressions;

pub use builder::analyze;
pub use expressions::runs_pip;

use rustc_hash::{FxHashMap, FxHashSet};

use super::annotation::{Definition, TypeExpr};
use super::ast::name::Name;
use super::items::{Item, Items};
use super::module_path::ImportPath;
use super::module_value::ModuleValue;
use super::value::{Value, ValueKind};
use crate::source::{TextRange, TextSize};

/// An index into [`Module::bindings`].
pub type BindingId = usize;
/// An index into [`Module::functions`].
pub type FunctionId = usize;
/// An index into [`Module::calls`].
pub type CallId = usize;
/// An index into [`Module::imports`].
pub type ImportId = usize;
/// An index into [`Module::statements`].
pub type StatementId = usize;

/// What is known of the names of a module.
#[derive(Debug, Default)]
pub struct Module {
    /// The ranges of the statements at the top level, decorators included.
    pub statements: Vec<TextRange>,
    /// What those statements define that are classes, functions or assignments of calls.
    pub definitions: FxHashMap<StatementId, Definition>,
    /// What those statements that are classes with nothing but assignments give their names.
    pub class_attributes: FxHashMap<StatementId, Vec<(String, Value)>>,
    /// The annotations of decorated functions, and the types that are given other names, by their places.
    pub types: FxHashMap<TextRange, TypeExpr>,
    /// Strings that name types where nothing else is read of them: `cast("FlyteFile", value)`.
    pub quoted_types: Vec<TextRange>,
    /// All import statements, at any depth.
    pub imports: Vec<ImportStatement>,
    /// All bindings of the module's own scope, and imports of any scope.
    pub bindings: Vec<Binding>,
    /// Reads of names that are bound by an import or at the top level.
    pub references: Vec<Reference>,
    /// All functions with decorators, at any depth.
    pub functions: Vec<Function>,
    /// Calls of names that are of interest, with their arguments.
    pub calls: Vec<Call>,
    /// Functions that do nothing but return an `ImageSpec`.
    pub factories: Vec<Factory>,
    /// Classes that hold nothing but images and literals.
    pub image_classes: Vec<ImageClass>,
    /// All names that are bound or read anywhere in the file, in any scope; a name may be there several times.
    names: Vec<Name>,
    /// Names listed in `__all__`.
    pub exported: Vec<String>,
    /// The modules of `from x import *`: any name may come from them.
    pub star_imports: Vec<ImportPath>,
    /// Where names of builtins are bound to something else, in modules and functions.
    pub hidden_builtins: Vec<HiddenBuiltin>,
    /// Calls of `exec` and `globals`, which bind names behind the reader's back.
    pub hidden_bindings: Vec<TextRange>,
    /// Modules that code gets by their names in strings: `importlib.import_module("pk.tasks")`.
    pub module_values: Vec<ModuleValue>,
    /// Strings that name what is replaced: `patch("pk.tasks.image")`, `setattr("pk.tasks.image", …)`.
    pub patched: Vec<(TextRange, String)>,
    /// Objects of which an attribute is replaced, and its name: `patch.object(tasks, "image")`.
    pub patched_objects: Vec<(TextRange, String)>,
    /// What calls such as `remote.fetch_workflow(name="pk.flow.main")` are given.
    pub fetched: Vec<Value>,
    /// Strings that name Python files: `"workflows/train.py"`.
    pub python_paths: Vec<(TextRange, String)>,
    /// Strings that name environment variables as Flyte 1 calls them, those of secrets and its own, and the statements at
    /// the top level that hold them.
    pub flyte1_variables: Vec<(TextRange, StatementId)>,
    /// The object stores that strings name by their scheme: `"s3://…"`, `"gs://…"`, `"abfs://…"`.
    pub object_stores: Vec<&'static str>,
    /// Whether an attribute is assigned to, or deleted, of something else than `self` or `cls`.
    pub sets_attributes: bool,
    /// Whether a function holds a string that looks as if it runs pip.
    pub runs_pip: bool,
    /// The last binding of each name of the module's own scope.
    latest: FxHashMap<Name, BindingId>,
    blocks: Blocks,
}

impl Module {
    /// The reference that a call calls.
    pub fn callee(&self, call: &Call) -> Option<&Reference> {
        call.reference.map(|id| &self.references[id])
    }

    /// All names that are bound or read anywhere in the file, in any scope.
    pub fn names(&self) -> FxHashSet<&Name> {
        self.names.iter().collect()
    }

    /// Whether a name is bound or read anywhere in the file.
    pub fn has_name(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// The references in a statement at the top level.
    pub fn references_of(&self, statement: StatementId) -> &[Reference] {
        let start = self.references.partition_point(|reference| reference.owner < statement);
        let end = self.references.partition_point(|reference| reference.owner <= statement);
        &self.references[start..end]
    }

    /// The last bindings of `name` at the end of the module: what another module that imports it sees.
    pub fn exports(&self, name: &str) -> Vec<BindingId> {
        self.visible(name, TextSize::from(u32::MAX))
    }

    /// Whether `__all__` certainly lists all names that `from module import *` takes.
    pub fn has_export_list(&self) -> bool {
        let mut bindings =
            self.bindings.iter().filter(|binding| binding.is_global && binding.name == "__all__");
        let (Some(binding), None) = (bindings.next(), bindings.next()) else { return false };
        let BindingKind::Assignment { value, .. } = &binding.kind else { return false };
        let is_literal =
            value.elements().is_some_and(|names| names.iter().all(|name| name.as_str().is_some()));
        is_literal
            && binding.is_unconditional
            && !self.references.iter().any(|reference| reference.name == "__all__")
    }

    /// The bindings that a read of the module-level name `name` at `offset` in top-level code may see.
    pub fn visible(&self, name: &str, offset: TextSize) -> Vec<BindingId> {
        let latest = self.latest.get(name).copied();
        let chain = std::iter::successors(latest, |&id| self.bindings[id].previous);
        reaching(chain.map(|id| (id, self.bindings[id].effect)), &self.blocks, offset, BlockId::default())
    }

    /// Whether all these bindings of a name certainly stand behind a read at `offset` in top-level code.
    pub fn are_behind(&self, bindings: &[BindingId], offset: TextSize) -> bool {
        bindings.iter().map(|&id| &self.bindings[id]).all(|binding| {
            binding.is_unconditional && !binding.effect.is_deferred && binding.effect.from >= offset
        })
    }
}

/// Whether a method of this name changes a list or a dict.
pub fn is_mutator(method: &str) -> bool {
    matches!(
        method,
        "append" | "extend" | "insert" | "remove" | "pop" | "clear" | "update" | "setdefault" | "sort"
    )
}

/// How Flyte 1 begins the names of the environment variables of secrets.
pub const SECRET_PREFIX: &str = "_FSEC_";

/// How Flyte 1 begins the names of the environment variables that it sets in its pods.
pub const INTERNAL_PREFIX: &str = "FLYTE_INTERNAL_";

/// A place where the name of a builtin is bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HiddenBuiltin {
    /// The name.
    pub name: Name,
    /// The place of the name.
    pub range: TextRange,
    /// The statement at the top level that holds it.
    pub owner: StatementId,
    /// Whether it binds in the module's own scope.
    pub is_global: bool,
}

/// Whether new code may call a builtin of this name.
fn is_builtin(name: &str) -> bool {
    matches!(
        name,
        "list"
            | "tuple"
            | "dict"
            | "float"
            | "int"
            | "str"
            | "len"
            | "zip"
            | "range"
            | "enumerate"
            | "isinstance"
            | "ValueError"
            | "RuntimeError"
            | "BaseException"
    )
}

/// An import statement.
#[derive(Debug, Clone)]
pub struct ImportStatement {
    /// The statement, without its line ending.
    pub range: TextRange,
    /// What stands behind `from`, dots included; `None` for `import …`.
    pub from: Option<(u32, String)>,
    /// The names in order.
    pub aliases: Vec<Alias>,
    /// Whether the statement stands at the top level of the module, not inside another statement.
    pub is_top_level: bool,
    /// Whether only type checkers read it: it stands below `if TYPE_CHECKING:`.
    pub is_for_types: bool,
    /// Whether another statement shares its line (`import a; import b`).
    pub shares_line: bool,
    /// For `from x import (…)`: the range of the parentheses.
    pub parentheses: Option<TextRange>,
}

/// One name of an import statement.
#[derive(Debug, Clone)]
pub struct Alias {
    /// `name` or `name as other`.
    pub range: TextRange,
    /// The imported name, dotted for `import a.b`.
    pub name: String,
    /// The name behind `as`.
    pub asname: Option<String>,
    /// The binding that it makes; `None` for `*`.
    pub binding: Option<BindingId>,
}

/// How a name gets its value.
#[derive(Debug, Clone, PartialEq)]
pub enum BindingKind {
    /// An import.
    Import(ImportPath),
    /// `name = value`, also with an annotation; the range of the value and of the annotation.
    Assignment {
        /// The value as far as it can be read.
        value: Value,
        /// The annotation, if there is one.
        annotation: Option<TextRange>,
    },
    /// A function with decorators.
    Decorated(FunctionId),
    /// A function without decorators, or a class.
    Definition,
    /// Everything else: loop targets, `with … as`, unpacking, augmented assignment, `del`, `global` in a function.
    Other,
}

/// One place where a name is bound.
#[derive(Debug, Clone)]
pub struct Binding {
    /// The name.
    pub name: Name,
    /// Where the name stands.
    pub range: TextRange,
    /// How it gets its value.
    pub kind: BindingKind,
    /// The statement at the top level that holds it.
    pub owner: StatementId,
    /// Whether it binds in the module's own scope.
    pub is_global: bool,
    /// Whether it stands directly at the top level, in no `if`, `try`, loop or function.
    pub is_unconditional: bool,
    effect: Effect,
    /// The binding of the same name in the same scope before this one.
    previous: Option<BindingId>,
}

/// When a binding can be read.
#[derive(Debug, Clone, Copy)]
struct Effect {
    /// From where: the value of an assignment still sees what was bound before.
    from: TextSize,
    /// Whether it takes effect at an unknown time: `global name` in a function.
    is_deferred: bool,
    /// The arm of a compound statement that it stands in.
    block: BlockId,
}

/// An arm of a compound statement; the default is the body of the module or function itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct BlockId(usize);

/// The arms of compound statements, as a tree.
#[derive(Debug, Default)]
struct Blocks {
    /// For each arm but the default one, the arm around it.
    around: Vec<BlockId>,
}

impl Blocks {
    fn open(&mut self, around: BlockId) -> BlockId {
        self.around.push(around);
        BlockId(self.around.len())
    }

    /// Whether `inner` is `outer` or lies in it; both are of one body.
    fn holds(&self, outer: BlockId, inner: BlockId) -> bool {
        let around = |block: &BlockId| self.around.get(block.0.checked_sub(1)?).copied();
        outer == BlockId::default() || std::iter::successors(Some(inner), around).any(|block| block == outer)
    }
}

/// What a reference does with the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// It is a decorator, bare or called.
    Decorator(FunctionId),
    /// It is called; the call, if it is recorded.
    Callee(Option<CallId>),
    /// It is an argument of a recorded call, as a whole.
    Argument(CallId, Option<Name>),
    /// It is an argument of a call that is not recorded; the library that the callee comes from, empty if it is not
    /// known: `library.context().run(name)`.
    ArgumentOf(Name),
    /// It is called, and this attribute is read from the result: `name(…).o0`.
    CalleeOf(Name),
    /// It stands in an annotation of a parameter, a return value or a variable.
    Annotation,
    /// It is the whole right-hand side of `x = name`.
    Assigned,
    /// It is deleted, assigned to through an attribute or an item, or augmented.
    Mutated,
    /// It is assigned to through an attribute, straight behind the recorded call that it holds, whose arguments hold the
    /// value.
    Filled(CallId),
    /// Anything else.
    Other,
}

/// A read of a name with the attributes behind it: `flytekit.core.task`.
#[derive(Debug, Clone)]
pub struct Reference {
    /// Its index in [`Module::references`].
    pub id: usize,
    /// The name.
    pub name: Name,
    /// The attributes behind it, in order.
    pub attributes: Vec<Name>,
    /// The name with its attributes.
    pub range: TextRange,
    /// The name alone.
    pub name_range: TextRange,
    /// What is done with it.
    pub role: Role,
    /// The bindings that it may see, one where it is certain.
    pub bindings: Vec<BindingId>,
    /// The statement at the top level that holds it.
    pub owner: StatementId,
    /// Whether it runs later than the code around its function: in the body of a function or a lambda.
    pub is_deferred: bool,
}

impl Reference {
    /// The name and its attributes.
    pub fn names(&self) -> Vec<Name> {
        std::iter::once(&self.name).chain(&self.attributes).cloned().collect()
    }

    /// The name with its attributes, as code on one line: the source may have comments and line breaks between them.
    pub fn dotted(&self) -> String {
        let attributes = self.attributes.iter().map(Name::as_str);
        std::iter::once(self.name.as_str()).chain(attributes).collect::<Vec<_>>().join(".")
    }
}

/// A decorator of a function.
#[derive(Debug, Clone)]
pub struct Decorator {
    /// From `@` to its end.
    pub range: TextRange,
    /// The name or attribute chain that decorates; `None` if it is something else.
    pub callee: Option<TextRange>,
    /// The call, if it is called.
    pub call: Option<CallId>,
}

/// What kind of parameter it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// A usual parameter.
    Usual,
    /// `*args` or `**kwargs`.
    Variadic,
}

/// A parameter of a function.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// The place of its name.
    pub range: TextRange,
    /// Its annotation.
    pub annotation: Option<TextRange>,
    /// Its default.
    pub default: Option<Value>,
    /// What kind it is.
    pub kind: ParameterKind,
}

/// A function with decorators.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The place of its name.
    pub name_range: TextRange,
    /// From its first decorator to its end.
    pub range: TextRange,
    /// Its decorators from the top down.
    pub decorators: Vec<Decorator>,
    /// `async def`
    pub is_async: bool,
    /// Whether it stands directly at the top level of the module.
    pub is_top_level: bool,
    /// The statement at the top level that holds it.
    pub owner: StatementId,
    /// Its parameters in order.
    pub parameters: Vec<Parameter>,
    /// Its return annotation.
    pub returns: Option<TextRange>,
}

/// A function at the top level that does nothing but return an `ImageSpec`: `def image(name): return ImageSpec(name=name)`.
#[derive(Debug, Clone)]
pub struct Factory {
    /// The name of the function.
    pub binding: BindingId,
    /// Its parameters in order.
    pub parameters: Vec<Parameter>,
    /// The call that it returns.
    pub call: CallId,
}

/// A class at the top level that holds nothing but images and literals: `class Images: base = ImageSpec(name="base")`.
#[derive(Debug, Clone)]
pub struct ImageClass {
    /// The name of the class.
    pub binding: BindingId,
    /// All names that it binds.
    pub names: Vec<Name>,
    /// Those that hold images, with the calls that make them.
    pub images: Vec<(Name, CallId)>,
    /// Those that are made of another one of the class, which comes second.
    pub bases: Vec<(CallId, CallId)>,
}

/// Where a call stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallContext {
    /// The whole right-hand side of `name = call`, at the top level's scope.
    Assigned(BindingId),
    /// A decorator.
    Decorator(FunctionId),
    /// A whole argument of another recorded call.
    Argument(CallId, Option<Name>),
    /// Anything else.
    Other,
}

/// The innermost that a call stands in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Surroundings {
    /// The code of the module itself.
    #[default]
    Module,
    /// The body of this class.
    Class(Name),
    /// The body of this function.
    Function(Name),
    /// The default of a parameter of this function.
    Default(Name),
    /// A lambda.
    Lambda,
    /// A comprehension or a generator.
    Comprehension,
}

/// One argument of a recorded call.
#[derive(Debug, Clone)]
pub struct Argument {
    /// The keyword; `None` for a positional argument, `*args` and `**kwargs`.
    pub name: Option<String>,
    /// Whether it is `**value`.
    pub is_double_starred: bool,
    /// The value.
    pub value: Value,
}

/// A call of a name that is of interest.
#[derive(Debug, Clone)]
pub struct Call {
    /// The whole call.
    pub range: TextRange,
    /// What is called: a name with attributes.
    pub callee: TextRange,
    /// The same as an index into [`Module::references`], if it is kept there.
    pub reference: Option<usize>,
    /// The parentheses with the arguments.
    pub parentheses: TextRange,
    /// The arguments in the order of the source.
    pub arguments: Vec<Argument>,
    /// The same arguments as items with comments.
    pub items: Items,
    /// Where it stands.
    pub context: CallContext,
    /// What it stands in.
    pub surroundings: Surroundings,
    /// The statement at the top level that holds it.
    pub owner: StatementId,
    /// The methods called on what it returns, one after another.
    pub methods: Vec<MethodCall>,
    /// The call with these methods.
    pub outer_range: TextRange,
    /// The statements straight behind that give it further arguments: `spec.packages = ["pandas"]`.
    pub fillings: Vec<TextRange>,
}

/// A method called on the result of a recorded call: `ImageSpec(…).with_packages("pandas")`.
#[derive(Debug, Clone)]
pub struct MethodCall {
    /// The name of the method.
    pub name: String,
    /// The place of the name.
    pub name_range: TextRange,
    /// The arguments in the order of the source.
    pub arguments: Vec<Argument>,
    /// The same arguments as items with comments.
    pub items: Items,
}

impl Call {
    /// The arguments with the names of the `fields` that they fill; no name for `*args`, `**kwargs` and what is too
    /// much.
    pub fn fields<'a>(
        &'a self,
        fields: &'a [&'a str],
    ) -> impl Iterator<Item = (Option<&'a str>, &'a Argument, &'a Item)> {
        self.arguments.iter().zip(&self.items.items).enumerate().map(|(position, (argument, item))| {
            let is_starred =
                argument.is_double_starred || matches!(argument.value.kind, ValueKind::Starred(_));
            let by_place = if is_starred { None } else { fields.get(position).copied() };
            (argument.name.as_deref().or(by_place), argument, item)
        })
    }

    /// Whether `range` lies in the call or in a statement that gives it further arguments.
    pub fn holds(&self, range: TextRange) -> bool {
        let mut parts = std::iter::once(&self.outer_range).chain(&self.fillings);
        parts.any(|part| part.contains_range(range))
    }

    /// The argument passed as keyword `name`.
    pub fn keyword(&self, name: &str) -> Option<&Argument> {
        self.arguments.iter().find(|argument| argument.name.as_deref() == Some(name))
    }
}

/// Which of the bindings of a name, newest first, a read at `offset` in `block` may see, newest first.
///
/// Code runs from top to bottom; a binding in a block around the read, or in none, hides all before it.
fn reaching(
    effects: impl Iterator<Item = (BindingId, Effect)> + Clone,
    blocks: &Blocks,
    offset: TextSize,
    block: BlockId,
) -> Vec<BindingId> {
    let deferred = effects.clone().filter(|(_, effect)| effect.is_deferred);
    let mut seen: Vec<BindingId> = deferred.map(|(id, _)| id).collect();
    seen.reverse();
    for (id, effect) in effects.clone().filter(|(_, effect)| !effect.is_deferred && effect.from < offset) {
        seen.push(id);
        if blocks.holds(effect.block, block) {
            break;
        }
    }
    if seen.is_empty() {
        seen.extend(effects.map(|(id, _)| id));
        seen.reverse();
    }
    seen
}
