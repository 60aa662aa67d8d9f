//! Finds the images of Flyte 2 code, and the tasks that use them.
//!
//! ```python
//! image = flyte.Image.from_debian_base(name="train").with_pip_packages("pandas")
//! env = flyte.TaskEnvironment("train", image=image)
//!
//! @env.task
//! def train(): ...
//! ```

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;
use rustc_hash::FxHashSet;
use rustpython_ast::visitor::source_order::{self, SourceOrderVisitor};
use rustpython_ast::{self as ast, Expr, Stmt};

use super::changes::Changes;
use super::constant::Constant;
use super::entry::Key;
use super::environment::{
    Argument, EnvironmentKind, argument, environment_kind, image_of, image_places, sets_image,
};
use super::environment_check::{problems, without_image};
use super::evaluate::{Built, Evaluator, Helper, Place, Problem, Scope, Settings, Trees, Unknown, root_of};
use super::scope::Frame;
use super::trace::{
    bound_value, hands_on_constructor, is_constructor, is_constructor_path, is_foreign, is_image_class,
    is_method_name, may_add_to_image, may_be_environment, may_give_image, may_hold_environment,
};
use super::{frozen, signature};
use crate::flyte1::file::FileFacts;
use crate::image::Image;
use crate::image::disk::Disk;
use crate::project::link::Target;
use crate::project::{FileId, Project};
use crate::python::Ranged;
use crate::python::ast::name::Name;
use crate::python::module_path::ImportPath;
use crate::python::scope::{Binding, BindingId, BindingKind, Role};
use crate::source::TextRange;

/// An image of Flyte 2 code.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundImage {
    /// The name at the top level of the module that it is assigned to.
    pub variable: Option<String>,
    /// Other names at the top level that stand for it: `first = second = …`, `other = first`.
    pub aliases: Vec<String>,
    /// Whether other images are cloned from it, and it is used for nothing else.
    pub is_only_cloned: bool,
    /// The whole chain.
    pub place: Place,
    /// What it comes to, where its layers are written, what is unknown, what the SDK refuses.
    pub built: Built,
    /// The tasks that run in it, as Flyte calls them: `environment.function`.
    pub tasks: Vec<String>,
    /// Whether flyte itself starts some of them; containers of others need none.
    pub needs_flyte: bool,
}

impl FoundImage {
    fn new(place: Place, built: Built) -> Self {
        Self {
            variable: None,
            aliases: Vec::new(),
            is_only_cloned: false,
            place,
            built,
            tasks: Vec::new(),
            needs_flyte: false,
        }
    }

    /// The image, if all of it is known and the SDK takes it.
    pub fn known(&self) -> Option<&Image> {
        self.built.is_known().then_some(&self.built.image)
    }
}

/// Environments whose images lead in circles end here.
const MAX_DEPTH: usize = 16;

/// What is found in the files of a project.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// The images, by file and place.
    pub images: Vec<FoundImage>,
    /// What is wrong with the task environments.
    pub problems: Vec<Problem>,
}

