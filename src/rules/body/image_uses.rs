//! Uses of an image besides tasks: its address, building it, and code that only runs in it.
//!
//! ```python
//! address = image.image_name()      # image.uri
//! ImageBuildEngine.build(image)     # flyte.build(image)
//! if image.is_container():          # try:
//!     import torch                  #     import torch
//!                                   # except ImportError: pass
//! ```
//!
//! # FM140
//!
//! ## What it does
//!
//! Turns `if image.is_container():` around imports into `try` and `except ImportError`. An `else` becomes the handler.
//! `if image.is_container:`, which is not called, is always true and stays so.
//!
//! ## Why
//!
//! No image of Flyte 2 can tell whether the code runs in it. What only the image can import is now tried everywhere: it may
//! also be there on the machine that deploys, where it was not imported before.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(name="train", packages=["torch"])
//!
//! if image.is_container():
//!     import torch
//!
//!
//! @task(container_image=image)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import Image, TaskEnvironment
//!
//! image = Image.from_debian_base(name="train").with_pip_packages("torch")
//!
//! try:
//!     import torch
//! except ImportError:
//!     pass
//!
//! env = TaskEnvironment(name="example", image=image)
//!
//!
//! @env.task
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! Unsafe. An `ImportError` inside a package that is there is passed over too.
//!
//! ## Not handled
//!
//! A guard with more than imports under it, or with `elif`: move that code into the tasks that use the image.
//!
//! ## References
//!
//! `ImageSpec.is_container` in `flytekit/image_spec/image_spec.py` of flytekit 1.16.31; `flyte/_image.py` of flyte 2.12.1.
//!
//! # FM141
//!
//! ## What it does
//!
//! Turns `ImageBuildEngine.build(image)` into `flyte.build(image)`, also in a loop over images that does nothing else.
//!
//! ## Why
//!
//! Both build the image when they run. `flyte.build` needs a configuration first, builds with the builder that this names,
//! and returns the built image.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//! from flytekit.image_spec.image_spec import ImageBuildEngine
//!
//! image = ImageSpec(name="train", packages=["pandas"])
//!
//!
//! def build() -> None:
//!     ImageBuildEngine.build(image)
//!
//!
//! @task(container_image=image)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_debian_base(name="train").with_pip_packages("pandas")
//!
//!
//! def build() -> None:
//!     flyte.build(image)
//!
//!
//! env = flyte.TaskEnvironment(name="example", image=image)
//!
//!
//! @env.task
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! Unsafe. Call `flyte.init_from_config()` before it.
//!
//! ## Not handled
//!
//! A build with more arguments than the image, or of an image that cannot be followed to one `ImageSpec`.
//!
//! ## References
//!
//! `ImageBuildEngine` in `flytekit/image_spec/image_spec.py` of flytekit 1.16.31; `flyte/_build.py` of flyte 2.12.1.

use super::context::quoted;
use super::mapper::Mapper;
use crate::flyte1::symbol::Symbol;
use crate::project::graph::NodeId;
use crate::python::Ranged;
use crate::python::ast::{self, Expr, Stmt};
use crate::python::items::{indentation_at, line_start, next_line_start};
use crate::rules::codes::{IMAGE_BUILD, IMAGE_GUARD};
use crate::rules::{Effect, Finding};
use crate::source::{TextRange, TextSize};

/// `image.image_name()`, `image.tag`, `ImageBuildEngine.build(image)`.
pub(super) fn expression(mapper: &mut Mapper<'_>, expr: &Expr) -> bool {
    match expr {
        Expr::Call(call) if call.arguments.is_empty() => address(mapper, call),
        Expr::Call(call) => build(mapper, call),
        Expr::Attribute(attribute) => tag(mapper, expr, attribute),
        _ => false,
    }
}

/// `if image.is_container():`, `for image in [first, second]: ImageBuildEngine.build(image)`
pub(super) fn statement(mapper: &mut Mapper<'_>, stmt: &Stmt) -> bool {
    let node = match stmt {
        Stmt::If(node) => node,
        Stmt::For(node) => return build_each(mapper, node),
        _ => return false,
    };
    match &*node.test {
        Expr::Call(call) if call.arguments.is_empty() => match image_attribute(mapper, &call.func) {
            Some((image, "is_container")) => guard(mapper, node, call.func.range(), image),
            _ => return false,
        },
        test => match image_attribute(mapper, test) {
            Some((image, "is_container")) => forgotten_call(mapper, test.range(), image),
            _ => return false,
        },
    }
    true
}

