//! What code may change behind the backs of the names that images are made of: anywhere in the project, and in any way.
//!
//! ```python
//! import settings
//!
//! settings.REGISTRY = "ghcr.io/other"      # the name means something else from now on
//! packages = settings.PACKAGES or []       # another name for the list, which may change through it
//! globals()["NAME"] = "other"
//! os.environ["REGISTRY"] = "ghcr.io/other"
//! ```
//!
//! There is one rule: what code only looks at stays as it is, and everything else may be changed. So all that is listed
//! here are the places where code only looks.

use std::sync::OnceLock;

use memchr::memmem;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use rustpython_ast::visitor::source_order::{self, SourceOrderVisitor};
use rustpython_ast::{self as ast, Expr, Stmt};

use super::constant::Constant;
use super::evaluate::{Place, attributes_of, root_of};
use super::inits::{self, Init};
use super::replaced::{Patch, covers, is_test, may_patch, patches};
use super::variables::{SetVariable, set_by};
use super::{search, signature};
use crate::flyte1::file::FileFacts;
use crate::project::link::Target;
use crate::project::{FileId, Project};
use crate::python::Ranged;
use crate::python::annotation::Definition;
use crate::python::ast::name::Name;
use crate::python::scope::{Alias, BindingId, BindingKind, ImportStatement, Role};
use crate::python::value::ValueKind;
use crate::source::TextRange;

/// What code may change: found out file by file, as far as it is asked for.
#[derive(Debug)]
pub struct Changes<'p> {
    project: &'p Project,
    /// For each file that is asked about, those in which names lead there straight.
    users: FxHashMap<FileId, Vec<FileId>>,
    /// Those files and these.
    near: FxHashSet<FileId>,
    /// Files that may get at modules, or classes, which names do not tell.
    reaching: Vec<FileId>,
    found: Vec<OnceLock<Found>>,
    /// What is replaced of libraries, by its dotted path.
    replaced: OnceLock<FxHashSet<String>>,
    /// Where code initializes the SDK.
    inits: OnceLock<Vec<Init>>,
    /// Where code changes the folders that modules are looked for in.
    added_paths: OnceLock<Vec<Place>>,
}

/// What the code of a file changes.
#[derive(Debug, Default)]
struct Found {
    /// Modules all of whose names may be bound anew.
    modules: FxHashSet<FileId>,
    /// Names that are bound anew in a module, by way of the module.
    names: FxHashSet<(FileId, Name)>,
    /// Names that are bound anew in a module that is not known.
    anywhere: FxHashSet<Name>,
    /// Whether names that are not known may be bound anew in a module that is not known.
    is_everywhere: bool,
    /// What is bound here may change, from this depth on: 0 is the object, 1 is what is in it.
    objects: FxHashMap<Object, usize>,
    /// Modules in which every object may change.
    objects_of: FxHashSet<FileId>,
    /// Attributes that are assigned to: `env.image = …`
    attributes: FxHashSet<(Object, Name)>,
    /// Names of classes that code in their bodies hands on.
    lent: FxHashSet<(Object, Name)>,
    /// The names of all attributes that are assigned to, of whatever.
    stored: FxHashSet<Name>,
    /// Whether an attribute may be assigned to whose name is not known.
    stores_any: bool,
    /// Whether the working directory may be another one.
    moves: bool,
    /// The parameters of functions that only give names to values and return one, and from which depth on they take them.
    functions: FxHashMap<Object, Vec<(Name, Taken)>>,
    /// What is passed to such functions.
    passed: Vec<Passed>,
    /// What has two names from the start.
    twins: Vec<(Object, Object)>,
    /// What objects of the SDK hold, from which depth on: it changes if they do.
    held: Vec<(Object, Object, usize)>,
    /// Environment variables that are set.
    variables: Vec<SetVariable>,
    /// What is replaced of libraries, by its dotted path.
    replaced: FxHashSet<String>,
}

/// What is bound to a name at the top level of a file.
pub type Object = (FileId, BindingId);

/// An object that is passed to a function.
#[derive(Debug)]
struct Passed {
    function: Object,
    parameter: Parameter,
    object: Object,
}

#[derive(Debug)]
enum Parameter {
    Position(usize),
    Named(Name),
}

impl<'p> Changes<'p> {
    /// What may change of the values that code in `files` reads.
    pub fn of(project: &'p Project, files: &[FileId]) -> Self {
        let users = project.users_near(files);
        let near: FxHashSet<FileId> = users.keys().chain(users.values().flatten()).copied().collect();
        let is_reaching = |(file, facts): (FileId, &FileFacts)| {
            let text = project.text(file);
            let is_near = || near.contains(&file);
            let sets = || {
                facts.module.sets_attributes
                    || !facts.module.module_values.is_empty()
                    || ["setattr", "delattr", "vars", "__setattr__"].iter().any(|name| has_name(text, name))
            };
            let patches =
                || has_name(text, "patch") && may_patch(text, facts) || !facts.module.patched.is_empty();
            let runs = || users.contains_key(&file) && runs_files(text);
            let reaches = runs()
                || patches() && !is_test(&project.files[file].relative)
                || gets_modules(text, facts) && sets()
                || is_near() && reaches_inside(text, facts)
                || is_near() && project.takes_packages(file);
            reaches.then_some(file)
        };
        let reaching: Vec<FileId> = project.parsed().filter_map(is_reaching).collect();
        let found = std::iter::repeat_with(OnceLock::new).take(project.files.len()).collect();
        Self {
            project,
            users,
            near,
            reaching,
            found,
            replaced: OnceLock::new(),
            inits: OnceLock::new(),
            added_paths: OnceLock::new(),
        }
    }

    /// What the code of a file changes.
    fn found_in(&self, file: FileId) -> &Found {
        let look = || self.project.facts(file).map(|facts| Found::in_file(self.project, file, facts));
        self.found[file].get_or_init(|| look().unwrap_or_default())
    }

    /// What code changes that may get at what is in a file.
    fn around(&self, file: FileId) -> impl Iterator<Item = &Found> {
        let users = self.users.get(&file).into_iter().flatten();
        let files: Vec<FileId> = std::iter::once(&file).chain(users).chain(&self.reaching).copied().collect();
        let new: Vec<FileId> =
            files.iter().copied().filter(|&file| self.found[file].get().is_none()).collect();
        if new.len() > 1 {
            new.into_par_iter().for_each(|file| {
                self.found_in(file);
            });
        }
        files.into_iter().map(|file| self.found_in(file))
    }

    /// What code changes whose text is such.
    fn where_text(&self, is_such: impl Fn(&str) -> bool) -> impl Iterator<Item = (FileId, &Found)> {
        let files = self.project.parsed().map(|(file, _)| file);
        files.filter(move |&file| is_such(self.project.text(file))).map(|file| (file, self.found_in(file)))
    }