/// Finds the images and environments in all parsed files.
pub fn read(project: &Project, settings: &Settings, disk: &Disk) -> Found {
    let related = files_with_flyte2(project);
    let files = related.iter().filter(|&(&file, &imports)| imports || uses_others(project, file));
    let files: Vec<FileId> = files.map(|(&file, _)| file).collect();
    if files.is_empty() {
        return Found::default();
    }
    let changes = Changes::of(project, &files);
    let related = Related {
        has_aliases: related.keys().any(|&file| hands_on_constructor(project.text(file))),
        files: related,
    };
    let read = |&file: &FileId| read_file(project, settings, (disk, &changes), file, &related);
    let parts: Vec<Part> = files.par_iter().map(read).collect();
    let mut found = Found::default();
    let mut environments = Vec::new();
    let (mut called, mut tasks) = (Vec::new(), decorated(project));
    let (mut written, mut aliases): (Vec<FoundImage>, Vec<(Place, Vec<String>)>) = Default::default();
    for part in parts {
        called.extend(part.called);
        tasks.extend(part.tasks);
        found.images.extend(part.images);
        found.problems.extend(part.problems);
        environments.extend(part.environments);
        written.extend(part.written);
        aliases.extend(part.aliases);
    }
    called.retain(|called| called.is_only_called(project));
    found.images.retain(|image| !called.iter().any(|called| called.is_at(image.place)));
    let trees = Trees::default();
    let evaluator = Evaluator::new(project, &trees, settings, disk, &changes);
    for environment in &mut environments {
        // One of several that come from the same code: the calls of a function, the rounds of a comprehension.
        if let Some((place, built)) = environment.built.take()
            && !found
                .images
                .iter()
                .any(|image| image.place == built.place && image.built.image == built.image)
        {
            environment.images = vec![place];
            if !found.images.iter().any(|image| image.place == place) {
                found.images.push(FoundImage::new(place, built));
            }
        }
        let is_found = |place: &Place| found.images.iter().chain(&written).any(|image| image.place == *place);
        if let Some(place) = environment.image.filter(|_| !environment.images.iter().any(is_found)) {
            found.images.push(unknown_image(&evaluator, place, Vec::new()));
            environment.images = vec![place];
        }
    }
    found.images.extend(written.iter().cloned());
    give_tasks(&evaluator, &mut found.images, &environments, &tasks);
    let is_written = |image: &FoundImage| written.iter().any(|written| written.place == image.place);
    found.images.retain(|image| !image.tasks.is_empty() || !is_written(image));
    for image in &mut found.images {
        let own = aliases.iter().filter(|(place, _)| *place == image.place);
        image.aliases.extend(own.flat_map(|(_, names)| names.iter().cloned()));
        image.is_only_cloned = is_only_cloned(project, image);
        evaluator.note_what_comes_later(image.place.file, &mut image.built);
    }
    found.images.sort_by_key(|image| (image.place.file, image.place.range.start()));
    found
}

/// Whether a clone without a name is there only for others to be cloned from it.
fn is_only_cloned(project: &Project, image: &FoundImage) -> bool {
    let is_nameless = image.built.image.is_cloned && image.built.image.name.is_none();
    let (Some(variable), Some(facts), true) = (&image.variable, project.facts(image.place.file), is_nameless)
    else {
        return false;
    };
    let holds = |binding: &Binding| match &binding.kind {
        BindingKind::Assignment { value, .. } => {
            binding.name == *variable && value.range.contains_range(image.place.range)
        }
        _ => false,
    };
    let Some(own) = facts.module.bindings.iter().position(holds) else { return false };
    let files = project.parsed();
    let reads = files.flat_map(|(file, facts)| {
        facts.module.references.iter().flat_map(move |reference| project.resolve(file, reference))
    });
    let mut uses = reads.filter_map(|target| match target {
        Target::Binding(file, binding, rest) if (*file, *binding) == (image.place.file, own) => Some(rest),
        _ => None,
    });
    let mut is_used = false;
    let are_clones = uses.all(|rest| {
        is_used = true;
        rest.as_slice() == ["clone"]
    });
    is_used && are_clones
}

/// The parsed files that name images or environments of Flyte 2, and those that import them, directly or through others;
/// and whether each imports Flyte 2 itself.
fn files_with_flyte2(project: &Project) -> BTreeMap<FileId, bool> {
    let named: FxHashSet<FileId> = project
        .parsed()
        .filter(|&(file, facts)| {
            names_images(project, file, facts) || imports_flyte2(facts) && uses_others(project, file)
        })
        .map(|(file, _)| file)
        .collect();
    let reached = project.importers(&named);
    let imports = |file| project.facts(file).is_some_and(imports_flyte2);
    reached.into_iter().map(|file| (file, imports(file))).collect()
}

/// The files that may hold images.
struct Related {
    /// The files, and whether they take anything from Flyte 2.
    files: BTreeMap<FileId, bool>,
    /// Whether a constructor of images may have another name in one of them.
    has_aliases: bool,
}

fn imports_flyte2(facts: &FileFacts) -> bool {
    facts.module.star_imports.iter().any(is_flyte2)
        || facts.module.bindings.iter().any(|binding| match &binding.kind {
            BindingKind::Import(path) => is_flyte2(path),
            _ => false,
        })
}

fn is_flyte2(path: &ImportPath) -> bool {
    path.level == 0 && path.root() == "flyte"
}

/// Whether a file takes anything from Flyte 2 that is called as images and environments are.
fn names_images(project: &Project, file: FileId, facts: &FileFacts) -> bool {
    let is_named = |target: &Target| {
        matches!(target, Target::External(path)
            if path.starts_with("flyte") && (path.contains("Image") || path.contains("Environment")))
    };
    let mut references = facts.module.references.iter();
    facts.module.star_imports.iter().any(is_flyte2)
        || references.any(|reference| project.resolve(file, reference).iter().any(is_named))
}

