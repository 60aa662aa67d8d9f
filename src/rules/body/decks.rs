//! `Deck("name", html)` becomes a tab of the report of a task.
//!
//! ```python
//! Deck("loss", plot)                          # flyte.report.get_tab("loss").log(plot)
//! current_context().default_deck.append(h)    # flyte.report.log(h)
//! Deck.publish()                              # flyte.report.flush()
//! ```
//!
//! # FM260
//!
//! ## What it does
//!
//! Turns a `Deck` into a tab of `flyte.report`, and `append` into `log`.
//!
//! ## Why
//!
//! A report of Flyte 2 has tabs by name in place of decks. A deck that is handed to other code cannot be followed.
//!
//! ## Example
//!
//! ```python
//! from flytekit import Deck, task
//!
//!
//! @task(enable_deck=True)
//! def step() -> int:
//!     show(Deck("loss", "<b>0</b>"))
//!     return 1
//!
//!
//! def show(deck) -> None:
//!     print(deck)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flytekit import Deck, task
//!
//!
//! @task(enable_deck=True)
//! def step() -> int:
//!     Deck("loss", "<b>0</b>")
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! By hand. Decks that can be followed are rewritten with the task.
//!
//! ## Not handled
//!
//! A deck that is passed on as a whole, and what is read of a deck besides `append`.
//!
//! ## References
//!
//! `flytekit/deck/deck.py` of flytekit 1.16.31; `flyte/report/_report.py` of flyte 2.12.1.

use super::context::is_followed;
use super::handles::Handle;
use super::mapper::Mapper;
use crate::flyte1::symbol::Symbol;
use crate::python::Ranged;
use crate::python::ast::{self, Expr, Stmt};
use crate::python::items::indentation_at;
use crate::rules::codes::REPORT;
use crate::rules::{Effect, Finding};
use crate::source::TextRange;

/// Asked for every expression, from the inside out.
pub(super) fn expression(mapper: &mut Mapper<'_>, expr: &Expr) -> bool {
    match expr {
        Expr::Name(name) => {
            let Some(variable) = mapper.cx.handles.read(name.range) else { return false };
            if variable.handle == Handle::Deck && !is_followed(mapper, name.range, '.') {
                let message = format!("deck `{}` is passed on as a whole", variable.name);
                unknown(mapper, name.range, message);
            }
            variable.handle == Handle::Deck
        }
        Expr::Call(call) => call_expression(mapper, call),
        Expr::Attribute(attribute) => {
            let object = handle(mapper, &attribute.value);
            if !matches!(object, Some(Handle::Deck | Handle::DefaultDeck)) {
                return false;
            }
            if attribute.attr.as_str() != "append" || !is_followed(mapper, attribute.range, '(') {
                unknown(
                    mapper,
                    attribute.range,
                    format!("`{}` of a deck has no counterpart", attribute.attr),
                );
            }
            true
        }
        _ => false,
    }
}

/// `deck = Deck("loss", plot)`: the tab is bound, and then filled.
pub(super) fn statement(mapper: &mut Mapper<'_>, stmt: &Stmt) -> bool {
    let Stmt::Assign(node) = stmt else { return false };
    let Expr::Call(call) = &*node.value else { return false };
    let Some(variable) =
        mapper.cx.handles.bound(call.range).filter(|variable| variable.handle == Handle::Deck)
    else {
        return false;
    };
    let Some(tab) = tab(mapper, call) else { return true };
    let html = content(call).map(|html| mapper.rewriter.text_of(html.range()));
    write(mapper, call.range, tab);
    if let Some(html) = html {
        let indent = indentation_at(mapper.cx.text, stmt.start()).to_owned();
        mapper.rewriter.insert(stmt.end(), format!("\n{indent}{}.log({html})", variable.name));
    }
    true
}

fn handle(mapper: &Mapper<'_>, expr: &Expr) -> Option<Handle> {
    let cx = mapper.cx;
    cx.handles
        .handle(cx.project, cx.file, cx.facts, expr)
        .filter(|_| cx.handles.function(expr.range()).is_some())
}

fn unknown(mapper: &mut Mapper<'_>, range: TextRange, message: String) {
    mapper.find(
        Finding::new(&REPORT, range, Effect::Blocking, message)
            .help("Write to `flyte.report` by hand: `flyte.report.get_tab(\"name\").log(html)`"),
    );
}

