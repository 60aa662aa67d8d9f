//! Which strings an expression may give, without running it: lists of packages that are put together somewhere else.
//!
//! ```python
//! PKGS = {"cpu": ["torch", "--extra-index-url " + URL], "gpu": ["torch"]}
//! packages = PKGS["gpu" if GPU else "cpu"] + (["cupy"] if GPU else [])
//! ```
//!
//! All strings that are certain to be possible are told, with the expressions that are not understood beside them. It is
//! for findings: nothing that is read here is taken for what the code does.

use std::cell::Cell;

use rustpython_text_size::Ranged;

use super::ast::{self, Expr};
use super::value::{Value, ValueKind};
use crate::source::{TextRange, TextSize};

/// An expression of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: usize,
    /// Where in it.
    pub range: TextRange,
}

/// What a name may stand for.
#[derive(Debug, Default)]
pub struct Definitions {
    /// The expressions that are assigned to it.
    pub places: Vec<Place>,
    /// Whether there is nothing else.
    pub is_complete: bool,
    /// Whether it is an open file: `with open(…) as file`.
    pub is_file: bool,
}

/// The names of a project.
pub trait Names {
    /// The text of a file.
    fn text(&self, file: usize) -> &str;
    /// What `name`, which may be dotted, stands for where it is read at `offset`.
    fn definitions(&self, file: usize, name: &str, offset: TextSize) -> Definitions;
}

/// A string that an expression may give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The string, with `{}` for what is not known of it.
    pub text: String,
    /// Whether all of it is known.
    pub is_whole: bool,
}

/// Whether an expression may be `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum MayBeNone {
    /// It never is.
    #[default]
    No,
    /// It holds something that is not understood.
    Unknown,
    /// One of its values visibly is.
    Yes,
}

/// The strings that an expression may give, itself or as the elements of its list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Strings {
    /// Those that are known.
    pub known: Vec<Text>,
    /// The expressions that are not understood.
    pub unknown: Vec<String>,
    /// Whether they are all, and certain to be there.
    pub is_certain: bool,
    /// Whether it may visibly give nothing.
    pub may_be_empty: bool,
    /// Whether it may be `None`.
    pub none: MayBeNone,
    /// Whether they are the content of a file.
    pub reads_file: bool,
    /// Whether they may be elements of a list.
    pub are_elements: bool,
}

/// Reads the expression at `place`.
pub fn strings(names: &dyn Names, place: Place) -> Strings {
    let reader = Reader { names, left: Cell::new(MAX_STEPS) };
    let worths = reader.place(place, &Vec::new(), 0);
    let mut strings = Strings { is_certain: is_certain(&worths), ..Strings::default() };
    worths.into_iter().for_each(|worth| strings.add(worth));
    strings
}

/// Whether there is nothing but one value, with nothing but one for each of its elements.
fn is_certain(worths: &[Worth]) -> bool {
    match worths {
        [Worth::Text(_)] => true,
        [Worth::List(parts)] => parts
            .iter()
            .all(|part| !part.is_many && !part.may_be_missing && matches!(part.worths[..], [Worth::Text(_)])),
        _ => false,
    }
}

impl Strings {
    /// Whether the expression certainly gives one string, be it that of an environment variable.
    pub fn is_one(&self) -> bool {
        let is_variable =
            |text: &String| ["os.getenv(", "os.environ"].iter().any(|start| text.starts_with(start));
        let is_something = !self.known.is_empty() || !self.unknown.is_empty();
        let may_be_other = self.may_be_empty || self.reads_file || self.are_elements;
        is_something && !may_be_other && self.unknown.iter().all(is_variable)
    }

    fn add(&mut self, worth: Worth) {
        match worth {
            Worth::None => {
                self.may_be_empty = true;
                self.none = MayBeNone::Yes;
            }
            Worth::List(parts) => {
                self.are_elements = true;
                self.may_be_empty |= parts.iter().all(|part| part.may_be_missing);
                parts.into_iter().flat_map(|part| part.worths).for_each(|worth| self.add_element(worth));
            }
            worth => {
                if matches!(worth, Worth::Unknown { may_be_none: true, .. }) {
                    self.none = self.none.max(MayBeNone::Unknown);
                }
                self.add_element(worth);
            }
        }
    }

