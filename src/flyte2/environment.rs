//! Task environments: what kind of environment a call makes, and which image it has.
//!
//! ```python
//! COMMON = {"image": image, "resources": flyte.Resources(cpu=1)}
//! env = flyte.TaskEnvironment("train", **COMMON)
//! other = env.clone_with("other")
//! ```

use rustpython_ast::{self as ast, Expr};

use super::constant::Constant;
use super::entry::{Item, Key};
use super::evaluate::{Built, Evaluator, Outcome, Place, Scope, root_of};
use super::scope::Local;
use super::trace::bound_value;
use crate::project::link::Target;
use crate::python::Ranged;

/// Environments whose images lead in circles end here.
const MAX_DEPTH: usize = 16;

/// What kind of environment a call makes.
#[derive(Debug, Clone, Copy)]
pub(super) enum EnvironmentKind<'a> {
    /// `flyte.TaskEnvironment(…)`
    Task,
    /// An environment of apps and the like.
    Other,
    /// `flyte.extras.ContainerTask(…)`, a task with an environment of its own.
    Container,
    /// `env.clone_with(…)` of this environment.
    Clone(&'a Expr),
}

/// What kind of environment a call makes; `None` if it makes none.
pub(super) fn environment_kind<'a>(
    evaluator: &Evaluator<'a>,
    scope: Scope<'_, 'a>,
    call: &'a ast::ExprCall,
) -> Option<EnvironmentKind<'a>> {
    let name = match &*call.func {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return None,
    };
    if let Expr::Attribute(attribute) = &*call.func
        && name == "clone_with"
        && maker(evaluator, scope, &attribute.value, 0).is_some()
    {
        return Some(EnvironmentKind::Clone(&attribute.value));
    }
    let reference = evaluator.project.facts(scope.file)?.reference_at(call.func.range())?;
    let path = match (evaluator.project.resolve(scope.file, reference), &*call.func) {
        ([Target::External(path)], _) => path.clone(),
        ([Target::Binding(_, _, rest)], Expr::Attribute(attribute))
            if rest.last().is_some_and(|last| last == "clone_with") =>
        {
            return Some(EnvironmentKind::Clone(&attribute.value));
        }
        // Another name for the class.
        ([Target::Binding(file, binding, rest)], Expr::Name(_))
            if rest.is_empty() && bound_value(evaluator, *file, *binding).is_some() =>
        {
            match evaluator.chain(scope, &call.func) {
                Ok((Constant::Name(path), rest)) if rest.is_empty() => path,
                _ => return None,
            }
        }
        _ => return None,
    };
    let kind = match path.as_str() {
        "flyte.TaskEnvironment" => EnvironmentKind::Task,
        "flyte.extras.ContainerTask" => EnvironmentKind::Container,
        path if path.starts_with("flyte") && path.ends_with("Environment") => EnvironmentKind::Other,
        _ => return None,
    };
    (!evaluator.changes.replaces(&path)).then_some(kind)
}

/// The call that makes the environment that an expression stands for, and whether code changes its image afterwards.
fn maker<'a>(
    evaluator: &Evaluator<'a>,
    scope: Scope<'_, 'a>,
    expr: &'a Expr,
    depth: usize,
) -> Option<(Item<'a>, &'a ast::ExprCall, bool)> {
    // `flyte.TaskEnvironment(…).clone_with(…)`
    if let Expr::Call(call) = expr {
        environment_kind(evaluator, scope, call)?;
        return Some((Item::new(scope, expr), call, false));
    }
    let item = evaluator.stands_for(scope, expr, None).ok().filter(|_| depth < MAX_DEPTH)?;
    let is_changed = item.key.as_ref().is_none_or(|key| sets_image(evaluator, key));
    match item.expr {
        Expr::Call(call) => {
            environment_kind(evaluator, item.scope(), call)?;
            Some((item, call, is_changed))
        }
        other => {
            let (item, call, is_changed_there) = maker(evaluator, item.scope(), other, depth + 1)?;
            Some((item, call, is_changed || is_changed_there))
        }
    }
}

/// Whether code gives an environment another image, or its name another environment.
pub(super) fn sets_image(evaluator: &Evaluator<'_>, (file, binding, path): &Key) -> bool {
    let changes = evaluator.changes;
    let is_rebound = evaluator
        .project
        .facts(*file)
        .is_some_and(|facts| changes.rebinds(*file, &facts.module.bindings[*binding].name));
    is_rebound || changes.may_set_attribute((*file, *binding), path, "image")
}

/// An argument of a call that makes an environment.
#[derive(Debug)]
pub(super) enum Argument<'a> {
    /// It is left out.
    Missing,
    /// It is given.
    Given {
        /// Where it is given.
        place: Place,
        /// The expression, if it is one of its own.
        expr: Option<&'a Expr>,
        /// What it comes to.
        value: Outcome,
    },
    /// What stands here may hold it: `**COMMON`, `*arguments`.
    Hidden(Place),
}

