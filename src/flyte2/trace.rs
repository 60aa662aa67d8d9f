//! What looks like an image, or like the environment of a task, and cannot be followed without running the code: it is
//! named all the same.
//!
//! ```python
//! image = images["train"].with_pip_packages("pandas")
//!
//! @environments[name].task
//! def train(): ...
//! ```

use memchr::memmem;
use rustpython_ast::visitor::source_order::{self, SourceOrderVisitor};
use rustpython_ast::{self as ast, Expr, Stmt};

use super::evaluate::{Evaluator, expression_at, root_of};
use super::image_class::is_missing;
use super::signature::{CONSTRUCTORS, constructor, method};
use crate::project::FileId;
use crate::project::link::Target;
use crate::python::Ranged;
use crate::python::scope::{BindingId, BindingKind};
use crate::source::TextSize;

/// Names that lead in circles end here.
const MAX_DEPTH: usize = 8;

/// The expression that a name at the top level is assigned.
pub(super) fn bound_value<'a>(
    evaluator: &Evaluator<'a>,
    file: FileId,
    binding: BindingId,
) -> Option<&'a Expr> {
    let facts = evaluator.project.facts(file)?;
    let binding = &facts.module.bindings[binding];
    let BindingKind::Assignment { value, .. } = &binding.kind else { return None };
    let tree = evaluator.trees.get(evaluator.project, file)?;
    expression_at(&tree.body()[binding.owner], value.range)
}

/// The statement that defines a function or class.
fn definition<'a>(evaluator: &Evaluator<'a>, file: FileId, binding: BindingId) -> Option<&'a Stmt> {
    statement(evaluator, file, binding, |kind| {
        matches!(kind, BindingKind::Definition | BindingKind::Decorated(_))
    })
}

/// The statement at the top level that binds a name, if it does so in such a way.
fn statement<'a>(
    evaluator: &Evaluator<'a>,
    file: FileId,
    binding: BindingId,
    is_such: impl Fn(&BindingKind) -> bool,
) -> Option<&'a Stmt> {
    let bound = &evaluator.project.facts(file)?.module.bindings[binding];
    let is_definition = is_such(&bound.kind);
    let body = evaluator.trees.get(evaluator.project, file).filter(|_| is_definition)?.body();
    body.get(bound.owner)
}

/// What the names that an expression is stand for.
fn targets<'e>(evaluator: &'e Evaluator<'_>, file: FileId, expr: &Expr) -> &'e [Target] {
    let reference = evaluator.project.facts(file).and_then(|facts| facts.reference_at(expr.range()));
    reference.map_or(&[], |reference| evaluator.project.resolve(file, reference))
}

/// Whether a library calls this its own, and the library is Flyte 2.
fn is_flyte(path: &str) -> bool {
    path.split('.').next() == Some("flyte")
}

/// Whether an expression is a constructor of images.
pub(super) fn is_constructor(evaluator: &Evaluator<'_>, file: FileId, expr: &Expr) -> bool {
    targets(evaluator, file, expr).iter().any(|target| match target {
        Target::External(path) => is_constructor_path(path),
        _ => false,
    })
}

/// Whether a dotted path leads to a constructor of images.
pub(super) fn is_constructor_path(path: &str) -> bool {
    image_attribute(path).is_some_and(|name| constructor(name).is_some())
}

/// What a dotted path reads from the class of images.
fn image_attribute(path: &str) -> Option<&str> {
    path.strip_prefix("flyte.Image.").or_else(|| path.strip_prefix("flyte._image.Image."))
}

/// Whether a text names a constructor of images and does not call it there: `make = Image.from_base`.
pub(super) fn hands_on_constructor(text: &str) -> bool {
    CONSTRUCTORS.iter().any(|constructor| {
        memmem::find_iter(text.as_bytes(), constructor.name).any(|at| {
            text[..at].ends_with(['.', '"', '\'']) && !text[at + constructor.name.len()..].starts_with('(')
        })
    })
}

