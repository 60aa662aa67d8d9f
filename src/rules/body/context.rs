//! `current_context()` becomes `flyte.ctx()`, or what stands on Flyte 2 for the part of it that is read.
//!
//! ```python
//! current_context().execution_id.name                 # flyte.ctx().action.run_name
//! current_context().secrets.get("db", "password")     # os.environ["DB_PASSWORD"].strip()
//! current_context().working_directory                 # tempfile.mkdtemp()
//! ```
//!
//! # FM258
//!
//! ## What it does
//!
//! Turns `current_context()` into `flyte.ctx()`, and what is read of it into its counterpart. Names the environment
//! variables that only Flyte 1 sets in its pods, such as `FLYTE_INTERNAL_EXECUTION_ID`.
//!
//! ## Why
//!
//! `flyte.ctx()` has other fields: the name of the execution is the name of the run in its `action`. `action` is `None` outside
//! of a run, and some of its fields are empty in a local one.
//!
//! ## Example
//!
//! ```python
//! from flytekit import current_context, task
//!
//!
//! @task
//! def step() -> str:
//!     return current_context().execution_id.name
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import TaskEnvironment, ctx
//!
//! env = TaskEnvironment(name="example")
//!
//!
//! @env.task
//! def step() -> str:
//!     return ctx().action.run_name
//! ```
//!
//! ## Fix safety
//!
//! Informs. `attempt` counts differently, and is rewritten as an unsafe fix.
//!
//! ## Not handled
//!
//! A context that is passed on as a whole, and parts without a counterpart. `checkpoint` has one with other methods:
//! `flyte.ctx().checkpoint`, which is `None` where a run has no place for it.
//!
//! ## References
//!
//! `flytekit/core/context_manager.py` of flytekit 1.16.31; `flyte/models.py` of flyte 2.12.1.
//!
//! # FM259
//!
//! ## What it does
//!
//! Turns `current_context().secrets.get(…)` into a read of the environment variable that the declaration of the secret names.
//!
//! ## Why
//!
//! Flyte 2 hands a secret over in an environment variable. Its name is known if `secret_requests` of the task declares the
//! secret where that can be read.
//!
//! ## Example
//!
//! ```python
//! from flytekit import current_context, task
//!
//!
//! @task
//! def step() -> int:
//!     return len(current_context().secrets.get("db", "password"))
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flytekit import Secret, current_context, task
//!
//!
//! @task(secret_requests=[Secret(group="db", key="password")])
//! def step() -> int:
//!     return len(current_context().secrets.get("db", "password"))
//! ```
//!
//! ## Fix safety
//!
//! By hand. A read of a declared secret is rewritten with the task, and with it `except ValueError:` around it, as a missing
//! variable raises `KeyError`; unsafe where more is tried there.
//!
//! ## Not handled
//!
//! A secret that nothing declares, names that cannot be read, and other methods of `secrets`.
//!
//! ## References
//!
//! `SecretsManager` in `flytekit/core/context_manager.py` of flytekit 1.16.31; `flyte/_secret.py` of flyte 2.12.1.

use super::handles::Handle;
use super::mapper::Mapper;
use super::missing_secrets;
use super::statements::remove_statement;
use crate::flyte1::symbol::Symbol;
use crate::project::plan::constant;
use crate::project::settings::{DeclaredSecret, declared_secrets, is_file_secret, name_of_secret};
use crate::python::ast::{self, Expr, Stmt};
use crate::python::items::line_start;
use crate::python::scope::SECRET_PREFIX;
use crate::python::value::{Value, ValueKind};
use crate::python::{Ranged, TokenKind};
use crate::rules::codes::{CONTEXT, SECRET_READ};
use crate::rules::{Effect, Finding};
use crate::source::{TextRange, TextSize};

/// Asked for every expression, from the inside out.
pub(super) fn expression(mapper: &mut Mapper<'_>, expr: &Expr) -> bool {
    let handles = mapper.cx.handles;
    match expr {
        Expr::Name(name) => {
            let Some(variable) = handles.read(name.range) else { return false };
            if variable.handle == Handle::Deck {
                return false;
            }
            if !is_followed(mapper, name.range, '.') {
                unknown(mapper, name.range, format!("`{}` is passed on as a whole", variable.name));
            }
            true
        }
        Expr::StringLiteral(literal) => secret_name(mapper, literal) || internal_name(mapper, literal),
        Expr::Call(call) => call_expression(mapper, call),
        Expr::Attribute(attribute) => attribute_expression(mapper, attribute),
        _ => false,
    }
}