    /// Whether a name of a module may be bound to something else than its code says.
    pub fn may_rebind(&self, file: FileId, name: &Name) -> bool {
        self.rebinds(file, name) || self.around(file).any(|found| found.modules.contains(&file))
    }

    /// Whether code binds a name of a module anew, by way of the module.
    pub fn rebinds(&self, file: FileId, name: &Name) -> bool {
        let name = (file, name.clone());
        self.around(file).any(|found| {
            found.is_everywhere || found.anywhere.contains(&name.1) || found.names.contains(&name)
        })
    }

    /// From which depth on something may change that is bound to a name, as far as code gets at it by that name.
    fn taken_from(&self, object: Object) -> Taken {
        let taken = |found: &Found| {
            let all = found.objects_of.contains(&object.0).then_some(0);
            let passed = found.passed.iter().filter(|passed| passed.object == object);
            let passed = passed.filter_map(|passed| self.taken_by(passed.function, &passed.parameter));
            all.into_iter().chain(found.objects.get(&object).copied()).chain(passed).min()
        };
        self.around(object.0).filter_map(taken).min()
    }

    /// From which depth on a function takes what is passed to it.
    fn taken_by(&self, function: Object, parameter: &Parameter) -> Taken {
        let parameters = self.found_in(function.0).functions.get(&function);
        let taken = parameters.and_then(|parameters| match parameter {
            Parameter::Position(position) => parameters.get(*position),
            Parameter::Named(name) => parameters.iter().find(|(known, _)| known == name),
        });
        taken.map_or(WHOLE, |(_, taken)| *taken)
    }

    /// From which depth on something may change that is bound to a name.
    fn changes_from(&self, object: Object) -> Taken {
        let held = self.around(object.0).flat_map(|found| &found.held);
        let held = held.filter(|(holder, held, _)| *held == object && self.taken_from(*holder).is_some());
        let held = held.map(|(.., depth)| *depth);
        let twins = self.around(object.0).flat_map(|found| &found.twins);
        let twins = twins.filter(|(_, twin)| *twin == object).map(|(other, _)| *other);
        let all = std::iter::once(object).chain(twins).filter_map(|object| self.taken_from(object));
        all.chain(held).min()
    }

    /// Whether something that is bound here may change itself.
    pub fn may_change(&self, file: FileId, binding: BindingId) -> bool {
        self.changes_from((file, binding)) == WHOLE
    }

    /// Whether what is bound here may be another value by the time that it is read.
    pub fn may_change_value(&self, file: FileId, binding: BindingId, value: &Constant) -> bool {
        self.may_change_at((file, binding), value.changeable())
    }

    /// Whether an attribute of the class that is bound here may be another value by the time that it is read.
    pub fn may_change_attribute(&self, file: FileId, class: BindingId, value: &Constant) -> bool {
        self.may_change_at((file, class), around(value.changeable()))
    }

    /// Whether something may change that can change down to `depth`.
    pub fn may_change_at(&self, object: Object, depth: Option<usize>) -> bool {
        depth.is_some_and(|depth| self.changes_from(object).is_some_and(|from| from <= depth))
    }

    /// Whether code may assign to an attribute of what is bound here, or of what the class that is bound here has at
    /// `path`: by that name, or by another one that it is handed on to.
    pub fn may_set_attribute(&self, object: Object, path: &[Name], name: &str) -> bool {
        let attribute = (object, path.first().cloned().unwrap_or_else(|| Name::new(name)));
        let is_set = |found: &Found| found.attributes.contains(&attribute);
        let is_lent = |found: &Found| found.lent.contains(&attribute);
        self.around(object.0).any(is_set)
            || (self.taken_from(object).is_some() || self.around(object.0).any(is_lent))
                && self.near.iter().any(|&file| self.may_store(file, name))
    }

    /// Whether code in a file assigns to an attribute of this name, of whatever.
    fn may_store(&self, file: FileId, name: &str) -> bool {
        let text = self.project.text(file);
        [name, "setattr", "__setattr__", "__dict__", "vars"].iter().any(|word| has_name(text, word))
            && (self.found_in(file).stores_any || self.found_in(file).stored.contains(name))
    }

    /// Whether a call without this argument may get another default than the code says.
    pub fn may_change_default(&self, function: Object, parameter: &str, value: &Constant) -> bool {
        let Some(depth) = value.changeable() else { return false };
        let taken = self.taken_by(function, &Parameter::Named(Name::new(parameter)));
        self.may_change_value(function.0, function.1, value) || taken.is_some_and(|taken| taken <= depth)
    }

    /// Whether code may set an environment variable.
    pub fn may_set_variable(&self, name: &str) -> bool {
        self.set_variables().any(|(_, set)| set.may_be(name))
    }

    /// Where code sets environment variables.
    pub fn set_variables(&self) -> impl Iterator<Item = (FileId, &SetVariable)> {
        let words = ["environ", "load_dotenv", "run_path", "run_module"];
        let files = self.where_text(move |text| words.iter().any(|word| has_name(text, word)));
        files.flat_map(|(file, found)| found.variables.iter().map(move |set| (file, set)))
    }

    /// Whether something of a library may be another thing than the library has.
    pub fn replaces(&self, path: &str) -> bool {
        // What else a name stands for is of no account.
        if !is_read_library(path) {
            return false;
        }
        let find = || {
            let files = self.project.parsed().filter(|&(file, facts)| {
                let text = self.project.text(file);
                let sets = || sets_imported(text, facts) || self.sets_alias(file, facts) || sets_method(text);
                (facts.module.sets_attributes && sets() || may_patch(text, facts))
                    && !is_test(&self.project.files[file].relative)
            });
            let files: Vec<FileId> = files.map(|(file, _)| file).collect();
            let replaced = files.into_par_iter().flat_map_iter(|file| self.found_in(file).replaced.clone());
            replaced.collect()
        };
        self.replaced.get_or_init(find).iter().any(|replaced| covers(replaced, path))
    }

    /// Where code initializes the SDK.
    pub fn inits(&self) -> &[Init] {
        self.inits.get_or_init(|| inits::find(self.project))
    }

    /// Where code changes the folders that modules are looked for in.
    pub fn added_paths(&self) -> &[Place] {
        self.added_paths.get_or_init(|| search::find(self.project))
    }

    /// Whether code assigns to an attribute by a name that a file gives what may be of a library.
    fn sets_alias(&self, file: FileId, facts: &FileFacts) -> bool {
        let mut set = facts.module.references.iter().filter(|reference| reference.role == Role::Mutated);
        set.any(|reference| match self.project.resolve(file, reference) {
            [Target::External(_)] => true,
            [Target::Binding(file, binding, _)] => self.project.facts(*file).is_some_and(|facts| {
                let kind = &facts.module.bindings[*binding].kind;
                matches!(kind, BindingKind::Assignment { value, .. } if may_be_alias(&value.kind))
            }),
            _ => false,
        })
    }