/// The image that `image.attribute` certainly belongs to, and the attribute.
fn image_attribute<'a>(mapper: &Mapper<'a>, expr: &Expr) -> Option<(NodeId, &'a str)> {
    let cx = mapper.cx;
    let found = cx.graph.image_attribute(cx.project, cx.file, cx.reference(expr)?)?;
    // What stands in the call of an image is written by the rules of its parameters.
    let mut calls = cx.facts.module.calls.iter().enumerate();
    let is_within =
        calls.any(|(id, call)| call.holds(expr.range()) && cx.graph.image_at(cx.file, id).is_some());
    (!is_within).then_some(found)
}

/// `image.image_name()` is `image.uri`.
fn address(mapper: &mut Mapper<'_>, call: &ast::ExprCall) -> bool {
    let (Some((image, "image_name")), Expr::Attribute(name)) =
        (image_attribute(mapper, &call.func), &*call.func)
    else {
        return false;
    };
    mapper.rewriter.replace(TextRange::new(name.attr.start(), call.end()), "uri");
    mapper.call(call.func.range(), image);
    true
}

/// `image.tag` is read from `image.uri`.
fn tag(mapper: &mut Mapper<'_>, expr: &Expr, attribute: &ast::ExprAttribute) -> bool {
    let Some((image, "tag")) = image_attribute(mapper, expr) else { return false };
    let colon = quoted(mapper, attribute.range, ":");
    mapper.rewriter.replace(attribute.attr.range, format!("uri.rsplit({colon}, 1)[1]"));
    mapper.call(attribute.range, image);
    true
}

/// `ImageBuildEngine.build(image)` as a statement.
fn build(mapper: &mut Mapper<'_>, call: &ast::ExprCall) -> bool {
    let Some((range, image)) = built(mapper, call).and_then(|argument| image_of(mapper, argument)) else {
        return false;
    };
    mapper.call(range, image);
    rename_build(mapper, call);
    true
}

/// `for image in [first, second]: ImageBuildEngine.build(image)`
fn build_each(mapper: &mut Mapper<'_>, node: &ast::StmtFor) -> bool {
    let (Expr::List(ast::ExprList { elts, .. }) | Expr::Tuple(ast::ExprTuple { elts, .. })) = &*node.iter
    else {
        return false;
    };
    let Expr::Name(target) = &*node.target else { return false };
    let mut calls = Vec::new();
    for stmt in &node.body {
        let call = stmt.as_expr_stmt().and_then(|statement| statement.value.as_call_expr());
        let argument = call.and_then(|call| built(mapper, call)).and_then(Expr::as_name_expr);
        let is_of_target = argument.is_some_and(|name| name.id == target.id);
        let Some(call) = call.filter(|_| is_of_target) else { return false };
        calls.push(call);
    }
    let images: Option<Vec<_>> = elts.iter().map(|element| image_of(mapper, element)).collect();
    let Some(images) = images.filter(|_| node.orelse.is_empty()) else { return false };
    images.into_iter().for_each(|(range, image)| mapper.call(range, image));
    calls.into_iter().for_each(|call| rename_build(mapper, call));
    true
}

/// What `ImageBuildEngine.build(…)` builds.
fn built<'c>(mapper: &Mapper<'_>, call: &'c ast::ExprCall) -> Option<&'c Expr> {
    let is_build = matches!(mapper.cx.symbol(&call.func), Some(Symbol::Other(path))
        if path.ends_with(".ImageBuildEngine.build"));
    match (&*call.arguments.args, is_build && call.arguments.keywords.is_empty()) {
        ([argument], true) => Some(argument),
        _ => None,
    }
}

/// The image that an expression certainly names.
fn image_of(mapper: &Mapper<'_>, expr: &Expr) -> Option<(TextRange, NodeId)> {
    let reference = mapper.cx.reference(expr)?;
    let nodes = mapper.cx.graph.nodes_of(mapper.cx.project, mapper.cx.file, reference)?;
    match nodes[..] {
        [image] if mapper.cx.graph.image(image).is_some() => Some((reference.range, image)),
        _ => None,
    }
}