/// `ctx = current_context()`: the statement goes, unless what it binds is still read.
pub(super) fn statement(mapper: &mut Mapper<'_>, stmt: &Stmt) -> bool {
    let Stmt::Assign(node) = stmt else { return false };
    let Some(variable) = mapper.cx.handles.bound(node.value.range()) else { return false };
    let is_read = |attributes: &[&str]| {
        variable
            .reads
            .iter()
            .any(|read| attributes.iter().any(|name| reads_attribute(mapper.cx.text, *read, name)))
    };
    let value = match variable.handle {
        Handle::Context
            if is_read(&[
                "execution_id",
                "execution_date",
                "raw_output_prefix",
                "attempt",
                "spark_session",
            ]) =>
        {
            Some("()")
        }
        Handle::ExecutionId if !variable.reads.is_empty() => Some("().action"),
        Handle::Deck => return false,
        _ => None,
    };
    let Some(rest) = value else {
        remove_statement(mapper, stmt.range());
        return true;
    };
    let text = match &*node.value {
        // `execution = ctx.execution_id`
        Expr::Attribute(attribute) if attribute.value.is_name_expr() => {
            format!("{}.action", &mapper.cx.text[attribute.value.range()])
        }
        _ => format!("{}{rest}", mapper.flyte("ctx")),
    };
    write(mapper, node.value.range(), text);
    true
}

/// Whether the attribute `name` is read of what stands at `range`.
fn reads_attribute(text: &str, range: TextRange, name: &str) -> bool {
    let rest = text[usize::from(range.end())..].trim_start();
    rest.strip_prefix('.').is_some_and(|rest| {
        rest.trim_start()
            .strip_prefix(name)
            .is_some_and(|rest| !rest.starts_with(|c: char| c == '_' || c.is_alphanumeric()))
    })
}

fn handle(mapper: &Mapper<'_>, expr: &Expr) -> Option<Handle> {
    let cx = mapper.cx;
    cx.handles
        .handle(cx.project, cx.file, cx.facts, expr)
        .filter(|_| cx.handles.function(expr.range()).is_some())
}

/// Whether `next` is what follows behind `range`; a chain that is broken by parentheses does not count.
pub(super) fn is_followed(mapper: &Mapper<'_>, range: TextRange, next: char) -> bool {
    let rest = mapper.cx.text[usize::from(range.end())..].trim_start();
    rest.strip_prefix('\\').map_or(rest, str::trim_start).starts_with(next)
}

fn unknown(mapper: &mut Mapper<'_>, range: TextRange, message: String) {
    mapper.find(
        Finding::new(&CONTEXT, range, Effect::Blocking, message)
            .help("Replace it by its Flyte 2 counterpart by hand, see `flyte.ctx()`"),
    );
}

fn call_expression(mapper: &mut Mapper<'_>, call: &ast::ExprCall) -> bool {
    let is_context = mapper
        .cx
        .symbol(&call.func)
        .is_some_and(|symbol| matches!(&symbol, Symbol::Other(path) if path == "flytekit.current_context"));
    if is_context && mapper.cx.handles.function(call.range).is_some() {
        mapper.consume(call.func.range());
        let is_bound = mapper.cx.handles.bound(call.range).is_some();
        if !is_bound && !is_followed(mapper, call.range, '.') {
            unknown(mapper, call.range, "`current_context()` is passed on as a whole".to_owned());
        }
        return true;
    }
    let Expr::Attribute(method) = &*call.func else { return false };
    match (handle(mapper, &method.value), method.attr.as_str()) {
        (Some(Handle::Secrets), "get") => secret(mapper, call),
        _ => return false,
    }
    true
}