    fn add_element(&mut self, worth: Worth) {
        match worth {
            Worth::Text(text) => {
                let text = Text { is_whole: !text.contains(HOLE), text: text.replace(HOLE, "{}") };
                if !self.known.contains(&text) {
                    self.known.push(text);
                }
            }
            Worth::Content | Worth::Lines => self.reads_file = true,
            Worth::Unknown { text, .. } if self.unknown.contains(&text) => {}
            Worth::Unknown { text, .. } => self.unknown.push(text),
            Worth::None | Worth::Int(_) | Worth::List(_) | Worth::Dict(_) => {}
        }
    }
}

/// What stands in a string for a part that is not known; Python source holds no such character.
const HOLE: char = '\0';
/// How far definitions and comprehensions are followed.
const MAX_DEPTH: usize = 24;
/// How many expressions are looked at.
const MAX_STEPS: usize = 4096;
/// How many values an expression may have.
const MAX_WORTHS: usize = 64;

/// A value that an expression may have.
#[derive(Debug, Clone, PartialEq)]
enum Worth {
    None,
    Int(i64),
    /// A string, with holes.
    Text(String),
    List(Vec<Part>),
    /// A dict; a key that is not known has none.
    Dict(Vec<(Option<String>, Vec<Worth>)>),
    /// The text of a file.
    Content,
    /// The lines of a file.
    Lines,
    /// Something else, as it is written.
    Unknown {
        text: String,
        may_be_none: bool,
    },
}

impl Worth {
    fn unknown(text: String) -> Self {
        Self::Unknown { text, may_be_none: true }
    }

    /// The same where it is certain not to be `None`.
    fn something(self) -> Self {
        match self {
            Self::Unknown { text, .. } => Self::Unknown { text, may_be_none: false },
            other => other,
        }
    }
}

/// One element of a list, or any number of them.
#[derive(Debug, Clone, PartialEq)]
struct Part {
    /// What each may be.
    worths: Vec<Worth>,
    /// Whether there may be more than one.
    is_many: bool,
    /// Whether there may be none.
    may_be_missing: bool,
}

impl Part {
    fn one(worths: Vec<Worth>) -> Self {
        Self { worths, is_many: false, may_be_missing: false }
    }
}

/// What the targets of comprehensions stand for.
type Locals = Vec<(String, Vec<Worth>)>;

/// Where the text stands that an expression was parsed from.
#[derive(Clone, Copy)]
struct Origin<'a> {
    file: usize,
    /// The text, with a parenthesis around it.
    text: &'a str,
    start: TextSize,
    locals: &'a Locals,
    depth: usize,
}

impl Origin<'_> {
    fn slice(&self, expr: &Expr) -> String {
        let text = &self.text[expr.range()];
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn offset(&self, expr: &Expr) -> TextSize {
        self.start + expr.range().start() - TextSize::from(1)
    }

    fn unknown(&self, expr: &Expr) -> Vec<Worth> {
        vec![Worth::unknown(self.slice(expr))]
    }
}

struct Reader<'n> {
    names: &'n dyn Names,
    /// How many expressions may still be looked at: a list of a project is no program.
    left: Cell<usize>,
}