/// Whether a file may add to images of others, or take environments out of something of others.
fn uses_others(project: &Project, file: FileId) -> bool {
    [".with_", ".clone(", ").task", "].task"].iter().any(|word| project.text(file).contains(word))
}

/// What is found in one file.
#[derive(Debug, Default)]
struct Part {
    images: Vec<FoundImage>,
    environments: Vec<Environment>,
    /// Images that environments name by strings, or have without naming one; they count if there are tasks in them.
    written: Vec<FoundImage>,
    /// Other names for the image at a place.
    aliases: Vec<(Place, Vec<String>)>,
    problems: Vec<Problem>,
    called: Vec<Called>,
    tasks: Vec<Task>,
}

/// A function that an environment makes a task of.
#[derive(Debug)]
struct Task {
    /// What makes it one: `env.task`.
    maker: Place,
    function: String,
}

/// A function whose calls give images.
#[derive(Debug)]
struct Called {
    file: FileId,
    binding: BindingId,
    /// The whole of it.
    range: TextRange,
}

impl Called {
    fn of(helper: &Helper<'_>) -> Self {
        Self { file: helper.file, binding: helper.binding, range: helper.function.range }
    }

    /// Whether what stands at a place is an image of its own for each call.
    fn is_at(&self, place: Place) -> bool {
        place.file == self.file && self.range.contains_range(place.range)
    }

    /// Whether it is only called: then every image that it gives is found at a call.
    fn is_only_called(&self, project: &Project) -> bool {
        project.parsed().all(|(file, facts)| {
            facts.module.references.iter().all(|reference| {
                let is_it = |target: &Target| {
                    matches!(target, Target::Binding(file, binding, _) if (*file, *binding) == (self.file, self.binding))
                };
                let is_call = matches!(reference.role, Role::Callee(_) | Role::CalleeOf(_));
                is_call || !project.resolve(file, reference).iter().any(is_it)
            })
        })
    }
}

/// A task environment.
#[derive(Debug)]
struct Environment {
    /// What it is assigned to.
    keys: Vec<Key>,
    name: Option<String>,
    /// The task that it is made for.
    own: Option<String>,
    /// What stands for its image, unless that is a string.
    image: Option<Place>,
    /// The chain of its image; several where it is not certain which.
    images: Vec<Place>,
    /// Where its image is given and what it comes to, if that is certain.
    built: Option<(Place, Built)>,
}