fn attribute_expression(mapper: &mut Mapper<'_>, attribute: &ast::ExprAttribute) -> bool {
    let Some(object) = handle(mapper, &attribute.value) else { return false };
    let name = attribute.attr.as_str();
    match (object, name) {
        (Handle::Context, "execution_id" | "secrets" | "default_deck") => {
            let is_bound = mapper.cx.handles.bound(attribute.range).is_some();
            if !is_bound && !is_followed(mapper, attribute.range, '.') {
                unknown(mapper, attribute.range, format!("`{name}` of the context is passed on as a whole"));
            }
        }
        (Handle::Context, "working_directory") => working_directory(mapper, attribute.range),
        (Handle::Context, "logging") => {
            let logger = mapper.flyte("logger");
            write(mapper, attribute.range, logger);
        }
        (Handle::Context, "execution_date") => of_context(mapper, attribute, "run_start_time"),
        (Handle::Context, "raw_output_prefix") => of_context(mapper, attribute, "raw_data_path.path"),
        (Handle::Context, "spark_session") => {
            let key = quoted(mapper, attribute.range, "spark_session");
            of_context(mapper, attribute, &format!("data[{key}]"));
        }
        (Handle::Context, "attempt") => {
            mapper.find(
                Finding::new(
                    &CONTEXT,
                    attribute.range,
                    Effect::Unsafe,
                    "`attempt` of the context becomes `attempt_number`, which begins at 0",
                )
                .help("Look at what the number is compared with"),
            );
            of_context(mapper, attribute, "attempt_number");
        }
        (Handle::ExecutionId, "name") => of_action(mapper, attribute, "run_name"),
        (Handle::ExecutionId, "project" | "domain") => of_action(mapper, attribute, name),
        (Handle::Secrets, "get") if is_followed(mapper, attribute.range, '(') => {}
        (Handle::Secrets, _) => mapper.find(
            Finding::new(
                &SECRET_READ,
                attribute.range,
                Effect::Blocking,
                format!("`secrets.{name}` of the context has no counterpart on Flyte 2"),
            )
            .help("Read the environment variable of the secret, or its file below `/etc/flyte/secrets`"),
        ),
        (Handle::DefaultDeck | Handle::Deck, _) => return false,
        (Handle::Context, "checkpoint") => mapper.find(
            Finding::new(
                &CONTEXT,
                attribute.range,
                Effect::Blocking,
                "`checkpoint` of the context has other methods on Flyte 2, and is `None` outside of a run",
            )
            .help(CHECKPOINT_HELP),
        ),
        _ => {
            unknown(
                mapper,
                attribute.range,
                format!("`{name}` of the context has no counterpart on Flyte 2"),
            );
        }
    }
    true
}

/// How what Flyte 1 does with a checkpoint is written (`flyte/_checkpoint.py` of 2.12.1).
const CHECKPOINT_HELP: &str = "Take `cp = flyte.ctx().checkpoint`: `cp.save_sync(data)` for `write` and `save`, and for `read` and `restore` \
     `cp.load_sync()`, which gives the path of what was saved, or `None`";

fn write(mapper: &mut Mapper<'_>, range: TextRange, text: String) {
    mapper.rewriter.take(range);
    mapper.rewriter.replace(range, text);
}

/// A field of `flyte.ctx()`.
fn of_context(mapper: &mut Mapper<'_>, attribute: &ast::ExprAttribute, field: &str) {
    let object = match &*attribute.value {
        Expr::Name(variable) => variable.id.to_string(),
        _ => format!("{}()", mapper.flyte("ctx")),
    };
    write(mapper, attribute.range, format!("{object}.{field}"));
}

/// A field of `flyte.ctx().action`.
fn of_action(mapper: &mut Mapper<'_>, attribute: &ast::ExprAttribute, field: &str) {
    mapper.find(Finding::new(
        &CONTEXT,
        attribute.range,
        Effect::Info,
        "`flyte.ctx().action` is `None` outside of a run, and its `project` and `domain` in a local one",
    ));
    let object = match &*attribute.value {
        // `execution_id = …` now binds the action.
        Expr::Name(variable) => variable.id.to_string(),
        Expr::Attribute(id) => match &*id.value {
            Expr::Name(variable) => format!("{}.action", variable.id),
            _ => format!("{}().action", mapper.flyte("ctx")),
        },
        _ => return,
    };
    write(mapper, attribute.range, format!("{object}.{field}"));
}