impl Reader<'_> {
    fn place(&self, place: Place, locals: &Locals, depth: usize) -> Vec<Worth> {
        let source = &self.names.text(place.file)[place.range];
        let text = format!("({source})");
        let unknown = || vec![Worth::unknown(source.split_whitespace().collect::<Vec<_>>().join(" "))];
        let Ok(parsed) = super::parse(&text) else { return unknown() };
        let [ast::Stmt::Expr(statement)] = parsed.body() else { return unknown() };
        let origin = Origin { file: place.file, text: &text, start: place.range.start(), locals, depth };
        self.expr(&statement.value, origin)
    }

    fn expr(&self, expr: &Expr, origin: Origin<'_>) -> Vec<Worth> {
        let left = self.left.get();
        if origin.depth > MAX_DEPTH || left == 0 {
            return origin.unknown(expr);
        }
        self.left.set(left - 1);
        let origin = Origin { depth: origin.depth + 1, ..origin };
        let worths = match expr {
            Expr::Name(_) | Expr::Attribute(_) => self.name(expr, origin),
            Expr::List(list) => vec![self.list(&list.elts, origin)],
            Expr::Tuple(tuple) => vec![self.list(&tuple.elts, origin)],
            Expr::Set(set) => vec![self.list(&set.elts, origin)],
            Expr::Dict(dict) => vec![self.dict(dict, origin)],
            Expr::FString(fstring) => vec![Worth::Text(self.f_string(fstring, origin))],
            Expr::If(node) => [self.expr(&node.body, origin), self.expr(&node.orelse, origin)].concat(),
            Expr::BoolOp(node) => self.bool_op(node, origin),
            Expr::BinOp(node) => self.binary(expr, node, origin),
            Expr::Named(node) => self.expr(&node.value, origin),
            Expr::Subscript(node) => self.subscript(expr, node, origin),
            Expr::Call(call) => self.call(expr, call, origin),
            Expr::ListComp(comp) => self.comprehension(expr, &comp.elt, &comp.generators, origin),
            Expr::SetComp(comp) => self.comprehension(expr, &comp.elt, &comp.generators, origin),
            Expr::Generator(comp) => self.comprehension(expr, &comp.elt, &comp.generators, origin),
            _ => match Value::of(expr).kind {
                ValueKind::None => vec![Worth::None],
                ValueKind::Int(int) => vec![Worth::Int(int)],
                ValueKind::Str(text) => vec![Worth::Text(text)],
                _ => origin.unknown(expr),
            },
        };
        if worths.len() > MAX_WORTHS { origin.unknown(expr) } else { worths }
    }

    fn name(&self, expr: &Expr, origin: Origin<'_>) -> Vec<Worth> {
        let Some(name) = dotted(expr) else { return origin.unknown(expr) };
        if let Some((_, worths)) = origin.locals.iter().rev().find(|(local, _)| *local == name) {
            return worths.clone();
        }
        let definitions = self.names.definitions(origin.file, &name, origin.offset(expr));
        if definitions.is_file {
            return vec![Worth::Lines];
        }
        let places = definitions.places.into_iter();
        let mut worths: Vec<Worth> =
            places.flat_map(|place| self.place(place, &Vec::new(), origin.depth)).collect();
        if !definitions.is_complete {
            worths.push(Worth::unknown(name));
        }
        worths
    }

    fn list(&self, elements: &[Expr], origin: Origin<'_>) -> Worth {
        let parts = elements.iter().flat_map(|element| match element {
            Expr::Starred(starred) => joined(self.expr(&starred.value, origin)),
            element => vec![Part::one(self.expr(element, origin))],
        });
        Worth::List(parts.collect())
    }

    fn dict(&self, dict: &ast::ExprDict, origin: Origin<'_>) -> Worth {
        let items = dict.items.iter().map(|item| {
            let key = item.key.as_ref().and_then(|key| only_text(&self.expr(key, origin)));
            (key, self.expr(&item.value, origin))
        });
        Worth::Dict(items.collect())
    }

    fn f_string(&self, fstring: &ast::ExprFString, origin: Origin<'_>) -> String {
        let mut text = String::new();
        for part in &fstring.value {
            match part {
                ast::FStringPart::Literal(literal) => text.push_str(literal),
                ast::FStringPart::FString(fstring) => {
                    for element in &fstring.elements {
                        match element {
                            ast::InterpolatedStringElement::Literal(literal) => text.push_str(&literal.value),
                            ast::InterpolatedStringElement::Interpolation(node) => {
                                let is_plain = node.conversion.is_none()
                                    && node.format_spec.is_none()
                                    && node.debug_text.is_none();
                                let worths = is_plain.then(|| self.expr(&node.expression, origin));
                                text.push_str(&written(worths.as_deref().unwrap_or_default()));
                            }
                        }
                    }
                }
            }
        }
        text
    }

    /// `a or b`: what certainly counts as false gives way.
    fn bool_op(&self, node: &ast::ExprBoolOp, origin: Origin<'_>) -> Vec<Worth> {
        let Some((last, others)) = node.values.split_last() else { return Vec::new() };
        let mut worths = Vec::new();
        for operand in others {
            let all = self.expr(operand, origin);
            worths.extend(match node.op {
                ast::BoolOp::And => all,
                ast::BoolOp::Or => all.into_iter().filter(|w| !is_nothing(w)).map(Worth::something).collect(),
            });
        }
        worths.extend(self.expr(last, origin));
        worths
    }

    fn binary(&self, expr: &Expr, node: &ast::ExprBinOp, origin: Origin<'_>) -> Vec<Worth> {
        let (left, right) = (self.expr(&node.left, origin), self.expr(&node.right, origin));
        match node.op {
            ast::Operator::Add => {
                let pairs = left.iter().flat_map(|left| right.iter().map(move |right| (left, right)));
                pairs.map(|(left, right)| plus(left, right)).collect()
            }
            ast::Operator::Mult => match right[..] {
                [Worth::Int(times)] if times < 1 => vec![Worth::List(Vec::new())],
                [Worth::Int(_)] => left,
                _ => origin.unknown(expr),
            },
            ast::Operator::Mod => match &left[..] {
                [Worth::Text(text)] => {
                    let holes = ["%s", "%d", "%r"].iter();
                    vec![Worth::Text(holes.fold(text.clone(), |text, hole| text.replace(hole, "\0")))]
                }
                _ => origin.unknown(expr),
            },
            ast::Operator::Div => path_of(&[left, right]).unwrap_or_else(|| origin.unknown(expr)),
            _ => origin.unknown(expr),
        }
    }

    fn subscript(&self, expr: &Expr, node: &ast::ExprSubscript, origin: Origin<'_>) -> Vec<Worth> {
        if matches!(dotted(&node.value).as_deref(), Some("os.environ" | "environ")) {
            return origin.unknown(expr).into_iter().map(Worth::something).collect();
        }
        let values = self.expr(&node.value, origin);
        if let Expr::Slice(slice) = &*node.slice {
            let bound = |bound: &Option<Box<Expr>>, otherwise: i64| match bound {
                None => Some(otherwise),
                Some(bound) => match self.expr(bound, origin)[..] {
                    [Worth::Int(int)] if slice.step.is_none() => Some(int),
                    _ => None,
                },
            };
            let bounds = bound(&slice.lower, 0).zip(bound(&slice.upper, i64::MAX));
            return values.into_iter().map(|value| sliced(value, bounds)).collect();
        }
        let index = self.expr(&node.slice, origin);
        values
            .into_iter()
            .flat_map(|value| {
                let found: Option<Vec<Worth>> = index
                    .iter()
                    .map(|index| item(&value, index))
                    .collect::<Option<Vec<_>>>()
                    .map(|all| all.concat());
                found.unwrap_or_else(|| origin.unknown(expr))
            })
            .collect()
    }

    fn call(&self, expr: &Expr, call: &ast::ExprCall, origin: Origin<'_>) -> Vec<Worth> {
        let arguments = &call.arguments.args[..];
        let argument = |index: usize| arguments.get(index).map(|argument| self.expr(argument, origin));
        match &*call.func {
            Expr::Name(function) => match (function.id.as_str(), arguments) {
                ("list" | "tuple" | "sorted" | "set" | "frozenset" | "reversed" | "str", [of]) => {
                    self.expr(of, origin).into_iter().map(Worth::something).collect()
                }
                ("list" | "tuple" | "set" | "frozenset", []) => vec![Worth::List(Vec::new())],
                ("Path" | "PurePath", [_, ..]) => self.path(expr, arguments, origin),
                ("open", [_, ..]) => vec![Worth::Lines],
                ("getenv", [_, ..]) => self.variable(expr, call, origin),
                ("sum", [of, _]) => {
                    let lists = joined(self.expr(of, origin)).into_iter();
                    vec![Worth::List(lists.flat_map(|part| joined(part.worths)).collect())]
                }
                ("map", [_, of]) => match self.expr(of, origin)[..] {
                    [Worth::Lines] => vec![Worth::Lines],
                    _ => origin.unknown(expr),
                },
                ("filter", [_, of]) => vec![Worth::List(maybe(joined(self.expr(of, origin))))],
                _ => origin.unknown(expr),
            },
            Expr::Attribute(method) => {
                let receiver = dotted(&method.value);
                let name = method.attr.as_str();
                match (receiver.as_deref(), name) {
                    (Some("os" | "environ" | "os.environ"), "getenv" | "get") => {
                        return self.variable(expr, call, origin);
                    }
                    (Some("os.path"), "join" | "abspath" | "realpath" | "normpath")
                    | (Some("os"), "fspath")
                    | (Some("pathlib"), "Path" | "PurePath") => return self.path(expr, arguments, origin),
                    (_, "read" | "read_text") => return vec![Worth::Content],
                    (_, "readlines") => return vec![Worth::Lines],
                    _ => {}
                }
                let of = self.expr(&method.value, origin);
                if name == "joinpath" {
                    let rest = arguments.iter().map(|argument| self.expr(argument, origin));
                    let parts: Vec<Vec<Worth>> = std::iter::once(of).chain(rest).collect();
                    return path_of(&parts).unwrap_or_else(|| origin.unknown(expr));
                }
                let of = of.into_iter();
                let unknown = || Worth::unknown(origin.slice(expr));
                match name {
                    "copy" => of.collect(),
                    "resolve" | "absolute" | "as_posix" if arguments.is_empty() => of.collect(),
                    "with_name" => argument(0)
                        .and_then(|name| path_of(&[vec![unknown()], name]))
                        .unwrap_or_else(|| vec![unknown()]),
                    "strip" | "lstrip" | "rstrip" if arguments.is_empty() => {
                        let trim = |text: &str| Worth::Text(text.trim().to_owned());
                        of.map(|worth| of_text(worth, unknown, trim)).collect()
                    }
                    "lower" => {
                        of.map(|worth| of_text(worth, unknown, |t| Worth::Text(t.to_lowercase()))).collect()
                    }
                    "splitlines" => {
                        of.map(|worth| of_text(worth, unknown, |text| words(text.lines()))).collect()
                    }
                    "split" => {
                        let separator = argument(0).map(|worths| only_text(&worths));
                        of.map(|worth| {
                            of_text(worth, unknown, |text| match &separator {
                                None => words(text.split_whitespace()),
                                Some(Some(separator)) => words(text.split(separator.as_str())),
                                Some(None) => unknown(),
                            })
                        })
                        .collect()
                    }
                    "format" => {
                        let texts: Vec<String> =
                            arguments.iter().map(|argument| written(&self.expr(argument, origin))).collect();
                        of.map(|worth| of_text(worth, unknown, |text| Worth::Text(formatted(text, &texts))))
                            .collect()
                    }
                    "values" | "items" => of
                        .map(|worth| entries(worth, name == "items").unwrap_or_else(|| unknown().something()))
                        .collect(),
                    "get" => {
                        let default = argument(1).unwrap_or_else(|| vec![Worth::None]);
                        let key = argument(0).unwrap_or_default();
                        of.flat_map(|worth| {
                            let found = key.iter().map(|key| item(&worth, key)).collect::<Option<Vec<_>>>();
                            found.map_or_else(|| vec![unknown()], |found| found.concat())
                        })
                        .chain(default)
                        .collect()
                    }
                    "join" | "replace" | "removeprefix" | "removesuffix" | "upper" | "title" | "keys" => {
                        vec![unknown().something()]
                    }
                    _ => origin.unknown(expr),
                }
            }
            _ => origin.unknown(expr),
        }
    }

    /// `os.path.join(HERE, "requirements.txt")`
    fn path(&self, expr: &Expr, parts: &[Expr], origin: Origin<'_>) -> Vec<Worth> {
        let parts: Vec<Vec<Worth>> = parts.iter().map(|part| self.expr(part, origin)).collect();
        path_of(&parts).unwrap_or_else(|| origin.unknown(expr))
    }

    /// `os.environ.get("NAME", default)`
    fn variable(&self, expr: &Expr, call: &ast::ExprCall, origin: Origin<'_>) -> Vec<Worth> {
        let default = call.arguments.args.get(1);
        let default = default.map_or_else(|| vec![Worth::None], |default| self.expr(default, origin));
        origin.unknown(expr).into_iter().map(Worth::something).chain(default).collect()
    }

    fn comprehension(
        &self,
        expr: &Expr,
        element: &Expr,
        generators: &[ast::Comprehension],
        origin: Origin<'_>,
    ) -> Vec<Worth> {
        let any = |may_be_missing| {
            Worth::List(vec![Part { worths: origin.unknown(expr), is_many: true, may_be_missing }])
        };
        let [generator] = generators else { return vec![any(false)] };
        let is_chosen = !generator.ifs.is_empty();
        let of = self.expr(&generator.iter, origin);
        let lists = of.into_iter().map(|worth| match worth {
            Worth::Lines | Worth::Content => Worth::Lines,
            Worth::List(parts) => {
                let parts = parts.into_iter().map(|part| {
                    let worths = part.worths.iter().flat_map(|worth| {
                        let mut locals = origin.locals.clone();
                        if !bind(&generator.target, worth, &mut locals) {
                            return origin.unknown(expr);
                        }
                        self.expr(element, Origin { locals: &locals, ..origin })
                    });
                    Part {
                        worths: worths.collect(),
                        may_be_missing: part.may_be_missing || is_chosen,
                        ..part
                    }
                });
                Worth::List(parts.collect())
            }
            _ => any(is_chosen),
        });
        lists.collect()
    }
}