fn read_file(
    project: &Project,
    settings: &Settings,
    (disk, changes): (&Disk, &Changes<'_>),
    file: FileId,
    related: &Related,
) -> Part {
    let trees = Trees::default();
    let evaluator = Evaluator::new(project, &trees, settings, disk, changes);
    let Some(tree) = trees.get(project, file) else { return Part::default() };
    let mut finder = Finder {
        evaluator: &evaluator,
        file,
        related,
        frames: Vec::new(),
        class: None,
        assigned: &[],
        part: Part::default(),
    };
    tree.body().iter().for_each(|stmt| finder.visit_stmt(stmt));
    let mut part = finder.part;
    drop_steps(project, file, &mut part);
    part
}

/// `image = image.with_…`: what a name held before it was bound to another image is a step on the way, unless something
/// uses it. What it is bound to that is no image, such as `harden(image)`, may still be made of it.
fn drop_steps(project: &Project, file: FileId, part: &mut Part) {
    let Some(facts) = project.facts(file) else { return };
    let used: Vec<Place> =
        part.environments.iter().flat_map(|environment| environment.images.clone()).collect();
    let named: Vec<(String, TextRange)> =
        part.images.iter().filter_map(|image| Some((image.variable.clone()?, image.place.range))).collect();
    let is_image = |binding: &Binding| {
        let BindingKind::Assignment { value, .. } = &binding.kind else { return false };
        named.iter().any(|(name, range)| binding.name == *name && value.range.contains_range(*range))
    };
    let is_last = |image: &FoundImage| {
        let Some(variable) = &image.variable else { return true };
        let mut bindings =
            facts.module.bindings.iter().filter(|binding| binding.is_global && binding.name == *variable);
        let Some(own) = bindings.clone().find(|binding| {
            matches!(&binding.kind, BindingKind::Assignment { value, .. } if value.range.contains_range(image.place.range))
        }) else {
            return true;
        };
        let next = bindings.find(|other| other.range.start() > own.range.start() && other.is_unconditional);
        !(own.is_unconditional && next.is_some_and(is_image))
    };
    part.images.retain(|image| is_last(image) || used.contains(&image.place));
}

struct Finder<'e, 'a> {
    evaluator: &'e Evaluator<'a>,
    file: FileId,
    related: &'e Related,
    frames: Vec<Frame<'a>>,
    /// The class at the top level whose body is looked at.
    class: Option<&'a ast::StmtClassDef>,
    /// What the expression at hand is assigned to.
    assigned: &'a [Expr],
    part: Part,
}

impl<'a> Finder<'_, 'a> {
    fn scope(&self) -> Scope<'_, 'a> {
        Scope { file: self.file, frames: &self.frames }
    }

    fn in_frame(&mut self, frame: Frame<'a>, walk: impl FnOnce(&mut Self)) {
        self.frames.push(frame);
        walk(self);
        self.frames.pop();
    }

    fn assign(&mut self, targets: &'a [Expr], value: &'a Expr) {
        if let ([target], Some(values)) = (targets, written_out(value))
            && let Some(targets) = written_out(target).filter(|targets| targets.len() == values.len())
        {
            for (target, value) in targets.iter().zip(values) {
                self.assign(std::slice::from_ref(target), value);
            }
            return;
        }
        match (targets, value) {
            (_, Expr::Name(_) | Expr::Attribute(_) | Expr::Subscript(_)) if !self.is_alias(value) => {
                self.alias(targets, value);
                self.visit_expr(value);
            }
            // Another name for a constructor is followed where it is called.
            ([Expr::Name(_)], Expr::Attribute(_)) if self.is_alias(value) => {}
            _ => {
                self.assigned = targets;
                self.visit_expr(value);
                self.assigned = &[];
            }
        }
    }

    /// `other = image`
    fn alias(&mut self, targets: &'a [Expr], value: &'a Expr) {
        let names = targets.iter().filter_map(Expr::as_name_expr).filter(|_| self.frames.is_empty());
        let names: Vec<String> = names.map(|name| name.id.to_string()).collect();
        if let ([place], false) =
            (&image_places(self.evaluator, self.scope(), value, (0, 0))[..], names.is_empty())
        {
            self.part.aliases.push((*place, names));
        }
    }

    /// `this if test else that`: the name stands for the one that is chosen, or for both where both are made here.
    fn choice(&mut self, choice: &'a ast::ExprIf) {
        let assigned = std::mem::take(&mut self.assigned);
        self.visit_expr(&choice.test);
        let values = [(&choice.body, true), (&choice.orelse, false)];
        let chosen = self.evaluator.evaluate(self.scope(), &choice.test).ok().map(|test| test.is_true());
        let are_made = values.iter().all(|(value, _)| matches!(***value, Expr::Call(_) | Expr::If(_)));
        for (value, side) in values {
            let has_name = chosen.map_or(are_made, |chosen| chosen == side);
            self.assigned = if has_name { assigned } else { &[] };
            self.visit_expr(value);
        }
        self.assigned = &[];
    }

    /// Looks at a call; whether it is an image, so that its receivers need no look of their own.
    fn call(&mut self, call: &'a ast::ExprCall) -> bool {
        let assigned = std::mem::take(&mut self.assigned);
        let project = self.evaluator.project;
        let may_hold = |file| self.related.files.contains_key(&file) || uses_others(project, file);
        let helper = self.evaluator.helper_in(self.scope(), &call.func, may_hold);
        let is_class = is_image_class(self.evaluator, self.file, &call.func);
        let is_followed = is_image_call(call)
            || is_class
            || helper.is_some()
            || call.func.is_name_expr() && self.is_alias(&call.func);
        if let Some(built) = is_followed.then(|| self.built(call)).flatten() {
            self.part.called.extend(helper.map(|helper| Called::of(&helper)));
            self.found(assigned, call.range, built);
            return true;
        }
        if let Some(kind) = environment_kind(self.evaluator, self.scope(), call) {
            self.environment(call, kind, assigned);
            return false;
        }
        if let ("task", [Expr::Name(function)]) = (last_name(&call.func), &*call.arguments.args) {
            let maker = self.scope().place(call.func.range());
            self.part.tasks.push(Task { maker, function: function.id.to_string() });
        }
        if let Some(place) = self.looked_up(call) {
            self.found(assigned, call.range, unknown(self.evaluator, place));
            return true;
        }
        let adds = call.func.as_attribute_expr();
        let is_image = adds.is_some_and(|attribute| may_add_to_image(self.evaluator, self.file, attribute))
            || may_give_image(self.evaluator, self.file, call);
        if is_image {
            let place = self.scope().place(call.range);
            self.found(assigned, call.range, unknown(self.evaluator, place));
        }
        is_image
    }

    /// `getattr(image, "with_…")(…)`, or what it gives: a method of an image that is looked up by its name.
    fn looked_up(&self, call: &'a ast::ExprCall) -> Option<Place> {
        let getter = call.func.as_call_expr().unwrap_or(call);
        let is_getter = getter.func.as_name_expr().is_some_and(|name| name.id.as_str() == "getattr");
        let [object, name, ..] = &*getter.arguments.args else { return None };
        let name = name.as_string_literal_expr().filter(|_| is_getter)?.value.to_str();
        (is_method_name(name) && !is_foreign(self.evaluator, self.file, object, name))
            .then(|| self.scope().place(getter.range))
    }

    /// Whether a name stands for a constructor of images, or for the class whose constructor is read.
    fn is_alias(&self, callee: &'a Expr) -> bool {
        // To see whether code rebinds the name, the files around would be looked at for nothing.
        if !self.related.has_aliases || self.is_defined(callee) {
            return false;
        }
        let Ok((Constant::Name(path), rest)) = self.evaluator.chain(self.scope(), callee) else {
            return false;
        };
        let names = std::iter::once(path.as_str()).chain(rest.iter().map(Name::as_str));
        is_constructor_path(&names.collect::<Vec<_>>().join("."))
    }

    /// Whether an expression names a function or class of the project, or something of Flyte 1.
    fn is_defined(&self, expr: &Expr) -> bool {
        let project = self.evaluator.project;
        let reference = project.facts(self.file).and_then(|facts| facts.reference_at(expr.range()));
        match reference.map(|reference| project.resolve(self.file, reference)) {
            Some([Target::Binding(file, binding, _)]) => project.facts(*file).is_some_and(|facts| {
                let kind = &facts.module.bindings[*binding].kind;
                matches!(kind, BindingKind::Definition | BindingKind::Decorated(_))
            }),
            Some([Target::Flyte1(_)]) => true,
            _ => false,
        }
    }

    fn found(&mut self, assigned: &'a [Expr], range: TextRange, mut built: Built) {
        let variable = assigned.iter().find_map(Expr::as_name_expr).filter(|_| self.frames.is_empty());
        // What the name stands for in the end is another image.
        if let Some(name) = variable.filter(|name| self.evaluator.changes.rebinds(self.file, &name.id)) {
            let place = self.scope().place(name.range);
            built.unknown.push(Unknown { place, text: name.id.to_string() });
        }
        let others = assigned.iter().filter_map(Expr::as_name_expr).skip(1).filter(|_| variable.is_some());
        self.part.images.push(FoundImage {
            variable: variable.map(|name| name.id.to_string()),
            aliases: others.map(|name| name.id.to_string()).collect(),
            ..FoundImage::new(self.scope().place(range), built)
        });
    }

    /// What a call comes to if it is an image. What begins with an image that is not known is one as well.
    fn built(&self, call: &'a ast::ExprCall) -> Option<Built> {
        match self.evaluator.call(self.scope(), call) {
            Ok(Constant::Image(built)) => Some(*built),
            Ok(_) => None,
            Err(stuck) => is_about_image(self.evaluator, self.file, call, 0)
                .then(|| unknown(self.evaluator, stuck.place)),
        }
    }

    fn environment(&mut self, call: &'a ast::ExprCall, kind: EnvironmentKind<'a>, assigned: &'a [Expr]) {
        let scope = Scope { file: self.file, frames: &self.frames };
        let name = match argument(self.evaluator, scope, call, ("name", 0)) {
            Argument::Given { value: Ok(Constant::Str(name)), .. } => Some(name),
            _ => None,
        };
        self.part.problems.extend(problems(self.evaluator, scope, call, kind));
        let is_container = matches!(kind, EnvironmentKind::Container);
        let image = image_of(self.evaluator, scope, call, kind, 0);
        let keys = assigned.iter().filter_map(Expr::as_name_expr).filter_map(|name| self.key(name)).collect();
        let own = name.clone().filter(|_| is_container);
        if let Some((place, uri)) = image.written {
            let given = uri.filter(|uri| is_container || uri != "auto");
            let other = given.is_none().then(|| self.evaluator.other_image(self.file, "default")).flatten();
            let default = || self.evaluator.settings.config.image_refs.get("default").cloned();
            let mut built = match given.or_else(default) {
                Some(uri) => self.referenced(place, uri),
                None => self.evaluator.default_image(place),
            };
            built.unknown.extend(other);
            self.part.written.push(FoundImage::new(place, built));
        }
        if let Some(place) = image.absent {
            let mut built = self.referenced(place, String::new());
            built.problems.push(without_image(place));
            self.part.written.push(FoundImage::new(place, built));
        }
        self.part.environments.push(Environment {
            keys,
            name,
            own,
            image: image.given,
            images: image.places,
            built: image.built,
        });
    }

    /// An image that is given by its reference.
    fn referenced(&self, place: Place, uri: String) -> Built {
        let mut built = unknown(self.evaluator, place);
        built.unknown.clear();
        built.image = Image::from_base(uri);
        built.image.python_version = self.evaluator.settings.python_version;
        built
    }

    /// How the rest of the project gets at what is assigned to a name.
    fn key(&self, name: &ast::ExprName) -> Option<Key> {
        let (bound, attributes) = match (self.class, self.frames.len()) {
            (_, 0) => (name.range, Vec::new()),
            (Some(class), 1) => (class.name.range, vec![name.id.clone()]),
            _ => return None,
        };
        let bindings = &self.evaluator.project.facts(self.file)?.module.bindings;
        let binding = bindings.iter().position(|binding| binding.range == bound && binding.is_global)?;
        Some((self.file, binding, attributes))
    }

    /// A task whose environment is taken out of something else: `@environments["a"].task`.
    fn decorator(&mut self, function: &'a ast::StmtFunctionDef, decorator: &'a Expr) {
        let callee = decorator.as_call_expr().map_or(decorator, |call| &call.func);
        if let Expr::Attribute(attribute) = callee
            && attribute.attr.as_str() == "task"
            && root_of(callee).is_none()
            && may_hold_environment(self.evaluator, self.file, &attribute.value, 0)
        {
            let place = self.scope().place(callee.range());
            let tasks = vec![function.name.to_string()];
            self.part.images.push(unknown_image(self.evaluator, place, tasks));
        }
    }
}