fn call_expression(mapper: &mut Mapper<'_>, call: &ast::ExprCall) -> bool {
    let symbol = mapper.cx.symbol(&call.func);
    let is_inside = mapper.cx.handles.function(call.range).is_some();
    match symbol {
        Some(Symbol::Other(path)) if path == "flytekit.Deck.publish" && is_inside => {
            mapper.consume(call.func.range());
            let report = mapper.submodule("flyte.report");
            let text = awaited(mapper, &format!("{report}.flush"), "");
            write(mapper, call.range, text);
            true
        }
        Some(Symbol::Other(path)) if path == "flytekit.Deck" && is_inside => {
            mapper.consume(call.func.range());
            deck(mapper, call);
            true
        }
        _ => append(mapper, call),
    }
}

/// `Deck("name")`, with or without content; one that is bound is written with its statement.
fn deck(mapper: &mut Mapper<'_>, call: &ast::ExprCall) {
    let html = content(call);
    let is_bound = mapper.cx.handles.bound(call.range).is_some();
    let is_statement = mapper.cx.handles.is_statement(call.range);
    if is_bound {
        return;
    }
    if !is_statement && (html.is_some() || !is_followed(mapper, call.range, '.')) {
        unknown(mapper, call.range, "this `Deck` is passed on as a whole".to_owned());
        return;
    }
    let Some(tab) = tab(mapper, call) else { return };
    let html = html.map(|html| mapper.rewriter.text_of(html.range()));
    let text = html.map_or(tab.clone(), |html| format!("{tab}.log({html})"));
    write(mapper, call.range, text);
}

/// The tab of a deck.
fn tab(mapper: &mut Mapper<'_>, call: &ast::ExprCall) -> Option<String> {
    let is_known = call
        .arguments
        .keywords
        .iter()
        .all(|keyword| keyword.arg.as_ref().is_some_and(|name| matches!(name.as_str(), "name" | "html")));
    let name = call.arguments.find_argument_value("name", 0);
    let Some(name) = name.filter(|_| is_known && call.arguments.args.len() <= 2) else {
        unknown(mapper, call.range, "this `Deck` has arguments that `flyte.report` does not know".to_owned());
        return None;
    };
    let report = mapper.submodule("flyte.report");
    let name = match name {
        // Flyte 2 shows its main tab first, as Flyte 1 its default deck.
        Expr::StringLiteral(literal) if literal.value.to_str() == "default" => {
            mapper.cx.facts.style.string("main")
        }
        _ => mapper.rewriter.text_of(name.range()),
    };
    Some(format!("{report}.get_tab({name})"))
}

/// What a new deck holds; nothing for `""`.
fn content(call: &ast::ExprCall) -> Option<&Expr> {
    let html = call.arguments.find_argument_value("html", 1)?;
    let is_empty = matches!(html, Expr::StringLiteral(literal) if literal.value.is_empty());
    (!is_empty && !html.is_none_literal_expr()).then_some(html)
}

/// `deck.append(html)`
fn append(mapper: &mut Mapper<'_>, call: &ast::ExprCall) -> bool {
    let Expr::Attribute(method) = &*call.func else { return false };
    let object = handle(mapper, &method.value);
    if method.attr.as_str() != "append" || !matches!(object, Some(Handle::Deck | Handle::DefaultDeck)) {
        return false;
    }
    if !mapper.cx.handles.is_statement(call.range) {
        unknown(mapper, call.range, "the result of `append` is used; `log` has none".to_owned());
        return true;
    }
    if object == Some(Handle::Deck) {
        mapper.rewriter.replace(method.attr.range, "log");
        return true;
    }
    let report = mapper.submodule("flyte.report");
    let arguments = TextRange::new(
        call.arguments.range.start() + crate::source::TextSize::from(1),
        call.arguments.range.end() - crate::source::TextSize::from(1),
    );
    let html = mapper.rewriter.text_of(arguments);
    let text = awaited(mapper, &format!("{report}.log"), &html);
    write(mapper, call.range, text);
    true
}

/// A call of a function that is `async` underneath.
fn awaited(mapper: &Mapper<'_>, function: &str, arguments: &str) -> String {
    if mapper.is_async() {
        format!("await {function}.aio({arguments})")
    } else {
        format!("{function}({arguments})")
    }
}

fn write(mapper: &mut Mapper<'_>, range: TextRange, text: String) {
    mapper.rewriter.take(range);
    mapper.rewriter.replace(range, text);
}