/// The folder is the same each time in a task of Flyte 1, so it is made once.
fn working_directory(mapper: &mut Mapper<'_>, range: TextRange) {
    let handles = mapper.cx.handles;
    let Some((function, start)) = handles.function(range).filter(|_| mapper.is_entity()) else {
        mapper.find(
            Finding::new(
                &CONTEXT,
                range,
                Effect::Blocking,
                "`working_directory` is one folder for the whole task in Flyte 1, also in functions that it calls",
            )
            .help("Make it in the task with `tempfile.mkdtemp()`, and pass its path"),
        );
        return;
    };
    let tempfile = mapper.module("tempfile");
    let reads: Vec<(TextRange, bool)> = handles.working_directories(function).collect();
    if let [(_, true)] = reads[..] {
        write(mapper, range, format!("{tempfile}.mkdtemp()"));
        return;
    }
    let module = &mapper.cx.facts.module;
    let mut candidates = std::iter::once("working_directory".to_owned())
        .chain((2..).map(|number| format!("working_directory_{number}")));
    let name = candidates.find(|name| !module.has_name(name)).unwrap_or_default();
    let line = line_start(mapper.cx.text, start);
    let indent = &mapper.cx.text[TextRange::new(line, start)];
    if !indent.trim().is_empty() {
        unknown(mapper, range, "`working_directory` is read in a function on one line".to_owned());
        return;
    }
    if reads.first().is_some_and(|(first, _)| *first == range) {
        mapper.rewriter.insert(line, format!("{indent}{name} = {tempfile}.mkdtemp()\n"));
    }
    write(mapper, range, name);
}

/// `secrets.get("group", "key")` reads the environment variable that the decorator of the task names.
fn secret(mapper: &mut Mapper<'_>, call: &ast::ExprCall) {
    let Some((group, key)) = names_of(mapper, call) else {
        mapper.find(
            Finding::new(
                &SECRET_READ,
                call.range,
                Effect::Blocking,
                "`secrets.get` takes names here that cannot be read",
            )
            .help("Read `os.environ[…]` with the name of the variable by hand"),
        );
        return;
    };
    let is_it = |secret: &DeclaredSecret| secret.group == group && secret.key == key;
    let Some(variable) = variable_of(mapper, &is_it) else {
        let is_file = is_file_secret(mapper.cx.project, mapper.cx.graph, group.as_deref(), &key);
        let name = group.map_or(key.clone(), |group| format!("{group}/{key}"));
        let (what, help) = if is_file {
            (
                "and is declared as a file, which `secrets.get` finds on Flyte 1 only",
                "Declare it without `mount_requirement`: the environment variable of the secret is read then",
            )
        } else {
            (
                "but no `secret_requests` that can be read declares it",
                "Declare it in the decorator of the task that reads it",
            )
        };
        let message = format!("secret `{name}` is read here, {what}");
        mapper.find(Finding::new(&SECRET_READ, call.range, Effect::Blocking, message).help(help));
        return;
    };
    let os = mapper.module("os");
    let variable = quoted(mapper, call.range, &variable);
    // As Flyte 1 does, without white space around it.
    write(mapper, call.range, format!("{os}.environ[{variable}].strip()"));
    missing_secrets::caught(mapper, call.range);
}

/// The environment variable of a declared secret: of the task that the code belongs to, or, in a plain function, of
/// whatever task may call it.
fn variable_of(mapper: &Mapper<'_>, is_it: &dyn Fn(&DeclaredSecret) -> bool) -> Option<String> {
    let mut declared = declared_secrets(mapper.cx.project, mapper.cx.graph);
    declared.retain(|secret| is_it(secret) && (secret.node == mapper.node || !mapper.is_entity()));
    let first = declared.first()?;
    declared.iter().all(|other| other.variable == first.variable).then(|| first.variable.clone())
}

/// The variables that Flyte 1 sets in its pods (`flytekit/tools/translator.py` and what starts a pod), and what tells the
/// same on Flyte 2, whose own are those of the project and the domain (`flyte/_bin/runtime.py`, 2.12.1).
const INTERNAL: [(&str, &str); 9] = [
    ("FLYTE_INTERNAL_EXECUTION_ID", "Read `flyte.ctx().action.run_name`"),
    ("FLYTE_INTERNAL_EXECUTION_LAUNCHPLAN", "Give what depends on it as an input"),
    ("FLYTE_INTERNAL_EXECUTION_WORKFLOW", "Give what depends on it as an input"),
    ("FLYTE_INTERNAL_IMAGE", "Give what depends on it as an input"),
    ("FLYTE_INTERNAL_TASK_DOMAIN", "Read `flyte.ctx().action.domain`"),
    ("FLYTE_INTERNAL_TASK_NAME", "Read `flyte.ctx().action.name`, which names the call"),
    ("FLYTE_INTERNAL_TASK_PROJECT", "Read `flyte.ctx().action.project`"),
    ("FLYTE_INTERNAL_TASK_VERSION", "Read `flyte.ctx().version`"),
    ("FLYTE_INTERNAL_WORKER_NAME", "Give what depends on it as an input"),
];