/// The elements of a list or tuple of which none is spread.
fn written_out(expr: &Expr) -> Option<&[Expr]> {
    match expr {
        Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
            Some(elts.as_slice()).filter(|elements| !elements.iter().any(Expr::is_starred_expr))
        }
        _ => None,
    }
}

/// The last name of `name.attribute.attribute`.
fn last_name(expr: &Expr) -> &str {
    expr.as_attribute_expr().map_or("", |attribute| attribute.attr.as_str())
}

/// Whether the last call of a chain is named as those of images are.
fn is_image_call(call: &ast::ExprCall) -> bool {
    let Expr::Attribute(attribute) = &*call.func else { return false };
    let name = attribute.attr.as_str();
    name.starts_with("with_") || signature::method(name).is_some() || signature::constructor(name).is_some()
}

/// Whether a chain of calls begins with a constructor of images, or with a name that may stand for an image.
fn is_about_image<'a>(
    evaluator: &Evaluator<'a>,
    file: FileId,
    call: &'a ast::ExprCall,
    depth: usize,
) -> bool {
    let mut first = call;
    while let Some(receiver) =
        first.func.as_attribute_expr().and_then(|function| function.value.as_call_expr())
    {
        first = receiver;
    }
    if let Some(helper) = evaluator.helper(Scope { file, frames: &[] }, &first.func) {
        let mut calls = helper.results().into_iter().filter_map(Expr::as_call_expr);
        return depth < MAX_DEPTH
            && calls.any(|call| is_about_image(evaluator, helper.file, call, depth + 1));
    }
    let facts = evaluator.project.facts(file).filter(|_| depth < MAX_DEPTH);
    let Some(reference) = facts.and_then(|facts| facts.reference_at(first.func.range())) else {
        return false;
    };
    evaluator.project.resolve(file, reference).iter().any(|target| match target {
        Target::External(path) => is_constructor_path(path),
        Target::Binding(file, binding, rest) if rest.len() == 1 => {
            binding_is_image(evaluator, *file, *binding, depth + 1)
        }
        _ => false,
    })
}