    /// Whether the working directory may be another one.
    pub fn moves(&self) -> bool {
        self.where_text(|text| has_name(text, "chdir")).any(|(_, found)| found.moves)
    }
}

impl Found {
    fn in_file(project: &Project, file: FileId, facts: &FileFacts) -> Self {
        let imports = facts.module.imports.iter();
        let from_os = imports.filter(|import| import.from == Some((0, "os".to_owned())));
        let environ = from_os.flat_map(|import| &import.aliases).filter(|alias| alias.name == "environ");
        let environ = environ.map(|alias| alias.asname.as_deref().unwrap_or("environ")).collect();
        let mut look = Look {
            project,
            file,
            facts,
            environ,
            gets_modules: gets_modules(project.text(file), facts),
            modules: FxHashSet::default(),
            classes: FxHashSet::default(),
            class: None,
            taken: WHOLE,
            functions: 0,
            straight: None,
            found: Self::default(),
        };
        if let Ok(tree) = facts.tree(project.text(file), std::iter::empty) {
            look.visit_body(tree.body());
        }
        look.found
    }

    fn add_object(&mut self, object: Object, depth: usize) {
        let known = self.objects.entry(object).or_insert(depth);
        *known = depth.min(*known);
    }
}

/// Whether a name, or one that ends like it, stands anywhere in a text.
fn has_name(text: &str, name: &str) -> bool {
    let goes_on =
        |at: usize| text.as_bytes().get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    memmem::find_iter(text.as_bytes(), name).any(|at| !goes_on(at + name.len()))
}

/// Whether a line looks as if it sets an attribute of what an import brings of a library that is read: references tell of
/// the project and of flyte only.
fn sets_imported(text: &str, facts: &FileFacts) -> bool {
    let names: FxHashSet<&str> = facts
        .module
        .imports
        .iter()
        .flat_map(|import| {
            let is_read = |alias: &&Alias| {
                let module = import.from.as_ref().map_or(&alias.name, |(_, module)| module);
                is_read_library(module)
            };
            import.aliases.iter().filter(is_read)
        })
        .filter_map(|alias| alias.asname.as_deref().or_else(|| alias.name.split('.').next()))
        .collect();
    text.lines().any(|line| {
        let line = line.trim_start();
        let set = match line.strip_prefix("del ") {
            Some(deleted) => deleted,
            None => line.split('(').next().and_then(|line| line.rsplit_once('=')).map_or("", |(set, _)| set),
        };
        let mut words = set.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.')));
        words.any(|word| word.split_once('.').is_some_and(|(root, _)| names.contains(root)))
    })
}

/// Whether a value may be what another name stands for: `other = flyte.Image`
fn may_be_alias(value: &ValueKind) -> bool {
    matches!(value, ValueKind::Name(_) | ValueKind::Opaque)
}

/// Whether code may assign to a method of images: `type(image).with_commands = …`
fn sets_method(text: &str) -> bool {
    signature::CONSTRUCTORS.iter().chain(signature::METHODS).any(|method| {
        memmem::find_iter(text.as_bytes(), method.name).any(|at| {
            text[..at].ends_with('.')
                && text[at + method.name.len()..].trim_start_matches([' ', '\t', '\\', '\n']).starts_with('=')
        })
    })
}

/// Whether code may get modules by names that are not known.
fn gets_modules(text: &str, facts: &FileFacts) -> bool {
    // `from sys import modules`, `import sys as system`
    let hides_modules = |import: &ImportStatement| match &import.from {
        Some((_, module)) => module == "sys" && import.aliases.iter().any(|alias| alias.name == "modules"),
        None => import.aliases.iter().any(|alias| alias.name == "sys" && alias.asname.is_some()),
    };
    ["import_module", "__import__", "sys.modules", "resolve_name"].iter().any(|name| has_name(text, name))
        || has_name(text, "modules") && facts.module.imports.iter().any(hides_modules)
}

/// Whether code runs files as scripts, in which anything may stand.
fn runs_files(text: &str) -> bool {
    ["run_path", "run_module"].iter().any(|name| has_name(text, name))
}

/// Whether code may get at what names do not lead to: `module.__dict__`, `type(value).NAME = …`
fn reaches_inside(text: &str, facts: &FileFacts) -> bool {
    // `type(value).__name__` and the like are only read.
    let sets_class = |line: &str| {
        let of_class = line.split_once("type(").map_or("", |(_, rest)| rest);
        of_class.split(").").skip(1).any(|attribute| !attribute.starts_with("__"))
            || line.split_once('=').is_some_and(|(_, value)| value.trim_start().starts_with("type("))
    };
    has_name(text, "__dict__")
        || (facts.module.sets_attributes || has_name(text, "setattr"))
            && (has_name(text, "__class__") || text.lines().any(sets_class))
}

/// What becomes of the value of an expression: from which depth on it gets somewhere else. 0 is the value itself, 1 is
/// what is in it; nothing at all if it is only looked at.
type Taken = Option<usize>;

const WHOLE: Taken = Some(0);
const PARTS: Taken = Some(1);

/// Of a value whose items are shared with one that is taken so: `[*value]`, `value.copy()`.
fn shared(taken: Taken) -> Taken {
    taken.map(|depth| depth.max(1))
}

/// Of a value that holds one that is taken so.
fn around(taken: Taken) -> Taken {
    taken.map(|depth| depth + 1)
}

/// Of a value in one that is taken so.
fn inside(taken: Taken) -> Taken {
    taken.map(|depth| depth.saturating_sub(1))
}

/// Whether a dotted path leads into a library whose functions are known.
fn is_read_library(path: &str) -> bool {
    let root = path.split('.').next().unwrap_or_default();
    matches!(root, "flyte" | "os" | "pathlib" | "sys") || root.starts_with("flyteplugins")
}

/// Names for names end here.
const MAX_NAMES: usize = 8;

/// Functions of Python that look at their arguments only.
const READERS: [&str; 14] = [
    "len",
    "str",
    "repr",
    "print",
    "bool",
    "int",
    "float",
    "any",
    "all",
    "range",
    "isinstance",
    "hasattr",
    "type",
    "id",
];

/// Functions of Python whose result holds what is in their arguments.
const COLLECTORS: [&str; 10] =
    ["list", "tuple", "set", "frozenset", "dict", "sorted", "sum", "enumerate", "zip", "reversed"];

/// Methods that leave what they are called on as it is, and keep none of their arguments.
fn is_reading(method: &str) -> bool {
    matches!(
        method,
        "get"
            | "items"
            | "keys"
            | "values"
            | "copy"
            | "index"
            | "count"
            | "format"
            | "join"
            | "lower"
            | "upper"
            | "strip"
            | "lstrip"
            | "rstrip"
            | "split"
            | "splitlines"
            | "replace"
            | "startswith"
            | "endswith"
            | "removeprefix"
            | "removesuffix"
            | "title"
            | "encode"
            | "joinpath"
            | "exists"
            | "is_file"
            | "is_dir"
            | "resolve"
            | "absolute"
            | "with_name"
            | "with_suffix"
            | "debug"
            | "info"
            | "warning"
            | "error"
    ) || signature::method(method).is_some()
        || signature::constructor(method).is_some()
}