/// Whether an attribute is named as only the methods and constructors of images are, and nothing says that it belongs to
/// something else.
pub(super) fn may_add_to_image(
    evaluator: &Evaluator<'_>,
    file: FileId,
    attribute: &ast::ExprAttribute,
) -> bool {
    let name = attribute.attr.as_str();
    is_method_name(name) && !is_foreign(evaluator, file, &attribute.value, name)
}

/// Whether only methods and constructors of images are called so.
pub(super) fn is_method_name(name: &str) -> bool {
    name.starts_with("with_") && method(name).is_some()
        || ["from_debian_base", "from_uv_script", "from_pixi_script"].contains(&name)
}

/// Whether an expression is the class of images itself, or something that it does not have.
pub(super) fn is_image_class(evaluator: &Evaluator<'_>, file: FileId, expr: &Expr) -> bool {
    let is_missing = |path: &str| image_attribute(path).is_some_and(is_missing);
    let is_it =
        |target: &Target| matches!(target, Target::External(path) if is_image_path(path) || is_missing(path));
    targets(evaluator, file, expr).iter().any(is_it)
}

/// Whether a dotted path leads to the class of images.
pub(super) fn is_image_path(path: &str) -> bool {
    matches!(path, "flyte.Image" | "flyte._image.Image")
}

/// Whether an expression whose attribute `name` is read belongs to another library, or to Flyte 1. Another library may
/// give images as well; then the methods are named as those of nothing else.
pub(super) fn is_foreign(evaluator: &Evaluator<'_>, file: FileId, expr: &Expr, name: &str) -> bool {
    let is_of_containers = ["with_workdir", "with_commands", "with_env_vars"].contains(&name);
    belongs_elsewhere(evaluator, file, expr, (is_of_containers, 0))
}

fn belongs_elsewhere(
    evaluator: &Evaluator<'_>,
    file: FileId,
    expr: &Expr,
    (is_of_containers, depth): (bool, usize),
) -> bool {
    let mut first = expr;
    // Whether something is read from what stands first that may be an image.
    let mut is_read = false;
    let mut is_called = false;
    let root = loop {
        first = match first {
            Expr::Name(name) => break name,
            Expr::Attribute(attribute) => {
                is_read |= !attribute.attr.starts_with("with_");
                &attribute.value
            }
            Expr::Call(call) => {
                let method = call.func.as_attribute_expr().map_or("", |attribute| attribute.attr.as_str());
                is_called |= !method.starts_with("with_");
                &call.func
            }
            Expr::Subscript(subscript) => {
                is_read = true;
                &subscript.value
            }
            _ => return false,
        };
    };
    let Some(facts) = evaluator.project.facts(file) else { return false };
    let mut references = facts.module.references.iter();
    let targets = references.find(|reference| reference.name_range == root.range).map_or_else(
        || {
            // Names of other libraries are of no interest elsewhere.
            let bindings = facts.module.visible(&root.id, TextSize::from(u32::MAX));
            bindings.iter().flat_map(|&binding| evaluator.project.follow(file, binding, &[], 0)).collect()
        },
        |reference| evaluator.project.resolve(file, reference).to_vec(),
    );
    targets.iter().any(|target| match target {
        // What it gives without a call may be an image of theirs.
        Target::External(path) => !is_flyte(path) && (is_called || is_of_containers),
        Target::Flyte1(_) => true,
        Target::Binding(file, binding, rest) => {
            let value = bound_value(evaluator, *file, *binding).filter(|_| depth < MAX_DEPTH);
            value.is_some_and(|value| {
                belongs_elsewhere(evaluator, *file, value, (is_of_containers, depth + 1))
            })
                // An object of a class of the project is no image.
                || rest.is_empty()
                    && !is_read
                    && matches!(definition(evaluator, *file, *binding), Some(Stmt::ClassDef(_)))
        }
        Target::Module(_) | Target::Folder(_) | Target::Unknown => false,
    })
}

/// Whether a call is for something of the project that gives images, though what it does is not followed.
pub(super) fn may_give_image(evaluator: &Evaluator<'_>, file: FileId, call: &ast::ExprCall) -> bool {
    gives_image(evaluator, file, &call.func, 0)
}