pub(super) fn binding_is_image(
    evaluator: &Evaluator<'_>,
    file: FileId,
    binding: BindingId,
    depth: usize,
) -> bool {
    if matches!(evaluator.binding(file, binding), Ok(Constant::Image(_))) {
        return true;
    }
    match bound_value(evaluator, file, binding) {
        Some(Expr::Call(call)) => is_image_call(call) && is_about_image(evaluator, file, call, depth),
        Some(expr) if depth < MAX_DEPTH => {
            let reference = evaluator.project.facts(file).and_then(|facts| facts.reference_at(expr.range()));
            reference.is_some_and(|reference| {
                evaluator.project.resolve(file, reference).iter().any(|target| {
                    matches!(target, Target::Binding(file, binding, rest) if rest.is_empty()
                        && binding_is_image(evaluator, *file, *binding, depth + 1))
                })
            })
        }
        _ => false,
    }
}

/// An image of which nothing is known, because of what stands at a place.
fn unknown(evaluator: &Evaluator<'_>, place: Place) -> Built {
    let text = evaluator.text(place).to_owned();
    Built {
        image: Image::from_base(format!("{{{text}}}")),
        place,
        head: place,
        arguments: Vec::new(),
        layers: Vec::new(),
        unknown: vec![Unknown { place, text }],
        problems: Vec::new(),
    }
}