/// What a method takes from what it is called on, if its result is taken so.
fn taken_by_method(method: &str, taken: Taken) -> Taken {
    match method {
        "get" => around(taken),
        method if is_reading(method) => shared(taken),
        _ => WHOLE,
    }
}

/// A module that is the value of an expression.
#[derive(Debug, Clone, Copy)]
enum Module {
    File(FileId),
    Unknown,
}

struct Look<'p> {
    project: &'p Project,
    file: FileId,
    facts: &'p FileFacts,
    /// Names for `os.environ`.
    environ: Vec<&'p str>,
    /// Whether modules are got by names that may not be known.
    gets_modules: bool,
    /// Names that were given such modules.
    modules: FxHashSet<Name>,
    /// Names that were given the class of a value.
    classes: FxHashSet<Name>,
    /// The class at the top level whose body is looked at, and its names.
    class: Option<(BindingId, FxHashSet<Name>)>,
    /// What becomes of the value of the expression at hand.
    taken: Taken,
    /// How many functions there are around the code at hand.
    functions: usize,
    /// The parameters of the function at hand, if it only gives names to values and returns one.
    straight: Option<Vec<(Name, Taken)>>,
    found: Found,
}

impl<'p> Look<'p> {
    fn look(&mut self, taken: Taken, expr: &Expr) {
        let outer = std::mem::replace(&mut self.taken, taken);
        self.visit_expr(expr);
        self.taken = outer;
    }

    /// Looks at everything in an expression.
    fn inside(&mut self, taken: Taken, expr: &Expr) {
        let outer = std::mem::replace(&mut self.taken, taken);
        source_order::walk_expr(self, expr);
        self.taken = outer;
    }