/// `"FLYTE_INTERNAL_EXECUTION_ID"`: nothing sets it on Flyte 2, and code that falls back to something else goes on with
/// that.
fn internal_name(mapper: &mut Mapper<'_>, literal: &ast::ExprStringLiteral) -> bool {
    let name = literal.value.to_str();
    let Some((_, help)) = INTERNAL.iter().find(|(internal, _)| *internal == name) else { return false };
    let message = format!("`{name}` is a variable that only Flyte 1 sets; on Flyte 2 it is missing");
    mapper.find(Finding::new(&CONTEXT, literal.range, Effect::Unsafe, message).help(*help));
    true
}

/// `"_FSEC_DB_PASSWORD"`, which code sets or reads, is what Flyte 1 calls the variable of a secret.
fn secret_name(mapper: &mut Mapper<'_>, literal: &ast::ExprStringLiteral) -> bool {
    let name = literal.value.to_str();
    if !name.starts_with(SECRET_PREFIX) {
        return false;
    }
    let is_it = |secret: &DeclaredSecret| secret.flyte1_variable() == name;
    let Some(variable) = variable_of(mapper, &is_it) else {
        mapper.find(
            Finding::new(
                &SECRET_READ,
                literal.range,
                Effect::Blocking,
                format!(
                    "`{name}` is what Flyte 1 calls the variable of a secret, which nobody declares here"
                ),
            )
            .help("Declare the secret in the decorator of the task that reads it"),
        );
        return true;
    };
    if !mapper.is_entity() {
        let declared = declared_secrets(mapper.cx.project, mapper.cx.graph);
        for secret in declared.iter().filter(|secret| is_it(secret)) {
            mapper.call(literal.range, secret.node);
        }
    }
    let text = quoted(mapper, literal.range, &variable);
    write(mapper, literal.range, text);
    true
}

/// A string as the user writes it, but with other quotes inside an f-string, which before Python 3.12 must not hold
/// its own.
pub(super) fn quoted(mapper: &Mapper<'_>, range: TextRange, text: &str) -> String {
    let mut open = Vec::new();
    for token in mapper.cx.parsed.tokens().iter().take_while(|token| token.range().start() <= range.start()) {
        match token.kind() {
            TokenKind::FStringStart => open.push(mapper.cx.text[token.range()].ends_with('"')),
            TokenKind::FStringEnd => drop(open.pop()),
            _ => {}
        }
    }
    match open.last() {
        Some(true) => format!("'{text}'"),
        Some(false) => format!("\"{text}\""),
        None => mapper.cx.facts.style.string(text),
    }
}

/// The group and the key that `secrets.get(…)` names.
fn names_of(mapper: &Mapper<'_>, call: &ast::ExprCall) -> Option<(Option<String>, String)> {
    let (mut group, mut key) = (String::new(), String::new());
    for (position, argument) in call.arguments.args.iter().enumerate() {
        match position {
            0 => group = literal(mapper, argument)?,
            1 => key = literal(mapper, argument)?,
            _ => return None,
        }
    }
    for keyword in &call.arguments.keywords {
        match keyword.arg.as_ref().map(ast::Identifier::as_str) {
            Some("group") => group = literal(mapper, &keyword.value)?,
            Some("key") => key = literal(mapper, &keyword.value)?,
            _ => return None,
        }
    }
    (!key.is_empty()).then_some((Some(group).filter(|group| !group.is_empty()), key))
}

/// The string that an argument is or names; empty for `None`, as flytekit reads it.
fn literal(mapper: &Mapper<'_>, expr: &Expr) -> Option<String> {
    let cx = mapper.cx;
    let value = Value::of(expr);
    if value.kind == ValueKind::None {
        return Some(String::new());
    }
    if let Some(text) = value.as_str() {
        return Some(text.to_owned());
    }
    let reference = cx.reference(expr)?;
    if !reference.attributes.is_empty() {
        return name_of_secret(cx.project, cx.graph, cx.file, reference);
    }
    let constant = constant(cx.project, cx.file, &reference.name, TextSize::of(cx.text))?;
    constant.as_str().map(str::to_owned)
}
