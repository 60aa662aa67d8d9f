//! What single expressions and statements tell, whatever scope they stand in.

use rustpython_ast::visitor::source_order::{self, SourceOrderVisitor};
use rustpython_text_size::Ranged;

use super::{Argument, Parameter, ParameterKind};
use crate::python::annotation::TypeExpr;
use crate::python::ast::name::Name;
use crate::python::ast::{self, Expr, Operator, Stmt};
use crate::python::module_path::ImportPath;
use crate::python::value::Value;
use crate::source::TextRange;

/// Whether an import brings `dataclasses` or `functools`, or something of them.
pub(super) fn may_make(path: &ImportPath) -> bool {
    path.level == 0 && matches!(path.module.as_str(), "dataclasses" | "functools")
}

/// `dataclasses.replace`, which may copy an `ImageSpec`.
pub(super) fn is_copy(path: &ImportPath, func: &Expr) -> bool {
    names(path, func) == "dataclasses.replace"
}

/// `functools.partial`, which may make a decorator.
pub(super) fn is_partial(path: &ImportPath, func: &Expr) -> bool {
    names(path, func) == "functools.partial"
}

/// The dotted path of `func`, whose first name is imported from outside.
fn names(path: &ImportPath, func: &Expr) -> String {
    if !may_make(path) {
        return String::new();
    }
    let names = path.name.iter().map(Name::from).chain(chain_attributes(func));
    names.fold(path.module.clone(), |path, name| format!("{path}.{name}"))
}

/// Whether a call leaves its arguments as they are and keeps none of them.
pub(super) fn reads_only(func: &Expr) -> bool {
    let name = match func {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return false,
    };
    matches!(
        name,
        "len"
            | "list"
            | "tuple"
            | "set"
            | "frozenset"
            | "dict"
            | "sorted"
            | "str"
            | "repr"
            | "print"
            | "bool"
            | "int"
            | "float"
            | "join"
            | "any"
            | "all"
            | "min"
            | "max"
            | "sum"
            | "enumerate"
            | "zip"
            | "range"
            | "info"
            | "debug"
    )
}

pub(super) const OBJECT_STORES: [&str; 5] = ["s3://", "gs://", "gcs://", "abfs://", "abfss://"];

/// Whether `text`, a shell command or one of its words, calls pip: `pip`, `python -m pip`, `bash -c "pip"`, `spacy download`.
pub fn runs_pip(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_named = |at: usize| ["pip", "pacy"].iter().any(|name| bytes[at..].starts_with(name.as_bytes()));
    if !memchr::memchr_iter(b'p', bytes).any(is_named) {
        return false;
    }
    // Quotes and brackets as in `bash -c 'pip …'` and `subprocess.run(["pip", …])`.
    let is_separator = |c: char| {
        c.is_whitespace() || matches!(c, ';' | '&' | '|' | '(' | ')' | '"' | '\'' | '`' | '[' | ']' | ',')
    };
    let is_program = |program: &str| {
        let version = program.strip_prefix("pip3.");
        matches!(program, "pip" | "pip3")
            || version.is_some_and(|minor| minor.bytes().all(|c| c.is_ascii_digit()))
    };
    let mut previous = "";
    for word in text.split(is_separator) {
        let program = word.rsplit('/').next().unwrap_or(word);
        let is_pip = is_program(program) && (previous != "uv" && previous != "install");
        if is_pip || word == "-mpip" || (program == "download" && previous == "spacy") {
            return true;
        }
        if !word.is_empty() {
            previous = word;
        }
    }
    false
}

/// The name that `name.attribute.attribute` begins with.
pub(super) fn chain_root(expr: &Expr) -> Option<&ast::ExprName> {
    match expr {
        Expr::Name(name) => Some(name),
        Expr::Attribute(attribute) => chain_root(&attribute.value),
        _ => None,
    }
}

/// Finds the strings in a type: those that could not be read as if their quotes were not there.
pub(super) fn quoted_types(annotation: &Expr, text: &str, found: &mut Vec<TextRange>) {
    match annotation {
        Expr::StringLiteral(literal) => found.push(literal.range),
        // What `Literal` and `Annotated` hold are values.
        Expr::Subscript(subscript)
            if !matches!(TypeExpr::of(&subscript.value).last_name(text), Some("Literal" | "Annotated")) =>
        {
            quoted_types(&subscript.slice, text, found);
        }
        Expr::Tuple(tuple) => tuple.elts.iter().for_each(|part| quoted_types(part, text, found)),
        Expr::List(list) => list.elts.iter().for_each(|part| quoted_types(part, text, found)),
        Expr::Dict(dict) => dict.items.iter().for_each(|item| quoted_types(&item.value, text, found)),
        Expr::BinOp(union) => {
            quoted_types(&union.left, text, found);
            quoted_types(&union.right, text, found);
        }
        _ => {}
    }
}