/// The argument for a parameter, by its name and position.
pub(super) fn argument<'a>(
    evaluator: &Evaluator<'a>,
    scope: Scope<'_, 'a>,
    call: &'a ast::ExprCall,
    (name, position): (&str, usize),
) -> Argument<'a> {
    let given = |expr: &'a Expr| {
        let value = evaluator.evaluate(scope, expr);
        Argument::Given { place: scope.place(expr.range()), expr: Some(expr), value }
    };
    if let Some(keyword) = call.arguments.find_keyword(name) {
        return given(&keyword.value);
    }
    let mut index = 0;
    for expr in &call.arguments.args {
        let Expr::Starred(starred) = expr else {
            if index == position {
                return given(expr);
            }
            index += 1;
            continue;
        };
        let place = scope.place(starred.value.range());
        let value = evaluator.evaluate(scope, &starred.value);
        let Some(elements) = value.as_ref().ok().and_then(Constant::elements) else {
            return Argument::Hidden(place);
        };
        if let Some(value) = position.checked_sub(index).and_then(|offset| elements.get(offset)) {
            return Argument::Given { place, expr: None, value: Ok(value.clone()) };
        }
        index += elements.len();
    }
    let index = Constant::Str(name.to_owned());
    for keyword in call.arguments.keywords.iter().filter(|keyword| keyword.arg.is_none()) {
        let place = scope.place(keyword.value.range());
        let entry = match evaluator.evaluate(scope, &keyword.value) {
            Ok(dict @ Constant::Dict(_)) => Ok(dict.item(&index).map(Ok)),
            _ => evaluator.entry_value(scope, &keyword.value, &index),
        };
        match entry {
            Ok(Some(value)) => return Argument::Given { place, expr: None, value },
            Ok(None) => {}
            Err(_) => return Argument::Hidden(place),
        }
    }
    Argument::Missing
}

/// The image of an environment.
#[derive(Debug, Default)]
pub(super) struct ImageOf {
    /// What stands for it, unless that is left out. If it is not found, this is named.
    pub(super) given: Option<Place>,
    /// The chain of it; several where it is not certain which.
    pub(super) places: Vec<Place>,
    /// Where it is given and what it comes to, if that is certain.
    pub(super) built: Option<(Place, Built)>,
    /// A string that stands for it, or `None` where the environment is given no image.
    pub(super) written: Option<(Place, Option<String>)>,
    /// Where it is said that a task environment has no image, if nothing else may bring one.
    pub(super) absent: Option<Place>,
}

/// The position of the image among the arguments.
pub(super) fn image_position(kind: EnvironmentKind<'_>) -> usize {
    match kind {
        EnvironmentKind::Container | EnvironmentKind::Clone(_) => 1,
        EnvironmentKind::Task | EnvironmentKind::Other => 8,
    }
}

/// The image that a call gives to its environment.
pub(super) fn image_of<'a>(
    evaluator: &Evaluator<'a>,
    scope: Scope<'_, 'a>,
    call: &'a ast::ExprCall,
    kind: EnvironmentKind<'a>,
    depth: usize,
) -> ImageOf {
    let whole = scope.place(call.range);
    let given = argument(evaluator, scope, call, ("image", image_position(kind)));
    match (given, kind) {
        (Argument::Hidden(place), _) => ImageOf { given: Some(place), ..ImageOf::default() },
        (Argument::Given { place, value: Ok(Constant::Str(uri)), .. }, _) => {
            let written = Some((place, Some(uri)));
            ImageOf { given: Some(place), places: vec![place], written, ..ImageOf::default() }
        }
        (Argument::Given { place, value: Ok(Constant::Image(built)), .. }, _) => {
            let places = vec![built.place];
            ImageOf { given: Some(place), places, built: Some((place, *built)), ..ImageOf::default() }
        }
        (Argument::Given { place, value: Ok(value), .. }, EnvironmentKind::Task)
            if !matches!(value, Constant::Name(_)) && !value.is_true() =>
        {
            // The template of a pod may have one.
            let template = argument(evaluator, scope, call, ("pod_template", 2));
            let is_bare =
                matches!(template, Argument::Missing | Argument::Given { value: Ok(Constant::None), .. });
            let absent = is_bare.then_some(place);
            ImageOf { places: absent.into_iter().collect(), absent, ..ImageOf::default() }
        }
        (Argument::Given { place, expr, value }, _) if value != Ok(Constant::None) => {
            let places = expr.map(|expr| image_places(evaluator, scope, expr, (depth, 0)));
            ImageOf { given: Some(place), places: places.unwrap_or_default(), ..ImageOf::default() }
        }
        (_, EnvironmentKind::Clone(of)) => {
            let image = image_of_environment(evaluator, scope, of, depth + 1);
            ImageOf { given: Some(whole), written: None, absent: None, ..image }
        }
        (Argument::Missing, EnvironmentKind::Task) => {
            ImageOf { places: vec![whole], written: Some((whole, None)), ..ImageOf::default() }
        }
        _ => ImageOf::default(),
    }
}