    fn targets(&self, expr: &Expr) -> &'p [Target] {
        let reference = self.facts.reference_at(expr.range());
        reference.map_or(&[], |reference| self.project.resolve(self.file, reference))
    }

    /// The same of what something is read from: `module` in `module.__setattr__`.
    fn inner_targets(&self, expr: &Expr) -> Vec<Target> {
        match (self.targets(expr), root_of(expr)) {
            ([], Some(root)) => {
                self.project.look_up(self.file, &root.id, &attributes_of(expr), expr.range().start())
            }
            (targets, _) => targets.to_vec(),
        }
    }

    /// What is in a package can be got at through it.
    fn module_is_taken(&mut self, module: FileId, taken: Taken) {
        let Some(depth) = taken else { return };
        let below = self.project.index.files_of_package(module);
        let modules = std::iter::once(module).chain(below);
        if depth == 0 {
            self.found.modules.extend(modules);
        } else {
            self.found.objects_of.extend(modules);
        }
    }

    fn object_is_taken(&mut self, file: FileId, binding: BindingId, taken: Taken) {
        if let Some(depth) = taken {
            self.found.add_object((file, binding), depth);
        }
    }

    fn is_class(&self, file: FileId, binding: BindingId) -> bool {
        self.project.facts(file).is_some_and(|facts| {
            let bound = &facts.module.bindings[binding];
            let is_function =
                matches!(facts.module.definitions.get(&bound.owner), Some(Definition::Function { .. }));
            bound.kind == BindingKind::Definition && !is_function
        })
    }

    /// A parameter of the function at hand, or an attribute of it.
    fn parameter(&mut self, expr: &Expr, taken: Taken) {
        let (Some(root), Some(parameters)) = (root_of(expr), &mut self.straight) else { return };
        let taken = match expr {
            Expr::Attribute(attribute) if is_reading(&attribute.attr) => shared(taken),
            Expr::Attribute(_) => WHOLE,
            _ => taken,
        };
        for (_, known) in parameters.iter_mut().filter(|(name, _)| *name == root.id) {
            *known = [*known, taken].into_iter().flatten().min();
        }
    }

    /// `name.attribute.attribute`
    fn chain(&mut self, expr: &Expr) {
        let taken = self.taken;
        self.parameter(expr, taken);
        if taken == WHOLE {
            let lent = self.name_of_class(expr);
            self.found.lent.extend(lent);
        }
        for target in self.targets(expr) {
            match target {
                Target::Module(module) => self.module_is_taken(*module, taken),
                Target::Folder(place) => {
                    let files = self.project.index.files_below(*place);
                    files.into_iter().for_each(|module| self.module_is_taken(module, taken));
                }
                Target::Binding(file, binding, rest) => {
                    // `image.__dict__["name"] = …`
                    if taken == WHOLE && rest.as_slice() == ["__dict__"] {
                        self.rebind(*file, *binding);
                    }
                    let taken = match rest.last() {
                        None => taken,
                        // `C.PACKAGES` of a class, and what is in it.
                        Some(_) if self.is_class(*file, *binding) => around(taken),
                        Some(method) if is_reading(method) => shared(taken),
                        // A method that is handed on; what a function holds.
                        Some(_) => taken.and(WHOLE),
                    };
                    self.object_is_taken(*file, *binding, taken);
                }
                Target::Unknown => self.dictionary(expr),
                Target::Flyte1(_) | Target::External(_) => {}
            }
        }
    }

    /// The name of the class at hand that an expression begins with.
    fn name_of_class(&self, expr: &Expr) -> Option<(Object, Name)> {
        let (class, names) = self.class.as_ref()?;
        let name = &root_of(expr)?.id;
        names.contains(name).then(|| ((self.file, *class), name.clone()))
    }

    /// `globals`, `frame.f_globals`, `function.__globals__`: what holds the names of a module.
    fn names_of_own(&mut self, expr: &Expr) {
        let mut current = expr;
        while let Expr::Attribute(attribute) = current {
            self.found.stores_any |=
                attribute.attr.as_str() == "__dict__" && self.taken == WHOLE && !is_own(expr);
            if matches!(attribute.attr.as_str(), "f_globals" | "__globals__") {
                self.found.modules.insert(self.file);
                for target in self.targets(expr) {
                    if let Target::Binding(file, ..) = target {
                        self.found.modules.insert(*file);
                    }
                }
            }
            current = &attribute.value;
        }
        if matches!(expr, Expr::Name(name) if matches!(name.id.as_str(), "globals" | "exec" | "eval")) {
            self.found.modules.insert(self.file);
        }
    }

    /// `module.__dict__`, in which every name may be bound anew.
    fn dictionary(&mut self, expr: &Expr) {
        let mut current = expr;
        while let Expr::Attribute(attribute) = current {
            if attribute.attr.as_str() == "__dict__" {
                let Some(reference) = self.facts.reference_at(expr.range()) else { return };
                let depth =
                    reference.attributes.iter().position(|name| name == "__dict__").unwrap_or_default();
                for &binding in &reference.bindings {
                    for target in self.project.follow(self.file, binding, &reference.attributes[..depth], 0) {
                        if let Target::Module(module) = target {
                            self.found.modules.insert(module);
                        }
                    }
                }
                return;
            }
            current = &attribute.value;
        }
    }

    /// What is called by its name: `name.method(…)`.
    fn callee(&mut self, func: &Expr) {
        let taken = self.taken;
        self.parameter(func, if func.is_name_expr() { WHOLE } else { taken });
        for target in self.targets(func) {
            let Target::Binding(file, binding, rest) = target else { continue };
            if matches!(rest.as_slice(), [names, method] if names == "__dict__" && !is_reading(method)) {
                self.rebind(*file, *binding);
            }
            let taken = match rest.last() {
                // An instance has what the class holds.
                None if self.is_class(*file, *binding) => PARTS,
                None => continue,
                Some(_) if self.is_class(*file, *binding) => PARTS,
                Some(method) => taken_by_method(method, taken),
            };
            self.object_is_taken(*file, *binding, taken);
        }
        self.dictionary(func);
        if let Expr::Attribute(attribute) = func {
            self.names_of_own(&attribute.value);
            let is_of_dictionary = last_name(&attribute.value) == "__dict__" && !is_reading(&attribute.attr);
            self.found.stores_any |= is_of_dictionary && !is_own(func);
        }
    }

    fn call(&mut self, call: &ast::ExprCall) {
        let last = last_name(&call.func);
        if let Some(module) = self.called_module(call) {
            return self.module_value(module);
        }
        if self.holds_own_names(call) {
            return self.module_is_taken(self.file, self.taken);
        }
        self.sets_variables(call, last);
        patches(call).into_iter().for_each(|patch| self.patch(patch));
        // What a function runs is of no account to what stands outside of it.
        if self.functions == 0 && runs_files(last) {
            self.found.is_everywhere = true;
            self.set_variable(None, call.range);
        }
        self.found.moves |= last == "chdir";
        match (&*call.func, last) {
            // `vars(module)["NAME"] = …`
            (Expr::Name(_), "vars") if self.taken == WHOLE => {
                self.found.is_everywhere |= call.arguments.args.iter().any(|of| self.is_any_module(of));
                self.found.stores_any = true;
                call.arguments.args.iter().for_each(|of| self.names_are_set(of));
            }
            (Expr::Attribute(function), "__setattr__" | "__delattr__") => self.stores(function, call),
            (Expr::Name(_), "exec" | "eval") if call.arguments.len() == 1 => {
                self.found.modules.insert(self.file);
            }
            (Expr::Attribute(attribute), "exec" | "eval" | "globals")
                if last_name(&attribute.value).contains("builtins") =>
            {
                self.found.modules.insert(self.file);
            }
            (Expr::Name(_), "setattr" | "delattr") if matches!(&*call.arguments.args, [object, name, ..] if self.sets_name(object, name)) =>
            {
                call.arguments.args.iter().skip(1).for_each(|argument| self.look(WHOLE, argument));
                return;
            }
            _ => {}
        }
        match &*call.func {
            func if root_of(func).is_some() => self.callee(func),
            Expr::Attribute(attribute) => {
                let taken = match last {
                    _ if self.is_module(&attribute.value) => PARTS,
                    method => taken_by_method(method, self.taken),
                };
                self.look(taken, &attribute.value);
            }
            func => self.look(WHOLE, func),
        }
        let taken = self.taken_from_arguments(&call.func, last);
        for (position, argument) in call.arguments.arguments_source_order().enumerate() {
            let taken = match (&*call.func, last, position) {
                // What is called gets what is in the others.
                (Expr::Name(_), "map" | "filter", 1..) => PARTS,
                // What it gives cannot bind names of a module.
                (Expr::Name(_), "getattr", 0) if self.is_module(argument.value()) => PARTS,
                (Expr::Name(_), "dict", _) if matches!(argument, ast::ArgOrKeyword::Keyword(_)) => {
                    inside(taken)
                }
                // `**OPTIONS` hands on what is in it.
                _ if matches!(argument, ast::ArgOrKeyword::Keyword(keyword) if keyword.arg.is_none()) => {
                    shared(taken)
                }
                (Expr::Name(_), name, _)
                    if COLLECTORS.contains(&name) && matches!(argument, ast::ArgOrKeyword::Keyword(_)) =>
                {
                    WHOLE
                }
                _ => taken,
            };
            let is_placed = !call.arguments.args.iter().take(position).any(Expr::is_starred_expr);
            if !is_placed || !self.passes(&call.func, position, argument) {
                self.look(taken, argument.value());
            }
        }
    }

    /// Whether an argument is an object, passed to a function of the project that is understood.
    fn passes(&mut self, func: &Expr, position: usize, argument: ast::ArgOrKeyword<'_>) -> bool {
        let [Target::Binding(file, binding, rest)] = self.targets(func) else { return false };
        let facts = self.project.facts(*file).filter(|_| rest.is_empty());
        let is_straight = facts.is_some_and(|facts| {
            let owner = facts.module.bindings[*binding].owner;
            matches!(
                facts.module.definitions.get(&owner),
                Some(Definition::Function { is_straight: true, .. })
            )
        });
        let [Target::Binding(object_file, object, attributes)] = self.targets(argument.value()) else {
            return false;
        };
        if !is_straight || !attributes.is_empty() {
            return false;
        }
        let parameter = match argument {
            ast::ArgOrKeyword::Keyword(keyword) => match &keyword.arg {
                Some(name) => Parameter::Named(name.id.clone()),
                None => return false,
            },
            ast::ArgOrKeyword::Arg(_) => Parameter::Position(position),
        };
        let object = (*object_file, *object);
        self.found.passed.push(Passed { function: (*file, *binding), parameter, object });
        true
    }

    /// What a name at the top level is bound by.
    fn global(&self, range: TextRange) -> Option<BindingId> {
        let mut bindings = self.facts.module.bindings.iter();
        bindings.position(|binding| binding.range == range && binding.is_global)
    }

    /// `env = flyte.TaskEnvironment(…, env_vars=VARIABLES)`
    fn holds(&mut self, name: &ast::ExprName, call: &ast::ExprCall) {
        let is_environment = |target: &Target| matches!(target, Target::External(path) if path.starts_with("flyte.") && path.ends_with("Environment"));
        if !self.targets(&call.func).iter().any(is_environment) {
            return;
        }
        let Some(own) = self.global(name.range) else { return };
        for argument in call.arguments.arguments_source_order() {
            if let [Target::Binding(file, binding, rest)] = self.targets(argument.value())
                && rest.is_empty()
            {
                // `**OPTIONS` hands on what is in it.
                let is_spread =
                    matches!(argument, ast::ArgOrKeyword::Keyword(keyword) if keyword.arg.is_none());
                self.found.held.push(((self.file, own), (*file, *binding), usize::from(is_spread)));
            }
        }
    }

    /// `first = second = []`: one changes with the other.
    fn share(&mut self, targets: &[Expr]) {
        let names = targets.iter().filter_map(Expr::as_name_expr).filter(|_| targets.len() > 1);
        let objects: Vec<Object> =
            names.filter_map(|name| Some((self.file, self.global(name.range)?))).collect();
        for &object in &objects {
            let others = objects.iter().filter(|&&other| other != object);
            self.found.twins.extend(others.map(|&other| (other, object)));
        }
    }

    /// Whether an expression is a module of the project.
    fn is_module(&self, expr: &Expr) -> bool {
        matches!(self.targets(expr), [Target::Module(_)]) || self.module(expr).is_some()
    }

    /// Whether an expression is a module that is not known.
    fn is_any_module(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Name(name) => self.modules.contains(&name.id),
            other => matches!(self.module(other), Some(Module::Unknown)),
        }
    }

    /// What becomes of the arguments of a call.
    fn taken_from_arguments(&self, func: &Expr, name: &str) -> Taken {
        // The SDK leaves what it gets as it is.
        let is_flyte = |target: &Target| matches!(target, Target::External(path) if path.split('.').next() == Some("flyte"));
        let is_function = |target: &Target| matches!(target, Target::Binding(_, _, rest) if rest.is_empty());
        let targets = self.targets(func);
        if !targets.is_empty() && targets.iter().all(is_flyte) {
            return None;
        }
        match func {
            Expr::Name(_) if targets.is_empty() && READERS.contains(&name) => None,
            Expr::Name(_) if targets.is_empty() && COLLECTORS.contains(&name) => match name {
                "enumerate" | "zip" => shared(inside(self.taken)),
                _ => shared(self.taken),
            },
            // A function of the project may have that name, too.
            _ if targets.iter().any(is_function) => WHOLE,
            Expr::Attribute(_) if name == "get" => self.taken,
            Expr::Attribute(_) if is_reading(name) => shared(self.taken),
            _ => WHOLE,
        }
    }

    /// What a call patches.
    fn patch(&mut self, patch: Patch<'_>) {
        match patch {
            Patch::Path(path) => self.patch_path(&path),
            Patch::Attribute(object, name) => {
                let path = self.path_outside(object).map(|path| format!("{path}.{name}"));
                self.found.replaced.extend(path);
                self.names_are_set(object);
            }
            Patch::Dict(dict) if self.is_environ(dict) => self.set_variable(None, dict.range()),
            Patch::Dict(dict) => match dict.as_string_literal_expr().map(|path| path.value.to_str()) {
                Some("os.environ") => self.set_variable(None, dict.range()),
                Some(path) => self.patch_path(path),
                None => self.look(WHOLE, dict),
            },
        }
    }

    /// `object.__setattr__(image, "name", …)`, `vars(image)["name"] = …`
    fn names_are_set(&mut self, object: &Expr) {
        if let [Target::Binding(file, binding, rest)] = self.targets(object)
            && rest.is_empty()
        {
            self.rebind(*file, *binding);
        }
    }

    /// What a name is bound to is another thing from now on.
    fn rebind(&mut self, file: FileId, binding: BindingId) {
        if let Some(facts) = self.project.facts(file) {
            let name = facts.module.bindings[binding].name.clone();
            self.found.names.insert((file, name));
        }
    }

    /// What a string names is bound anew.
    fn patch_path(&mut self, path: &str) {
        match self.project.index.attribute_at(self.file, path) {
            Some((module, name)) => drop(self.found.names.insert((module, Name::new(name)))),
            None => drop(self.found.replaced.insert(path.to_owned())),
        }
    }

    /// The dotted path of something of a library.
    fn path_outside(&self, expr: &Expr) -> Option<String> {
        let root = root_of(expr)?;
        let mut targets =
            self.project.look_up(self.file, &root.id, &attributes_of(expr), expr.range().start());
        let mut names: Vec<Name> = Vec::new();
        for _ in 0..MAX_NAMES {
            match &targets[..] {
                [Target::External(path)] => {
                    let names = names.iter().rev().map(Name::as_str);
                    return Some(std::iter::once(path.as_str()).chain(names).collect::<Vec<_>>().join("."));
                }
                // Another name for it.
                [Target::Binding(file, binding, rest)] => {
                    let facts = self.project.facts(*file)?;
                    let BindingKind::Assignment { value, .. } = &facts.module.bindings[*binding].kind else {
                        return None;
                    };
                    names.extend(rest.iter().rev().cloned());
                    targets = self.project.resolve(*file, facts.reference_at(value.range)?).to_vec();
                }
                _ => return None,
            }
        }
        None
    }

    /// `object.__setattr__(value, "NAME", …)`, `value.__setattr__("NAME", …)`
    fn stores(&mut self, function: &ast::ExprAttribute, call: &ast::ExprCall) {
        let (object, name) = match &*call.arguments.args {
            [object, name, _] => (object, name),
            [name, _] => (&*function.value, name),
            _ => return self.found.stores_any = true,
        };
        let is_super = object.as_call_expr().is_some_and(|call| last_name(&call.func) == "super");
        if !is_super && !is_own(object) {
            match name.as_string_literal_expr() {
                Some(name) => drop(self.found.stored.insert(Name::new(name.value.to_str()))),
                None => self.found.stores_any = true,
            }
            self.sets_name(object, name);
        }
    }

    /// `setattr(module, "NAME", …)`: whether no more is bound anew than that name.
    fn sets_name(&mut self, object: &Expr, name: &Expr) -> bool {
        let Some(name) = name.as_string_literal_expr().map(|name| Name::new(name.value.to_str())) else {
            self.found.is_everywhere |= self.is_any_module(object);
            self.found.stores_any |= !is_own(object);
            return false;
        };
        if let Some(module) = self.module(object) {
            self.set_name(module, name);
            return true;
        }
        self.set_attribute(object, &name, self.is_module(object));
        match &self.inner_targets(object)[..] {
            [Target::Module(module)] => self.found.names.insert((*module, name)),
            [Target::Binding(file, binding, rest)] => {
                let first = rest.first().cloned().unwrap_or(name);
                self.found.attributes.insert(((*file, *binding), first));
                return false;
            }
            _ => return false,
        };
        true
    }

    fn set_name(&mut self, module: Module, name: Name) {
        match module {
            Module::File(file) => drop(self.found.names.insert((file, name))),
            Module::Unknown => drop(self.found.anywhere.insert(name)),
        }
    }

    /// `globals()`; `vars()` and `locals()` outside functions.
    fn holds_own_names(&self, call: &ast::ExprCall) -> bool {
        let Expr::Name(name) = &*call.func else { return false };
        call.arguments.is_empty()
            && (name.id.as_str() == "globals"
                || self.functions == 0 && matches!(name.id.as_str(), "vars" | "locals"))
    }

    /// `sys.modules[…]`, `importlib.import_module(…)`
    fn module(&self, expr: &Expr) -> Option<Module> {
        match expr {
            Expr::Subscript(item) if last_name(&item.value) == "modules" => self.module_named(&item.slice),
            Expr::Call(call) => self.called_module(call),
            _ => None,
        }
    }

    fn called_module(&self, call: &ast::ExprCall) -> Option<Module> {
        let is_getter = match last_name(&call.func) {
            "import_module" | "__import__" => true,
            "get" => call.func.as_attribute_expr().is_some_and(|get| last_name(&get.value) == "modules"),
            _ => false,
        };
        self.module_named(call.arguments.args.first().filter(|_| is_getter)?)
    }

    fn module_named(&self, key: &Expr) -> Option<Module> {
        match key {
            Expr::Name(name) if name.id.as_str() == "__name__" => Some(Module::File(self.file)),
            Expr::StringLiteral(name) => {
                let name = name.value.to_str();
                let dotted = name.trim_start_matches('.');
                let level = u32::try_from(name.len() - dotted.len()).ok()?;
                // A module of others is none of the project's.
                self.project.index.resolve(self.file, level, dotted)?.file.map(Module::File)
            }
            _ => Some(Module::Unknown),
        }
    }

    fn module_value(&mut self, module: Module) {
        if let Module::File(file) = module {
            self.module_is_taken(file, self.taken);
        }
    }

    /// What is assigned to, deleted or augmented.
    fn store(&mut self, target: &Expr) {
        match target {
            Expr::Name(_) => {}
            Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
                elts.iter().for_each(|element| self.store(element));
            }
            Expr::Starred(starred) => self.store(&starred.value),
            Expr::Attribute(attribute) => self.store_attribute(target, attribute),
            Expr::Subscript(item) => self.store_item(item),
            _ => self.look(WHOLE, target),
        }
    }

    fn store_attribute(&mut self, target: &Expr, attribute: &ast::ExprAttribute) {
        if self.is_environ(target) {
            self.set_variable(None, target.range());
        } else if let Some(module) = self.module(&attribute.value) {
            self.set_name(module, attribute.attr.id.clone());
        } else if root_of(target).is_none() {
            self.look(WHOLE, &attribute.value);
        }
        let replaced = self.path_outside(target);
        self.found.replaced.extend(replaced);
        let targets = self.targets(target);
        let is_known = matches!(targets, [Target::Binding(_, _, rest)] if rest.is_empty());
        self.set_attribute(&attribute.value, &attribute.attr.id, is_known);
        for target in targets {
            match target {
                Target::Module(module) => drop(self.found.modules.insert(*module)),
                Target::Binding(file, binding, rest) => {
                    if let Some(first) = rest.first() {
                        self.found.add_object((*file, *binding), 0);
                        self.found.attributes.insert(((*file, *binding), first.clone()));
                    } else {
                        self.rebind(*file, *binding);
                    }
                }
                Target::Folder(_) | Target::Flyte1(_) | Target::External(_) | Target::Unknown => {}
            }
        }
    }

    /// `type(value).NAME = …`, and names of what may be any module.
    fn set_attribute(&mut self, object: &Expr, name: &Name, is_known: bool) {
        let is_class = match object {
            Expr::Name(name) => self.classes.contains(&name.id),
            other => is_class_of_value(other),
        };
        if is_class || self.gets_modules && !is_known && !is_own(object) {
            self.found.anywhere.insert(name.clone());
        }
        // `type(image).with_commands = …`
        if is_class && (signature::method(name).is_some() || signature::constructor(name).is_some()) {
            self.found.replaced.insert(format!("flyte.Image.{name}"));
        }
        if !is_own(object) {
            self.found.stored.insert(name.clone());
        }
        let set = self.name_of_class(object);
        self.found.attributes.extend(set);
    }

    fn store_item(&mut self, item: &ast::ExprSubscript) {
        let key = item.slice.as_string_literal_expr().map(|key| key.value.to_str());
        if self.is_environ(&item.value) {
            self.set_variable(key, item.range);
        }
        match (&*item.value, key) {
            (Expr::Call(call), Some(key)) if self.holds_own_names(call) => {
                self.found.names.insert((self.file, Name::new(key)));
            }
            (value, _) => self.look(WHOLE, value),
        }
        self.look(None, &item.slice);
    }

    /// Whether an expression is `os.environ`.
    fn is_environ(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Attribute(attribute) => attribute.attr.as_str() == "environ",
            Expr::Name(name) => self.environ.contains(&name.id.as_str()) || name.id.as_str() == "environ",
            // `getattr(os, "environ")`
            Expr::Call(call) => {
                let name = call.arguments.args.get(1).and_then(Expr::as_string_literal_expr);
                last_name(&call.func) == "getattr"
                    && name.is_some_and(|name| name.value.to_str() == "environ")
            }
            _ => false,
        }
    }

    fn set_variable(&mut self, name: Option<&str>, range: TextRange) {
        let name = name.map(str::to_owned);
        self.found.variables.push(SetVariable { name, range, is_deferred: self.functions > 0 });
    }

    /// `os.environ.setdefault("NAME", …)`, `load_dotenv()`
    fn sets_variables(&mut self, call: &ast::ExprCall, last: &str) {
        if last == "load_dotenv" {
            self.set_variable(None, call.range);
        }
        let is_writing =
            |function: &ast::ExprAttribute| self.is_environ(&function.value) && !is_reading(last);
        if call.func.as_attribute_expr().is_some_and(is_writing) {
            set_by(last, call).into_iter().for_each(|name| self.set_variable(name, call.range));
        }
    }

    fn comprehension(&mut self, elements: &[&Expr], generators: &[ast::Comprehension]) {
        let taken = inside(self.taken);
        for generator in generators {
            self.look(PARTS, &generator.iter);
            self.store(&generator.target);
            generator.ifs.iter().for_each(|test| self.look(None, test));
        }
        elements.iter().for_each(|element| self.look(taken, element));
    }

    fn function(&mut self, function: &ast::StmtFunctionDef) {
        function.decorator_list.iter().for_each(|decorator| self.look(None, &decorator.expression));
        let parameters = function.parameters.iter_non_variadic_params();
        parameters.filter_map(|parameter| parameter.default()).for_each(|default| self.look(WHOLE, default));
        let annotations = function.parameters.iter().filter_map(ast::AnyParameterRef::annotation);
        let annotations = annotations.chain(function.returns.as_deref());
        annotations.for_each(|annotation| self.look(None, annotation));
        let own = self.global(function.name.range);
        let names = function.parameters.posonlyargs.iter().chain(&function.parameters.args);
        let names = names.chain(&function.parameters.kwonlyargs);
        let parameters = names.map(|parameter| (parameter.name().id.clone(), None)).collect();
        let around = self.straight.replace(parameters);
        let class = self.class.take();
        self.functions += 1;
        self.visit_body(&function.body);
        self.functions -= 1;
        self.class = class;
        let parameters = std::mem::replace(&mut self.straight, around).unwrap_or_default();
        self.found.functions.extend(own.map(|own| ((self.file, own), parameters)));
    }
}