/// The arguments of a call that may be types in quotes: `cast("FlyteFile", value)`, `TypeVar("T", bound="FlyteFile")`.
pub(super) fn type_arguments(call: &ast::ExprCall) -> impl Iterator<Item = &Expr> {
    let name = match &*call.func {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => "",
    };
    let types = match name {
        "cast" | "ForwardRef" => 0..1,
        "TypeVar" | "NewType" | "NamedTuple" | "TypedDict" => 1..usize::MAX,
        _ => 0..0,
    };
    let is_any = !types.is_empty();
    let keywords = call.arguments.keywords.iter().filter(move |_| is_any).map(|keyword| &keyword.value);
    call.arguments.args.iter().take(types.end).skip(types.start).chain(keywords)
}

/// The attributes of a class that does nothing but assign them: `class Config: CPU = "2"`. Bases and decorators could
/// make something else of them.
pub(super) fn class_attributes(stmt: &Stmt) -> Option<Vec<(String, Value)>> {
    let class = stmt.as_class_def_stmt()?;
    if class.arguments.as_ref().is_some_and(|arguments| !arguments.is_empty())
        || !class.decorator_list.is_empty()
    {
        return None;
    }
    let mut attributes: Vec<(String, Value)> = Vec::new();
    for stmt in &class.body {
        let (target, value) = match stmt {
            Stmt::Assign(assign) if assign.targets.len() == 1 => (assign.targets.first()?, &assign.value),
            Stmt::AnnAssign(assign) => (&*assign.target, assign.value.as_ref()?),
            Stmt::Expr(docstring) if docstring.value.is_string_literal_expr() => continue,
            _ => return None,
        };
        let (name, value) = (target.as_name_expr()?.id.to_string(), Value::of(value));
        if attributes.iter().any(|(other, _)| *other == name) {
            return None;
        }
        attributes.push((name, value));
    }
    Some(attributes)
}

/// The attributes of `name.attribute.attribute`, the last first.
pub(super) fn attributes_of(expr: &Expr) -> impl Iterator<Item = &Name> {
    let chain =
        std::iter::successors(expr.as_attribute_expr(), |attribute| attribute.value.as_attribute_expr());
    chain.map(|attribute| &attribute.attr.id)
}

/// The attributes of `name.attribute.attribute` in order.
pub(super) fn chain_attributes(expr: &Expr) -> Vec<Name> {
    let mut attributes: Vec<Name> = attributes_of(expr).cloned().collect();
    attributes.reverse();
    attributes
}

/// The first call of `first(…).method(…).method(…)` and the methods behind it; none for a call alone.
pub(super) fn method_chain(
    call: &ast::ExprCall,
) -> Option<(&ast::ExprCall, Vec<(&ast::Identifier, &ast::ExprCall)>)> {
    if chain_root(&call.func).is_some() {
        return Some((call, Vec::new()));
    }
    let Expr::Attribute(method) = &*call.func else { return None };
    let Expr::Call(inner) = &*method.value else { return None };
    let (first, mut methods) = method_chain(inner)?;
    methods.push((&method.attr, call));
    Some((first, methods))
}

pub(super) fn argument_of(argument: ast::ArgOrKeyword<'_>) -> Argument {
    match argument {
        ast::ArgOrKeyword::Arg(value) => {
            Argument { name: None, is_double_starred: false, value: Value::of(value) }
        }
        ast::ArgOrKeyword::Keyword(keyword) => Argument {
            name: keyword.arg.as_ref().map(ToString::to_string),
            is_double_starred: keyword.arg.is_none(),
            value: Value::of(&keyword.value),
        },
    }
}

pub(super) fn parameter_of(parameter: ast::AnyParameterRef<'_>) -> Parameter {
    let kind = match parameter {
        ast::AnyParameterRef::NonVariadic(_) => ParameterKind::Usual,
        ast::AnyParameterRef::Variadic(_) => ParameterKind::Variadic,
    };
    Parameter {
        name: parameter.name().to_string(),
        range: parameter.name().range,
        annotation: parameter.annotation().map(Ranged::range),
        default: parameter.default().map(Value::of),
        kind,
    }
}

/// Whether an expression may be a type that is given another name.
pub(super) fn may_be_type(expr: &Expr) -> bool {
    match expr {
        Expr::Name(_) | Expr::Attribute(_) | Expr::Subscript(_) => true,
        Expr::BinOp(union) => union.op == Operator::BitOr,
        _ => false,
    }
}

pub(super) fn statement_range(stmt: &Stmt) -> TextRange {
    let decorators = match stmt {
        Stmt::FunctionDef(function) => function.decorator_list.first(),
        Stmt::ClassDef(class) => class.decorator_list.first(),
        _ => None,
    };
    decorators.map_or(stmt.range(), |first| first.range().cover(stmt.range()))
}

/// The names that an expression reads, and those that its calls begin with.
#[derive(Default)]
pub(super) struct NamesIn<'a> {
    pub(super) read: Vec<&'a str>,
    pub(super) called: Vec<&'a str>,
}

impl<'a> SourceOrderVisitor<'a> for NamesIn<'a> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => self.read.push(&name.id),
            Expr::Call(call) => self.called.extend(chain_root(&call.func).map(|root| root.id.as_str())),
            _ => {}
        }
        source_order::walk_expr(self, expr);
    }
}