/// `name`, `module.name`
fn dotted(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Name(name) => Some(name.id.to_string()),
        Expr::Attribute(attribute) => Some(format!("{}.{}", dotted(&attribute.value)?, attribute.attr)),
        _ => None,
    }
}

/// Gives the targets of a loop the value of an element.
fn bind(target: &Expr, worth: &Worth, locals: &mut Locals) -> bool {
    match (target, worth) {
        (Expr::Name(name), worth) => {
            locals.push((name.id.to_string(), vec![worth.clone()]));
            true
        }
        (Expr::Tuple(targets), Worth::List(parts)) => {
            let is_exact = parts.iter().all(|part| !part.is_many && !part.may_be_missing);
            let mut pairs = targets.elts.iter().zip(parts);
            is_exact
                && targets.elts.len() == parts.len()
                && pairs.all(|(target, part)| match (target, &part.worths[..]) {
                    (target, [worth]) => bind(target, worth, locals),
                    _ => false,
                })
        }
        _ => false,
    }
}

/// The elements of all lists that an expression may give, as parts of one.
fn joined(worths: Vec<Worth>) -> Vec<Part> {
    let as_parts = |worth: Worth| match worth {
        Worth::List(parts) => parts,
        Worth::None => Vec::new(),
        Worth::Dict(items) => {
            items.into_iter().map(|(key, _)| Part::one(key.map(Worth::Text).into_iter().collect())).collect()
        }
        other => vec![Part { worths: vec![other], is_many: true, may_be_missing: false }],
    };
    let mut lists: Vec<Vec<Part>> = worths.into_iter().map(as_parts).collect();
    if lists.len() == 1 {
        return lists.remove(0);
    }
    let may_be_missing = lists.iter().any(|parts| parts.iter().all(|part| part.may_be_missing));
    let worths = lists.into_iter().flatten().flat_map(|part| part.worths).collect();
    vec![Part { worths, is_many: true, may_be_missing }]
}