fn unknown_image(evaluator: &Evaluator<'_>, place: Place, tasks: Vec<String>) -> FoundImage {
    FoundImage { tasks, ..FoundImage::new(place, unknown(evaluator, place)) }
}

impl<'a> SourceOrderVisitor<'a> for Finder<'_, 'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        self.part.problems.extend(frozen::problems(self.evaluator, self.file, stmt));
        match stmt {
            Stmt::Assign(assign) => self.assign(&assign.targets, &assign.value),
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    self.assign(std::slice::from_ref(&assign.target), value);
                }
            }
            Stmt::FunctionDef(function) => {
                for decorator in &function.decorator_list {
                    self.decorator(function, &decorator.expression);
                    self.visit_expr(&decorator.expression);
                }
                for parameter in function.parameters.iter_non_variadic_params() {
                    parameter.default.iter().for_each(|default| self.visit_expr(default));
                }
                self.in_frame(Frame::of_function(function), |this| this.visit_body(&function.body));
            }
            Stmt::ClassDef(class) => {
                class.decorator_list.iter().for_each(|decorator| self.visit_expr(&decorator.expression));
                class.arguments.iter().for_each(|arguments| self.visit_arguments(arguments));
                let around = self.class.replace(class);
                self.in_frame(Frame::of_class(class), |this| this.visit_body(&class.body));
                self.class = around;
            }
            _ => source_order::walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            // The receivers are steps of this image; what is passed to them may hold others.
            Expr::Call(call) if self.call(call) => {
                let mut current = Some(call);
                while let Some(call) = current {
                    self.visit_arguments(&call.arguments);
                    let receiver = call.func.as_attribute_expr().map(|function| &*function.value);
                    current = receiver.and_then(Expr::as_call_expr);
                    receiver
                        .filter(|_| current.is_none())
                        .into_iter()
                        .for_each(|first| self.visit_expr(first));
                }
                return;
            }
            // A method or a constructor that is handed on, to be called elsewhere.
            Expr::Attribute(attribute)
                if may_add_to_image(self.evaluator, self.file, attribute)
                    || is_constructor(self.evaluator, self.file, expr) =>
            {
                let place = self.scope().place(expr.range());
                return self.part.images.push(unknown_image(self.evaluator, place, Vec::new()));
            }
            Expr::If(choice) => return self.choice(choice),
            Expr::Named(named) => return self.assign(std::slice::from_ref(&named.target), &named.value),
            Expr::Lambda(lambda) => {
                let parameters =
                    lambda.parameters.iter().flat_map(|parameters| parameters.iter_non_variadic_params());
                parameters
                    .filter_map(|parameter| parameter.default())
                    .for_each(|default| self.visit_expr(default));
                return self.in_frame(Frame::of_lambda(lambda), |this| this.visit_expr(&lambda.body));
            }
            Expr::ListComp(comp) => return self.comprehension(expr, &comp.generators),
            Expr::SetComp(comp) => return self.comprehension(expr, &comp.generators),
            Expr::Generator(comp) => return self.comprehension(expr, &comp.generators),
            Expr::DictComp(comp) => return self.comprehension(expr, &comp.generators),
            _ => {}
        }
        self.assigned = &[];
        source_order::walk_expr(self, expr);
    }
}