/// Whether what is called gives images.
fn gives_image(evaluator: &Evaluator<'_>, file: FileId, callee: &Expr, depth: usize) -> bool {
    if depth == MAX_DEPTH {
        return false;
    }
    match callee {
        Expr::Lambda(lambda) => return is_made_image(evaluator, file, &lambda.body),
        // `functools.partial(make, "a")()`, `factory("a")("b")`
        Expr::Call(call) => {
            let is_partial =
                call.func.as_attribute_expr().is_some_and(|name| name.attr.as_str() == "partial")
                    || call.func.as_name_expr().is_some_and(|name| name.id.as_str() == "partial");
            let of_partial = |made: &Expr| {
                let adds = made.as_attribute_expr();
                is_constructor(evaluator, file, made)
                    || adds.is_some_and(|attribute| may_add_to_image(evaluator, file, attribute))
                    || gives_image(evaluator, file, made, depth + 1)
            };
            return is_partial && call.arguments.args.first().is_some_and(of_partial)
                || functions(evaluator, file, &call.func).any(|(file, function)| {
                    let mut inner = function.body.iter().filter_map(Stmt::as_function_def_stmt);
                    inner.any(|inner| returns_image(evaluator, file, inner))
                });
        }
        // `Factory().make("a")`
        Expr::Attribute(attribute) => {
            if let Expr::Call(object) = &*attribute.value
                && methods(evaluator, file, &object.func, &attribute.attr)
                    .any(|(file, function)| returns_image(evaluator, file, function))
            {
                return true;
            }
        }
        _ => {}
    }
    functions(evaluator, file, callee).any(|(file, function)| returns_image(evaluator, file, function))
        || targets(evaluator, file, callee).iter().any(|target| {
            let Target::Binding(file, binding, rest) = target else { return false };
            match (bound_value(evaluator, *file, *binding), rest.as_slice()) {
                (Some(value @ (Expr::Lambda(_) | Expr::Call(_))), []) => {
                    gives_image(evaluator, *file, value, depth + 1)
                }
                (Some(Expr::Call(object)), [method]) => methods(evaluator, *file, &object.func, method)
                    .any(|(file, function)| returns_image(evaluator, file, function)),
                _ => false,
            }
        })
}

/// The functions that a name may stand for, or a method of a class that is read from it.
fn functions<'a>(
    evaluator: &Evaluator<'a>,
    file: FileId,
    callee: &Expr,
) -> impl Iterator<Item = (FileId, &'a ast::StmtFunctionDef)> {
    let targets = targets(evaluator, file, callee).to_vec().into_iter();
    targets.filter_map(|target| {
        let Target::Binding(file, binding, rest) = target else { return None };
        let function = match (definition(evaluator, file, binding), rest.as_slice()) {
            (Some(Stmt::FunctionDef(function)), []) => function,
            (Some(Stmt::ClassDef(class)), [name]) => method_of(class, name)?,
            _ => return None,
        };
        Some((file, function))
    })
}

/// The methods of the classes that an expression may stand for.
fn methods<'a>(
    evaluator: &Evaluator<'a>,
    file: FileId,
    class: &Expr,
    name: &str,
) -> impl Iterator<Item = (FileId, &'a ast::StmtFunctionDef)> {
    let targets = targets(evaluator, file, class).to_vec().into_iter();
    targets.filter_map(move |target| match target {
        Target::Binding(file, binding, rest) if rest.is_empty() => {
            match definition(evaluator, file, binding)? {
                Stmt::ClassDef(class) => Some((file, method_of(class, name)?)),
                _ => None,
            }
        }
        _ => None,
    })
}

fn method_of<'a>(class: &'a ast::StmtClassDef, name: &str) -> Option<&'a ast::StmtFunctionDef> {
    class
        .body
        .iter()
        .find_map(|stmt| stmt.as_function_def_stmt().filter(|function| function.name.as_str() == name))
}

fn returns_image(evaluator: &Evaluator<'_>, file: FileId, function: &ast::StmtFunctionDef) -> bool {
    let mut results = Results { evaluator, file, names: Vec::new(), returned: Vec::new(), is_image: false };
    results.visit_body(&function.body);
    results.is_image || results.returned.iter().any(|name| results.names.contains(name))
}