fn maybe(parts: Vec<Part>) -> Vec<Part> {
    parts.into_iter().map(|part| Part { may_be_missing: true, ..part }).collect()
}

fn is_nothing(worth: &Worth) -> bool {
    match worth {
        Worth::None => true,
        Worth::Text(text) => text.is_empty(),
        Worth::List(parts) => parts.is_empty(),
        _ => false,
    }
}

/// The text, if it is the only value and all of it is known.
fn only_text(worths: &[Worth]) -> Option<String> {
    match worths {
        [Worth::Text(text)] if !text.contains(HOLE) => Some(text.clone()),
        _ => None,
    }
}

/// What is written in the place of a value in a string.
fn written(worths: &[Worth]) -> String {
    match worths {
        [Worth::Text(text)] => text.clone(),
        [Worth::Int(int)] => int.to_string(),
        _ => HOLE.to_string(),
    }
}

/// A path of parts; `None` if nothing is known of its end.
fn path_of(parts: &[Vec<Worth>]) -> Option<Vec<Worth>> {
    let texts: Vec<String> = parts.iter().map(|part| written(part)).collect();
    let first = texts.iter().rposition(|text| text.starts_with('/')).unwrap_or_default();
    // A number at the end is divided by.
    let is_known = parts
        .last()
        .is_some_and(|last| matches!(&last[..], [Worth::Text(text)] if text.chars().any(|c| c != HOLE)));
    is_known.then(|| vec![Worth::Text(texts[first..].join("/"))])
}