/// The image of the environment that an expression stands for.
fn image_of_environment<'a>(
    evaluator: &Evaluator<'a>,
    scope: Scope<'_, 'a>,
    expr: &'a Expr,
    depth: usize,
) -> ImageOf {
    match maker(evaluator, scope, expr, 0) {
        Some((item, call, false)) => image_of_call(evaluator, item.scope(), call, depth),
        _ => ImageOf::default(),
    }
}

fn image_of_call<'a>(
    evaluator: &Evaluator<'a>,
    scope: Scope<'_, 'a>,
    call: &'a ast::ExprCall,
    depth: usize,
) -> ImageOf {
    let kind = environment_kind(evaluator, scope, call).filter(|_| depth < MAX_DEPTH);
    kind.map_or_else(ImageOf::default, |kind| image_of(evaluator, scope, call, kind, depth))
}

/// The chains that an expression may stand for: itself, what its name is bound to, the image of another environment.
/// `level` tells how deep in it the image lies.
pub(super) fn image_places<'a>(
    evaluator: &Evaluator<'a>,
    scope: Scope<'_, 'a>,
    expr: &'a Expr,
    (depth, level): (usize, usize),
) -> Vec<Place> {
    if let Ok(Constant::Image(built)) = evaluator.evaluate(scope, expr) {
        return vec![built.place];
    }
    if depth == MAX_DEPTH {
        return Vec::new();
    }
    let inside = |expr: &'a Expr, level: usize| image_places(evaluator, scope, expr, (depth + 1, level));
    let of = |expr: &'a Expr| inside(expr, level);
    let item_of = |expr: &'a Expr| inside(expr, level.saturating_sub(1));
    match expr {
        Expr::Call(_) => return vec![scope.place(expr.range())],
        Expr::If(choice) => return [of(&choice.body), of(&choice.orelse)].concat(),
        // What stands there, or one of those that the list or dict holds.
        Expr::Subscript(subscript) => {
            let index = evaluator.evaluate(scope, &subscript.slice);
            let entry = index.and_then(|index| evaluator.entry(scope, &subscript.value, &index, level));
            return match entry {
                Ok(Some(item)) => image_places(evaluator, item.scope(), item.expr, (depth + 1, level)),
                _ => inside(&subscript.value, level + 1),
            };
        }
        Expr::List(ast::ExprList { elts, .. }) | Expr::Tuple(ast::ExprTuple { elts, .. }) => {
            return elts.iter().flat_map(item_of).collect();
        }
        Expr::Dict(dict) => return dict.items.iter().flat_map(|item| item_of(&item.value)).collect(),
        Expr::Attribute(attribute) if attribute.attr.as_str() == "image" => {
            let images = image_of_environment(evaluator, scope, &attribute.value, depth + 1).places;
            if !images.is_empty() {
                return images;
            }
        }
        _ => {}
    }
    if let Expr::Name(name) = expr
        && let Some(frame) = scope.frames.last()
        && let Some(Local::Assigned(value)) = frame.local(&name.id, Some(name.range.start()))
    {
        return of(value);
    }
    let facts = evaluator.project.facts(scope.file).filter(|_| root_of(expr).is_some());
    let Some(reference) = facts.and_then(|facts| facts.reference_at(expr.range())) else { return Vec::new() };
    let targets = evaluator.project.resolve(scope.file, reference);
    if targets.len() == 1 && evaluator.is_uncertain(scope.place(expr.range())) {
        return Vec::new();
    }
    let targets = targets.iter().filter_map(|target| match target {
        Target::Binding(file, binding, rest) => Some((*file, *binding, rest.clone())),
        _ => None,
    });
    targets.flat_map(|target| bound_images(evaluator, &target, (depth, level))).collect()
}

/// The chains that a name at the top level may stand for, or what is read from it.
fn bound_images(evaluator: &Evaluator<'_>, key: &Key, (depth, level): (usize, usize)) -> Vec<Place> {
    let (file, binding, rest) = key;
    let (file, binding) = (*file, *binding);
    let changes = evaluator.changes;
    let facts = evaluator.project.facts(file);
    if facts.is_none_or(|facts| changes.may_rebind(file, &facts.module.bindings[binding].name)) {
        return Vec::new();
    }
    let scope = Scope { file, frames: &[] };
    // The image lies in a list or a dict.
    let holds = level.checked_sub(1);
    match (rest.as_slice(), bound_value(evaluator, file, binding)) {
        ([], Some(_)) if changes.may_change_at((file, binding), holds) => Vec::new(),
        ([], Some(value)) => image_places(evaluator, scope, value, (depth + 1, level)),
        ([image], Some(Expr::Call(call)))
            if image == "image" && !sets_image(evaluator, &(file, binding, Vec::new())) =>
        {
            image_of_call(evaluator, scope, call, depth + 1).places
        }
        ([field], None) if !changes.may_change_at((file, binding), holds.map(|level| level + 1)) => {
            match evaluator.class_attribute(file, binding, field) {
                Some((frame, value)) => {
                    image_places(evaluator, Scope { file, frames: &[frame] }, value, (depth + 1, level))
                }
                None => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}