/// The images that a function returns.
struct Results<'e, 'p, 'a> {
    evaluator: &'e Evaluator<'p>,
    file: FileId,
    /// Names that are given images.
    names: Vec<&'a str>,
    /// Names that are returned.
    returned: Vec<&'a str>,
    /// Whether an image is returned as it is made.
    is_image: bool,
}

/// Whether an image is made right here, or chosen of what is made here.
fn is_made_image(evaluator: &Evaluator<'_>, file: FileId, expr: &Expr) -> bool {
    match expr {
        Expr::If(choice) => {
            is_made_image(evaluator, file, &choice.body) || is_made_image(evaluator, file, &choice.orelse)
        }
        Expr::Call(call) => {
            let adds = call.func.as_attribute_expr();
            is_constructor(evaluator, file, &call.func)
                || adds.is_some_and(|attribute| may_add_to_image(evaluator, file, attribute))
        }
        _ => false,
    }
}

impl Results<'_, '_, '_> {
    fn is_image(&self, expr: &Expr) -> bool {
        is_made_image(self.evaluator, self.file, expr)
    }
}

impl<'a> SourceOrderVisitor<'a> for Results<'_, '_, 'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => return,
            Stmt::Assign(assign) if self.is_image(&assign.value) => {
                self.names.extend(
                    assign.targets.iter().filter_map(Expr::as_name_expr).map(|name| name.id.as_str()),
                );
            }
            Stmt::AnnAssign(assign) if assign.value.as_ref().is_some_and(|value| self.is_image(value)) => {
                self.names.extend(assign.target.as_name_expr().map(|name| name.id.as_str()));
            }
            Stmt::Return(ast::StmtReturn { value: Some(value), .. }) => match &**value {
                Expr::Name(name) => self.returned.push(&name.id),
                value => self.is_image |= self.is_image(value),
            },
            _ => {}
        }
        source_order::walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, _: &'a Expr) {}
}

/// Whether an expression comes to an environment of Flyte 2, or holds some.
pub(super) fn may_hold_environment(
    evaluator: &Evaluator<'_>,
    file: FileId,
    expr: &Expr,
    depth: usize,
) -> bool {
    let mut mentions = Mentions { evaluator, file, depth, is_found: false };
    mentions.visit_expr(expr);
    mentions.is_found
}

/// Whether a name at the top level stands for an environment of Flyte 2, or holds some.
pub(super) fn may_be_environment(
    evaluator: &Evaluator<'_>,
    file: FileId,
    binding: BindingId,
    depth: usize,
) -> bool {
    if depth == MAX_DEPTH {
        return false;
    }
    if let Some(value) = bound_value(evaluator, file, binding) {
        return may_hold_environment(evaluator, file, value, depth + 1);
    }
    // A loop, `with` or an unpacked row binds the name to something that stands in its statement.
    statement(evaluator, file, binding, |kind| !matches!(kind, BindingKind::Import(_))).is_some_and(|stmt| {
        let mut mentions = Mentions { evaluator, file, depth: depth + 1, is_found: false };
        mentions.visit_stmt(stmt);
        mentions.is_found
    })
}

/// Looks for environments in a piece of code, and in what it names.
struct Mentions<'e, 'p> {
    evaluator: &'e Evaluator<'p>,
    file: FileId,
    depth: usize,
    is_found: bool,
}

impl<'a> SourceOrderVisitor<'a> for Mentions<'_, '_> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        if self.is_found {
            return;
        }
        if root_of(expr).is_none() {
            return source_order::walk_expr(self, expr);
        }
        self.is_found = targets(self.evaluator, self.file, expr).iter().any(|target| match target {
            Target::External(path) => is_flyte(path) && path.ends_with("Environment"),
            Target::Binding(file, binding, _) => {
                may_be_environment(self.evaluator, *file, *binding, self.depth)
            }
            Target::Flyte1(_) | Target::Module(_) | Target::Folder(_) | Target::Unknown => false,
        });
    }
}