fn plus(left: &Worth, right: &Worth) -> Worth {
    match (left, right) {
        (Worth::Text(left), Worth::Text(right)) => Worth::Text(format!("{left}{right}")),
        (Worth::Text(left), Worth::Unknown { .. }) => Worth::Text(format!("{left}{HOLE}")),
        (Worth::Unknown { .. }, Worth::Text(right)) => Worth::Text(format!("{HOLE}{right}")),
        (Worth::Lines, _) | (_, Worth::Lines) => Worth::Lines,
        (left, right) => Worth::List([joined(vec![left.clone()]), joined(vec![right.clone()])].concat()),
    }
}

/// A method of a string, for a value that is one.
fn of_text(worth: Worth, unknown: impl FnOnce() -> Worth, method: impl FnOnce(&str) -> Worth) -> Worth {
    match worth {
        Worth::Text(text) => method(&text),
        Worth::Content | Worth::Lines => Worth::Lines,
        _ => unknown().something(),
    }
}

fn words<'t>(words: impl Iterator<Item = &'t str>) -> Worth {
    let parts = words.map(|word| {
        let is_hole = word.contains(HOLE);
        Part { worths: vec![Worth::Text(word.to_owned())], is_many: is_hole, may_be_missing: word == "\0" }
    });
    Worth::List(parts.collect())
}