impl<'a> Finder<'_, 'a> {
    fn comprehension(&mut self, expr: &'a Expr, generators: &'a [ast::Comprehension]) {
        self.assigned = &[];
        self.in_frame(Frame::of_comprehension(generators), |this| source_order::walk_expr(this, expr));
    }
}

/// The functions that are decorated by names, in all files.
fn decorated(project: &Project) -> Vec<Task> {
    let functions = project
        .parsed()
        .flat_map(|(file, facts)| facts.module.functions.iter().map(move |function| (file, function)));
    let tasks = functions.flat_map(|(file, function)| {
        let makers = function.decorators.iter().filter_map(|decorator| decorator.callee);
        makers.map(move |range| Task { maker: Place { file, range }, function: function.name.clone() })
    });
    tasks.collect()
}

/// What the environments are called by whose `task` a name may stand for, directly or by way of another name.
fn makers(evaluator: &Evaluator<'_>, place: Place, depth: usize) -> Vec<Key> {
    let project = evaluator.project;
    let facts = project.facts(place.file).filter(|_| depth < MAX_DEPTH);
    let Some(reference) = facts.and_then(|facts| facts.reference_at(place.range)) else { return Vec::new() };
    let of_target = |target: &Target| {
        let Target::Binding(file, binding, rest) = target else { return Vec::new() };
        match rest.split_last() {
            Some((last, path)) if last == "task" => vec![(*file, *binding, path.to_vec())],
            Some(_) => Vec::new(),
            None => match bound_value(evaluator, *file, *binding) {
                Some(value @ Expr::Attribute(_)) => {
                    makers(evaluator, Place { file: *file, range: value.range() }, depth + 1)
                }
                _ => Vec::new(),
            },
        }
    };
    project.resolve(place.file, reference).iter().flat_map(of_target).collect()
}

/// Gives each image the tasks of the environments that use it. Tasks of environments that are not followed have an image
/// of which nothing is known.
fn give_tasks(
    evaluator: &Evaluator<'_>,
    images: &mut Vec<FoundImage>,
    environments: &[Environment],
    tasks: &[Task],
) {
    let mut by_key: HashMap<&Key, Vec<&Environment>> = HashMap::new();
    for environment in environments {
        environment.keys.iter().for_each(|key| by_key.entry(key).or_default().push(environment));
    }
    let mut names: BTreeMap<(FileId, u32, u32), Vec<String>> = BTreeMap::new();
    let made = tasks
        .iter()
        .flat_map(|task| makers(evaluator, task.maker, 0).into_iter().map(move |key| (task, key)));
    for (Task { maker: place, function }, key) in made {
        let named = by_key.get(&key).filter(|_| !evaluator.is_uncertain(*place));
        // By any of its names.
        let mut keys = named.into_iter().flatten().flat_map(|environment| &environment.keys).chain([&key]);
        let is_changed = keys.any(|key| sets_image(evaluator, key));
        let known = named.filter(|_| !is_changed);
        for environment in known.into_iter().flatten() {
            let name = environment.name.as_ref().map(|name| format!("{name}.{function}"));
            for image in &environment.images {
                names.entry(place_key(*image)).or_default().push(name.clone().unwrap_or(function.clone()));
            }
        }
        if known.is_none() && may_be_environment(evaluator, key.0, key.1, 0) {
            let name = named.and_then(|environments| environments.first()?.name.as_ref());
            let task = name.map_or_else(|| function.clone(), |name| format!("{name}.{function}"));
            images.push(unknown_image(evaluator, *place, vec![task]));
        }
    }
    for image in &mut *images {
        let tasks = names.remove(&place_key(image.place)).unwrap_or_default();
        image.needs_flyte = !tasks.is_empty();
        image.tasks.extend(tasks);
    }
    for environment in environments {
        for image in images.iter_mut().filter(|image| environment.images.contains(&image.place)) {
            image.tasks.extend(environment.own.clone());
        }
    }
}

fn place_key(place: Place) -> (FileId, u32, u32) {
    (place.file, place.range.start().into(), place.range.end().into())
}
