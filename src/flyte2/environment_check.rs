//! What the SDK refuses in a call that makes a task environment.
//!
//! ```python
//! env = flyte.TaskEnvironment(name="My env", images=image)
//! ```
//!
//! # FM508
//!
//! ## What it does
//!
//! Speaks of a `TaskEnvironment` whose name the SDK refuses.
//!
//! ## Why
//!
//! Names of environments are lower-case letters and digits with single `-` or `_` between them.
//!
//! ## Example
//!
//! ```python
//! import flyte
//!
//! env = flyte.TaskEnvironment(name="My env")
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! env = flyte.TaskEnvironment(name="my-env")
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! What is not known without running the code is not judged.
//!
//! ## References
//!
//! `flyte/_environment.py` of flyte 2.12.1.

use rustpython_ast as ast;

use super::constant::Constant;
use super::environment::{Argument, EnvironmentKind, argument, image_position};
use super::evaluate::{Evaluator, Place, Problem, Scope};
use super::trace::is_image_path;
use crate::diagnostic::Rule;
use crate::python::Ranged;
use crate::rules::codes::{ENVIRONMENT_NAME, IMAGE_ARGUMENT_TYPE, IMAGE_CALL};

/// The parameters of `TaskEnvironment`, in order.
pub const PARAMETERS: [&str; 15] = [
    "name",
    "depends_on",
    "pod_template",
    "description",
    "secrets",
    "env_vars",
    "resources",
    "interruptible",
    "image",
    "include",
    "service_account",
    "cache",
    "reusable",
    "plugin_config",
    "queue",
];

/// What is wrong with the call.
pub(super) fn problems<'a>(
    evaluator: &Evaluator<'a>,
    scope: Scope<'_, 'a>,
    call: &'a ast::ExprCall,
    kind: EnvironmentKind<'a>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    if matches!(kind, EnvironmentKind::Task) {
        problems.extend(unknown_keywords(scope, call));
        problems.extend(image_as_dependency(evaluator, scope, call));
    }
    if !matches!(kind, EnvironmentKind::Container) {
        problems.extend(image_problem(evaluator, scope, call, kind));
    }
    if matches!(kind, EnvironmentKind::Task | EnvironmentKind::Clone(_)) {
        problems.extend(name_problem(evaluator, scope, call));
    }
    problems
}

fn refused(rule: &'static Rule, place: Place, message: String, help: impl Into<String>) -> Problem {
    Problem { rule, place, message, help: help.into(), is_refused: true }
}

fn unknown_keywords(scope: Scope<'_, '_>, call: &ast::ExprCall) -> Vec<Problem> {
    let names = call.arguments.keywords.iter().filter_map(|keyword| keyword.arg.as_ref());
    let unknown = names.filter(|name| !PARAMETERS.contains(&name.as_str()));
    let problem = |name: &ast::Identifier| {
        // Flyte 1 calls it so.
        let meant = if name.as_str() == "container_image" { "image" } else { name.as_str() };
        let near = PARAMETERS.iter().find(|known| meant.starts_with(**known) || known.starts_with(meant));
        let help = near.map_or_else(
            || format!("Give one of {}", PARAMETERS.map(|name| format!("`{name}`")).join(", ")),
            |near| format!("Write `{near}=`"),
        );
        refused(
            &IMAGE_CALL,
            scope.place(name.range()),
            format!("`TaskEnvironment` has no parameter `{name}`"),
            help,
        )
    };
    unknown.map(problem).collect()
}

/// `TaskEnvironment("train", image)`
fn image_as_dependency<'a>(
    evaluator: &Evaluator<'a>,
    scope: Scope<'_, 'a>,
    call: &'a ast::ExprCall,
) -> Option<Problem> {
    let Argument::Given { place, value: Ok(Constant::Image(_)), .. } =
        argument(evaluator, scope, call, ("depends_on", 1))
    else {
        return None;
    };
    let message = "an image is given for `depends_on`, the second parameter of `TaskEnvironment`".to_owned();
    Some(refused(&IMAGE_ARGUMENT_TYPE, place, message, "Write `image=` in front of it"))
}

/// An image that is none: what counts as false is taken, and the environment has no image.
fn image_problem<'a>(
    evaluator: &Evaluator<'a>,
    scope: Scope<'_, 'a>,
    call: &'a ast::ExprCall,
    kind: EnvironmentKind<'a>,
) -> Option<Problem> {
    let Argument::Given { place, value: Ok(value), .. } =
        argument(evaluator, scope, call, ("image", image_position(kind)))
    else {
        return None;
    };
    let shown = match &value {
        Constant::Image(_) | Constant::Str(_) => return None,
        Constant::Name(path) if is_image_path(path) => "the class `Image`",
        Constant::Name(_) => return None,
        Constant::Module(_) => "a module",
        value if !value.is_true() => return None,
        value => value.type_name(),
    };
    let message = format!("`image` is {shown}, not an image");
    Some(refused(
        &IMAGE_ARGUMENT_TYPE,
        place,
        message,
        "Pass a `flyte.Image`, or an image reference as a string",
    ))
}

/// Tasks of an environment whose `image` is nothing.
pub(super) fn without_image(place: Place) -> Problem {
    refused(
        &IMAGE_ARGUMENT_TYPE,
        place,
        "`image` is nothing, so that the tasks have no image".to_owned(),
        "Leave it out for the default image, or name one",
    )
}

fn name_problem<'a>(
    evaluator: &Evaluator<'a>,
    scope: Scope<'_, 'a>,
    call: &'a ast::ExprCall,
) -> Option<Problem> {
    let Argument::Given { place, value: Ok(Constant::Str(name)), .. } =
        argument(evaluator, scope, call, ("name", 0))
    else {
        return None;
    };
    let message = format!("`{name}` is no name for an environment");
    let help = "Use lower-case letters and digits, with single `-` or `_` between them";
    (!is_environment_name(&name)).then(|| refused(&ENVIRONMENT_NAME, place, message, help))
}

/// `^[a-z0-9]+([_-][a-z0-9]+)*$`, as `flyte/_environment.py` has it.
fn is_environment_name(name: &str) -> bool {
    let is_word =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    name.split(['_', '-']).all(is_word)
}