/// `"{}".format(…)`
fn formatted(text: &str, arguments: &[String]) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut next = 0;
    while let Some(start) = rest.find('{') {
        out.push_str(&rest[..start]);
        let Some(end) = rest[start..].find('}') else { break };
        let field = &rest[start + 1..start + end];
        let index = if field.is_empty() { Some(next) } else { field.parse().ok() };
        match index.and_then(|index: usize| arguments.get(index)) {
            Some(argument) => out.push_str(argument),
            None => out.push(HOLE),
        }
        next += 1;
        rest = &rest[start + end + 1..];
    }
    out + rest
}

/// The values of a dict, or its pairs.
fn entries(worth: Worth, has_keys: bool) -> Option<Worth> {
    let Worth::Dict(items) = worth else { return None };
    let parts = items.into_iter().map(|(key, values)| {
        if !has_keys {
            return Part::one(values);
        }
        let key = Part::one(vec![Worth::Text(key.unwrap_or_else(|| HOLE.to_string()))]);
        Part::one(vec![Worth::List(vec![key, Part::one(values)])])
    });
    Some(Worth::List(parts.collect()))
}

/// `value[index]`; all that it may be where the index is not known.
fn item(value: &Worth, index: &Worth) -> Option<Vec<Worth>> {
    match (value, index) {
        (Worth::Dict(items), Worth::Text(key)) if !key.contains(HOLE) => {
            let is_known = items.iter().all(|(key, _)| key.is_some());
            let found = items.iter().rev().find(|(other, _)| other.as_ref() == Some(key));
            match found {
                Some((_, values)) => Some(values.clone()),
                None if is_known => Some(Vec::new()),
                None => None,
            }
        }
        (Worth::Dict(items), _) => Some(items.iter().flat_map(|(_, values)| values.clone()).collect()),
        (Worth::List(parts), Worth::Int(index))
            if parts.iter().all(|part| !part.is_many && !part.may_be_missing) =>
        {
            let length = i64::try_from(parts.len()).ok()?;
            let index = if *index < 0 { index + length } else { *index };
            Some(parts.get(usize::try_from(index).ok()?)?.worths.clone())
        }
        (Worth::List(parts), _) => Some(parts.iter().flat_map(|part| part.worths.clone()).collect()),
        _ => None,
    }
}