/// `type(value)`, `value.__class__`
fn is_class_of_value(expr: &Expr) -> bool {
    match expr {
        Expr::Call(call) => last_name(&call.func) == "type" && call.arguments.len() == 1,
        other => last_name(other) == "__class__",
    }
}

/// `self.attribute`, which belongs to objects of the class at hand.
fn is_own(object: &Expr) -> bool {
    root_of(object).is_some_and(|root| matches!(root.id.as_str(), "self" | "cls"))
}

/// The name that a statement gives to a value.
fn given_name(stmt: &Stmt) -> Option<&Name> {
    let target = match stmt {
        Stmt::Assign(assign) => assign.targets.first()?,
        Stmt::AnnAssign(assign) => &assign.target,
        _ => return None,
    };
    target.as_name_expr().map(|name| &name.id)
}

/// The last name of `name.attribute.attribute`, or of what is behind another expression.
fn last_name(expr: &Expr) -> &str {
    match expr {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => "",
    }
}

impl<'a> SourceOrderVisitor<'a> for Look<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => self.function(function),
            Stmt::ClassDef(class) => {
                class.decorator_list.iter().for_each(|decorator| self.look(WHOLE, &decorator.expression));
                let arguments =
                    class.arguments.iter().flat_map(|arguments| arguments.arguments_source_order());
                arguments.for_each(|argument| self.look(PARTS, argument.value()));
                let names = class.body.iter().filter_map(given_name).cloned().collect();
                let own = self.global(class.name.range).map(|own| (own, names));
                let around = std::mem::replace(&mut self.class, own);
                self.visit_body(&class.body);
                self.class = around;
            }
            Stmt::Assign(assign) => {
                if self.is_environ(&assign.value) {
                    self.set_variable(None, assign.range);
                }
                let is_unpacked =
                    assign.targets.iter().all(|target| target.is_tuple_expr() || target.is_list_expr());
                let is_written = assign.value.is_tuple_expr() || assign.value.is_list_expr();
                let taken = if is_unpacked && !is_written { PARTS } else { WHOLE };
                self.look(taken, &assign.value);
                if let [Expr::Name(name)] = &assign.targets[..] {
                    if let Expr::Call(call) = &*assign.value {
                        self.holds(name, call);
                    }
                    if is_class_of_value(&assign.value) {
                        self.classes.insert(name.id.clone());
                    }
                    if self.is_any_module(&assign.value) {
                        self.modules.insert(name.id.clone());
                    }
                }
                self.share(&assign.targets);
                assign.targets.iter().for_each(|target| self.store(target));
            }
            Stmt::AnnAssign(assign) => {
                self.look(None, &assign.annotation);
                assign.value.iter().for_each(|value| self.look(WHOLE, value));
                self.store(&assign.target);
            }
            Stmt::AugAssign(assign) => {
                self.look(PARTS, &assign.value);
                self.store(&assign.target);
                // `packages += […]` changes the list under all of its names.
                self.look(WHOLE, &assign.target);
            }
            Stmt::Delete(delete) => delete.targets.iter().for_each(|target| self.store(target)),
            Stmt::For(node) => {
                self.look(PARTS, &node.iter);
                self.store(&node.target);
                self.visit_body(&node.body);
                self.visit_body(&node.orelse);
            }
            Stmt::With(with) => {
                for item in &with.items {
                    self.look(WHOLE, &item.context_expr);
                    item.optional_vars.iter().for_each(|target| self.store(target));
                }
                self.visit_body(&with.body);
            }
            Stmt::While(node) => {
                self.look(None, &node.test);
                self.visit_body(&node.body);
                self.visit_body(&node.orelse);
            }
            Stmt::If(node) => {
                self.look(None, &node.test);
                self.visit_body(&node.body);
                for clause in &node.elif_else_clauses {
                    clause.test.iter().for_each(|test| self.look(None, test));
                    self.visit_body(&clause.body);
                }
            }
            Stmt::Expr(statement) => self.look(None, &statement.value),
            Stmt::Assert(assert) => {
                self.look(None, &assert.test);
                assert.msg.iter().for_each(|message| self.look(None, message));
            }
            _ => source_order::walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        let taken = self.taken;
        match expr {
            _ if root_of(expr).is_some() => {
                self.names_of_own(expr);
                self.chain(expr);
            }
            Expr::Call(call) => self.call(call),
            Expr::Subscript(item) => {
                match self.module(expr) {
                    Some(module) => self.module_value(module),
                    None if item.slice.is_slice_expr() => self.look(shared(taken), &item.value),
                    None => self.look(around(taken), &item.value),
                }
                self.look(None, &item.slice);
            }
            Expr::Attribute(attribute) => {
                self.names_of_own(expr);
                self.look(PARTS, &attribute.value);
            }
            Expr::Starred(starred) => self.look(around(taken), &starred.value),
            Expr::BinOp(_) => self.inside(shared(taken), expr),
            Expr::BoolOp(_) => self.inside(taken, expr),
            Expr::If(choice) => {
                self.look(None, &choice.test);
                self.look(taken, &choice.body);
                self.look(taken, &choice.orelse);
            }
            Expr::Compare(_) | Expr::UnaryOp(_) | Expr::FString(_) => self.inside(None, expr),
            Expr::List(_) | Expr::Tuple(_) | Expr::Set(_) => self.inside(inside(taken), expr),
            Expr::Dict(dict) => {
                for item in &dict.items {
                    item.key.iter().for_each(|key| self.look(None, key));
                    // `{**other}` takes what is in it.
                    let taken = if item.key.is_some() { inside(taken) } else { shared(taken) };
                    self.look(taken, &item.value);
                }
            }
            Expr::ListComp(comp) => self.comprehension(&[&comp.elt], &comp.generators),
            Expr::SetComp(comp) => self.comprehension(&[&comp.elt], &comp.generators),
            Expr::Generator(comp) => self.comprehension(&[&comp.elt], &comp.generators),
            Expr::DictComp(comp) => self.comprehension(&[&comp.key, &comp.value], &comp.generators),
            Expr::Lambda(_) => {
                self.functions += 1;
                self.inside(WHOLE, expr);
                self.functions -= 1;
            }
            _ => self.inside(WHOLE, expr),
        }
    }
}