fn rename_build(mapper: &mut Mapper<'_>, call: &ast::ExprCall) {
    let build = mapper.flyte("build");
    mapper.rewriter.replace(call.func.range(), build);
    mapper.consume(call.func.range());
    mapper.find(
        Finding::new(
            &IMAGE_BUILD,
            call.range,
            Effect::Unsafe,
            "`flyte.build` builds with the builder of the configuration, and gives an `ImageBuild` instead of nothing",
        )
        .help("Call `flyte.init_from_config()` before it"),
    );
}

/// The imports under `if image.is_container():` are tried wherever the module is loaded.
fn guard(mapper: &mut Mapper<'_>, node: &ast::StmtIf, reference: TextRange, image: NodeId) {
    mapper.call(reference, image);
    let is_import = |stmt: &Stmt| matches!(stmt, Stmt::Import(_) | Stmt::ImportFrom(_) | Stmt::Pass(_));
    let otherwise = match &node.elif_else_clauses[..] {
        [] => None,
        [clause] if clause.test.is_none() => Some(clause),
        _ => return unguardable(mapper, node.test.range()),
    };
    let header = header(mapper.cx.text, node.range.start(), node.test.range().end());
    let (Some(header), true) = (header, node.body.iter().all(is_import)) else {
        return unguardable(mapper, node.test.range());
    };
    let text = mapper.cx.text;
    if let Some(clause) = otherwise {
        let Some(otherwise) = self::header(text, clause.range.start(), clause.range.start()) else {
            return unguardable(mapper, node.test.range());
        };
        mapper.rewriter.replace(otherwise, "except ImportError:");
    } else {
        let end = node.body.last().map_or(node.range.end(), Ranged::end);
        let indent = indentation_at(text, node.range.start());
        let unit = &mapper.cx.facts.style.indent_unit;
        let handler = format!("\n{indent}except ImportError:\n{indent}{unit}pass");
        mapper.rewriter.insert(line_end(text, end), handler);
    }
    mapper.rewriter.replace(header, "try:");
    mapper.find(
        Finding::new(
            &IMAGE_GUARD,
            node.test.range(),
            Effect::Unsafe,
            "Flyte 2 cannot tell whether code runs in this image: the imports under `is_container` are tried everywhere",
        )
        .help("Import them in the tasks that need them, if loading the module must stay cheap"),
    );
}

/// From the keyword to the colon behind `test_end`.
fn header(text: &str, start: TextSize, test_end: TextSize) -> Option<TextRange> {
    let rest = &text[usize::from(test_end)..];
    let rest = rest.strip_prefix("else").unwrap_or(rest);
    let colon = rest.find(':')?;
    let is_plain = rest[..colon].chars().all(|c| c == ')' || c.is_whitespace());
    let end = TextSize::of(text) - TextSize::of(&rest[colon + 1..]);
    is_plain.then(|| TextRange::new(start, end))
}

/// The end of the line at `offset`, without what ends it.
fn line_end(text: &str, offset: TextSize) -> TextSize {
    let line = TextRange::new(line_start(text, offset), next_line_start(text, offset));
    line.start() + TextSize::of(text[line].trim_end_matches(['\n', '\r']))
}

fn unguardable(mapper: &mut Mapper<'_>, range: TextRange) {
    mapper.find(
        Finding::new(
            &IMAGE_GUARD,
            range,
            Effect::Blocking,
            "Flyte 2 cannot tell whether code runs in this image, and the code under `is_container` is more than imports",
        )
        .help("Move it into the tasks that use the image"),
    );
}

/// `if image.is_container:` is always true.
fn forgotten_call(mapper: &mut Mapper<'_>, range: TextRange, image: NodeId) {
    mapper.call(range, image);
    mapper.rewriter.replace(range, "True");
    mapper.find(Finding::new(
        &IMAGE_GUARD,
        range,
        Effect::Info,
        "`is_container` is not called here, so the condition always holds, as it did on Flyte 1",
    ));
}