/// `value[lower:upper]`; bounds that are not known leave everything possible.
fn sliced(value: Worth, bounds: Option<(i64, i64)>) -> Worth {
    let Worth::List(parts) = value else { return value };
    let is_exact = parts.iter().all(|part| !part.is_many && !part.may_be_missing);
    let Some((lower, upper)) = bounds.filter(|_| is_exact) else { return Worth::List(maybe(parts)) };
    let length = i64::try_from(parts.len()).unwrap_or(i64::MAX);
    let place = |bound: i64| if bound < 0 { (bound + length).max(0) } else { bound.min(length) };
    let (lower, upper) = (place(lower), place(upper));
    let count = usize::try_from((upper - lower).max(0)).unwrap_or(0);
    Worth::List(parts.into_iter().skip(usize::try_from(lower).unwrap_or(0)).take(count).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file in which each name is what stands behind ` = ` on its line.
    struct Lines(&'static str);

    impl Names for Lines {
        fn text(&self, _: usize) -> &str {
            self.0
        }

        fn definitions(&self, file: usize, name: &str, _: TextSize) -> Definitions {
            let head = format!("{name} = ");
            let Some(start) = self.0.lines().position(|line| line.starts_with(&head)) else {
                return Definitions::default();
            };
            let before: usize = self.0.lines().take(start).map(|line| line.len() + 1).sum();
            let line = self.0.lines().nth(start).unwrap();
            let at = |offset: usize| TextSize::try_from(offset).unwrap();
            let range = TextRange::new(at(before + head.len()), at(before + line.len()));
            Definitions { places: vec![Place { file, range }], is_complete: true, is_file: false }
        }
    }

    fn read(text: &'static str) -> (Vec<String>, Vec<String>, bool, bool) {
        let names = Lines(text);
        let place = names.definitions(0, "x", TextSize::default()).places[0];
        let strings = strings(&names, place);
        let known = strings.known.into_iter().map(|text| text.text).collect();
        (known, strings.unknown, strings.may_be_empty, strings.reads_file)
    }

    #[track_caller]
    fn gives(text: &'static str, known: &[&str]) {
        let (found, unknown, ..) = read(text);
        assert_eq!(found, known, "{text}");
        assert!(unknown.is_empty(), "{text}: {unknown:?}");
    }

    #[test]
    fn lists_are_put_together() {
        gives("x = ['a'] + list(Y)\nY = ('b', *Z)\nZ = ['c'][:]", &["a", "b", "c"]);
        gives("x = D['cpu']\nD = {'cpu': ['a', 'b'], 'gpu': ['c']}", &["a", "b"]);
        gives("x = D[K]\nD = {'cpu': ['a'], 'gpu': ['b']}\nK = 'cpu' if GPU else 'gpu'", &["a", "b"]);
        gives("x = L[:2] + L[-1:]\nL = ['a', 'b', 'c', 'd']", &["a", "b", "d"]);
        gives("x = sum(D.values(), [])\nD = {'cpu': ['a'], 'gpu': ['b']}", &["a", "b"]);
        gives(
            "x = 'a b'.split() + \"c\\nd\".splitlines() + 'e,f'.split(',')",
            &["a", "b", "c", "d", "e", "f"],
        );
        gives("x = [f'{n}=={v}' for n, v in P.items()]\nP = {'a': '1', 'b': '2'}", &["a==1", "b==2"]);
        gives("x = [p.strip() for p in L if p]\nL = [' a', 'b ']", &["a", "b"]);
        gives("x = None or ['a']", &["a"]);
        gives("x = ['a'] * 1", &["a"]);
    }

    #[test]
    fn strings_are_put_together() {
        gives(
            "x = ['--index ' + URL, 'a=={}'.format(V), f'b=={V}', 'c==%s' % V]\nURL = 'u'\nV = '1'",
            &["--index u", "a==1", "b==1", "c=={}"],
        );
        assert_eq!(read("x = ['a==' + V, f'b=={V}']").0, ["a=={}", "b=={}"]);
    }

    #[test]
    fn what_is_not_understood_is_told() {
        assert_eq!(read("x = ['a'] + f(1)").1, ["f(1)"]);
        assert_eq!(read("x = [V, json.load(F)['a']]").1, ["V", "json.load(F)['a']"]);
        assert_eq!(read("x = os.environ.get('X', 'a b').split()").0, ["a", "b"]);
        assert_eq!(read("x = x").1, ["x"]);
    }

    #[test]
    fn what_may_be_empty_is_told() {
        for text in [
            "x = ['a'] if C else []",
            "x = ['a'] if C else None",
            "x = os.environ.get('X', '').split()",
            "x = [p for p in L if p]\nL = ['a']",
            "x = V or []",
            "x = (['a'] if A else []) + (['b'] if B else [])",
            "x = L[1:]\nL = ['a']",
        ] {
            assert!(read(text).2, "{text}");
        }
        for text in ["x = ['a'] + (['b'] if B else [])", "x = f()", "x = V or ['a']", "x = [*L, 'a']\nL = []"]
        {
            assert!(!read(text).2, "{text}");
        }
    }

    #[test]
    fn files_are_told() {
        for text in [
            "x = open('r.txt').read().splitlines()",
            "x = [line.strip() for line in open('r.txt')]",
            "x = Path('r.txt').read_text().split('\\n')",
            "x = [line for line in F.readlines() if line]",
            "x = [Path('r.txt').read_text()]",
            "x = ['a'] + list(open('r.txt'))",
            "x = list(map(str.strip, open('r.txt')))",
        ] {
            assert!(read(text).3, "{text}");
        }
        assert!(!read("x = ['a']").3);
    }

    #[test]
    fn what_may_be_none() {
        let none = |text: &'static str| {
            let names = Lines(text);
            strings(&names, names.definitions(0, "x", TextSize::default()).places[0]).none
        };
        for text in [
            "x = ['a'] if GPU else None",
            "x = os.getenv('A')",
            "x = D['cpu'].get('apt')\nD = {'cpu': {}}",
            "x = None",
        ] {
            assert_eq!(none(text), MayBeNone::Yes, "{text}");
        }
        for text in ["x = load()", "x = settings.apt", "x = load() if GPU else 'a'"] {
            assert_eq!(none(text), MayBeNone::Unknown, "{text}");
        }
        for text in [
            "x = 'a'",
            "x = load() or []",
            "x = load() + ['a']",
            "x = list(load())",
            "x = load().split(',')",
            "x = os.environ['A']",
            "x = os.getenv('A', '3.11')",
            "x = [k for k in D for v in k]",
            "x = [None, load()]",
        ] {
            assert_eq!(none(text), MayBeNone::No, "{text}");
        }
    }
}
