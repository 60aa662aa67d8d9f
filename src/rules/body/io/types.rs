//! The types of files, directories and frames: in annotations, in classes, and what functions take and return.
//!
//! ```python
//! FlyteFile["csv"]                      # Shape::Io(IoType::File)
//! Optional[List[FlyteDirectory]]        # Shape::Optional(Shape::Many(Shape::Io(IoType::Dir)))
//! ```

use std::collections::HashSet;

use crate::flyte1::symbol::Symbol;
use crate::project::link::Target;
use crate::project::{FileId, Project};
use crate::python::Ranged;
use crate::python::ast::{self, Expr, Operator, Stmt};
use crate::python::parse;
use crate::python::scope::{BindingKind, StatementId};
use crate::source::{TextRange, TextSize};

/// Aliases and classes lead no deeper than this.
const MAX_DEPTH: usize = 8;

/// A type whose values stand for data outside of the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum IoType {
    /// `FlyteFile`
    File,
    /// `FlyteDirectory`
    Dir,
    /// `StructuredDataset`
    Frame,
}

impl IoType {
    /// The type that a symbol of Flyte 1 is, formats such as `CSVFile` included.
    pub(super) fn of(symbol: &Symbol) -> Option<Self> {
        const FILES: [&str; 14] = [
            "FlyteFile",
            "HDF5EncodedFile",
            "HTMLPage",
            "JoblibSerializedFile",
            "JPEGImageFile",
            "PDFFile",
            "PNGImageFile",
            "PythonPickledFile",
            "PythonNotebook",
            "SVGImageFile",
            "CSVFile",
            "ONNXFile",
            "TFRecordFile",
            "JSONLFile",
        ];
        let Symbol::Other(path) = symbol else { return None };
        let (module, name) = path.rsplit_once('.')?;
        match (module, name) {
            ("flytekit.types.file", name) if FILES.contains(&name) => Some(Self::File),
            ("flytekit.types.directory", "FlyteDirectory" | "TensorboardLogs" | "TFRecordsDirectory") => {
                Some(Self::Dir)
            }
            ("flytekit.types.structured", "StructuredDataset") => Some(Self::Frame),
            _ => None,
        }
    }

    /// What Flyte 2 calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::File => "File",
            Self::Dir => "Dir",
            Self::Frame => "DataFrame",
        }
    }
}

/// A type as far as it matters where files, directories and frames are in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// One of the types itself.
    Io(IoType),
    /// `Optional[…]`
    Optional(Box<Shape>),
    /// `List[…]` and the like.
    Many(Box<Shape>),
    /// `Dict[str, …]`
    Mapping(Box<Shape>),
    /// `Tuple[…, …]`
    Tuple(Vec<Shape>),
    /// A class of the project with fields.
    Class(FileId, StatementId),
    /// `pandas.DataFrame`
    Pandas,
    /// Anything else.
    Other,
}

impl Shape {
    /// The type, if the value is one or `None`.
    pub(super) fn io(&self) -> Option<IoType> {
        match self {
            Self::Io(io) => Some(*io),
            Self::Optional(inner) => inner.io(),
            _ => None,
        }
    }

    /// Whether there is a file, directory or frame somewhere in a value.
    pub(super) fn holds_io(&self, project: &Project) -> bool {
        self.holds_io_beyond(project, &mut HashSet::new())
    }

    /// The same, without looking again into classes that are known: a class may hold a list of its own kind.
    fn holds_io_beyond(&self, project: &Project, known: &mut HashSet<(FileId, StatementId)>) -> bool {
        match self {
            Self::Io(_) => true,
            Self::Optional(inner) | Self::Many(inner) | Self::Mapping(inner) => {
                inner.holds_io_beyond(project, known)
            }
            Self::Tuple(elements) => elements.iter().any(|element| element.holds_io_beyond(project, known)),
            Self::Class(file, statement) => {
                known.insert((*file, *statement))
                    && fields(project, *file, *statement, 1).iter().any(|(_, field)| {
                        !matches!(field, Self::Class(..)) && field.holds_io_beyond(project, known)
                    })
            }
            Self::Pandas | Self::Other => false,
        }
    }
}

/// The type that stands at `range` in a file.
pub(super) fn shape(project: &Project, file: FileId, range: TextRange) -> Shape {
    shape_at(project, file, range, 0)
}

fn shape_at(project: &Project, file: FileId, range: TextRange, depth: usize) -> Shape {
    // Parentheses, so that a type over several lines is one expression.
    let Ok(parsed) = parse(&format!("({})", &project.text(file)[range])) else { return Shape::Other };
    let [Stmt::Expr(statement)] = parsed.body() else { return Shape::Other };
    let reader = Reader { project, file, start: range.start(), skipped: 1, depth };
    reader.shape(&statement.value)
}

/// Reads types from a piece of a file that was parsed by itself.
struct Reader<'p> {
    project: &'p Project,
    file: FileId,
    /// Where the piece begins in the file.
    start: TextSize,
    /// How many bytes were put in front of it.
    skipped: u32,
    depth: usize,
}

impl Reader<'_> {
    /// A range of the piece in the file.
    fn range(&self, range: TextRange) -> TextRange {
        range + self.start - TextSize::from(self.skipped)
    }

    fn shape(&self, expr: &Expr) -> Shape {
        if self.depth > MAX_DEPTH {
            return Shape::Other;
        }
        match expr {
            Expr::Name(_) | Expr::Attribute(_) => self.named(expr),
            Expr::Subscript(subscript) => self.generic(subscript),
            Expr::BinOp(union) if union.op == Operator::BitOr => {
                self.union([&*union.left, &*union.right].into_iter())
            }
            _ => Shape::Other,
        }
    }

    fn named(&self, expr: &Expr) -> Shape {
        let Some(facts) = self.project.facts(self.file) else { return Shape::Other };
        let Some(reference) = facts.reference_at(self.range(expr.range())) else {
            return if self.is_pandas(expr) { Shape::Pandas } else { Shape::Other };
        };
        match self.project.resolve(self.file, reference) {
            [Target::Flyte1(symbol)] => IoType::of(symbol).map_or(Shape::Other, Shape::Io),
            [Target::Binding(file, binding, rest)] if rest.is_empty() => {
                let Some(facts) = self.project.facts(*file) else { return Shape::Other };
                let binding = &facts.module.bindings[*binding];
                match &binding.kind {
                    BindingKind::Definition => Shape::Class(*file, binding.owner),
                    BindingKind::Assignment { value, .. }
                        if value.kind == crate::python::value::ValueKind::Call =>
                    {
                        Shape::Class(*file, binding.owner)
                    }
                    BindingKind::Assignment { value, .. } => {
                        shape_at(self.project, *file, value.range, self.depth + 1)
                    }
                    _ => Shape::Other,
                }
            }
            _ => Shape::Other,
        }
    }

    /// `pd.DataFrame`, or `DataFrame` of pandas.
    fn is_pandas(&self, expr: &Expr) -> bool {
        let name = match expr {
            Expr::Attribute(attribute) if attribute.attr.as_str() == "DataFrame" => {
                attribute.value.as_name_expr()
            }
            Expr::Name(name) => Some(name),
            _ => None,
        };
        let (Some(name), Some(facts)) = (name, self.project.facts(self.file)) else { return false };
        let bindings = facts.module.bindings.iter();
        let mut bindings = bindings.filter(|binding| binding.name == name.id.as_str()).peekable();
        let is_pandas = |kind: &BindingKind| {
            matches!(kind, BindingKind::Import(path) if path.root() == "pandas"
                && path.name.as_deref() == expr.is_name_expr().then_some("DataFrame"))
        };
        bindings.peek().is_some() && bindings.all(|binding| is_pandas(&binding.kind))
    }

    fn generic(&self, subscript: &ast::ExprSubscript) -> Shape {
        let of_value = self.shape(&subscript.value);
        if matches!(of_value, Shape::Io(_)) {
            return of_value;
        }
        let elements: Vec<&Expr> = match &*subscript.slice {
            Expr::Tuple(tuple) => tuple.elts.iter().collect(),
            slice => vec![slice],
        };
        let Some(&first) = elements.first() else { return Shape::Other };
        let last = elements[elements.len() - 1];
        match generic_name(&subscript.value) {
            "Optional" => Shape::Optional(Box::new(self.shape(first))),
            "List" | "list" | "Sequence" | "Iterable" | "Set" | "set" => {
                Shape::Many(Box::new(self.shape(first)))
            }
            "Dict" | "dict" | "Mapping" => Shape::Mapping(Box::new(self.shape(last))),
            "Tuple" | "tuple" if last.is_ellipsis_literal_expr() => Shape::Many(Box::new(self.shape(first))),
            "Tuple" | "tuple" => {
                Shape::Tuple(elements.into_iter().map(|element| self.shape(element)).collect())
            }
            "Annotated" => self.shape(first),
            "Union" => self.union(elements.into_iter()),
            _ => Shape::Other,
        }
    }

    fn union<'e>(&self, members: impl Iterator<Item = &'e Expr>) -> Shape {
        let (nones, others): (Vec<_>, Vec<_>) = members.partition(|member| member.is_none_literal_expr());
        match others[..] {
            [other] if !nones.is_empty() => Shape::Optional(Box::new(self.shape(other))),
            _ => Shape::Other,
        }
    }

    fn parameters(&self, function: &ast::StmtFunctionDef) -> Vec<(String, Option<Shape>)> {
        let parameters = function.parameters.iter_non_variadic_params();
        parameters
            .map(|parameter| {
                let annotation = parameter.parameter.annotation.as_deref();
                (parameter.name().to_string(), annotation.map(|annotation| self.shape(annotation)))
            })
            .collect()
    }
}

/// The last part of a name: `Optional` of `typing.Optional`.
fn generic_name(expr: &Expr) -> &str {
    match expr {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => "",
    }
}

/// The fields of a class with annotations, or of a `NamedTuple` that is made by a call.
pub(super) fn fields(
    project: &Project,
    file: FileId,
    statement: StatementId,
    depth: usize,
) -> Vec<(String, Shape)> {
    let Some(facts) = project.facts(file) else { return Vec::new() };
    let range = facts.module.statements[statement];
    let Ok(parsed) = parse(&project.text(file)[range]) else { return Vec::new() };
    let reader = Reader { project, file, start: range.start(), skipped: 0, depth };
    match parsed.body() {
        [Stmt::ClassDef(class)] => {
            let annotated = class.body.iter().filter_map(Stmt::as_ann_assign_stmt);
            annotated
                .filter_map(|field| {
                    Some((field.target.as_name_expr()?.id.to_string(), reader.shape(&field.annotation)))
                })
                .collect()
        }
        [Stmt::Assign(assign)] => {
            assign.value.as_call_expr().map_or_else(Vec::new, |call| made_fields(&reader, call))
        }
        _ => Vec::new(),
    }
}

/// `NamedTuple("Out", [("model", FlyteFile)])` and `NamedTuple("Out", model=FlyteFile)`.
fn made_fields(reader: &Reader<'_>, call: &ast::ExprCall) -> Vec<(String, Shape)> {
    let keywords = call.arguments.keywords.iter();
    let named = keywords
        .filter_map(|keyword| Some((keyword.arg.as_ref()?.to_string(), reader.shape(&keyword.value))));
    let listed = call.arguments.find_positional(1).and_then(Expr::as_list_expr);
    let pairs = listed.into_iter().flat_map(|list| &list.elts).filter_map(|pair| match pair {
        Expr::Tuple(pair) if pair.elts.len() == 2 => Some((
            pair.elts[0].as_string_literal_expr()?.value.to_str().to_owned(),
            reader.shape(&pair.elts[1]),
        )),
        _ => None,
    });
    pairs.chain(named).collect()
}

/// What a plain function takes and returns; `None` for a parameter without annotation.
#[derive(Debug, Default)]
pub(super) struct Signature {
    /// The parameters in order.
    pub(super) parameters: Vec<(String, Option<Shape>)>,
    /// The return annotation.
    pub(super) returns: Option<Shape>,
}

/// The signature of the plain function that is a statement of a file; `None` if it is no function.
pub(super) fn signature(project: &Project, file: FileId, statement: StatementId) -> Option<Signature> {
    let range = project.facts(file)?.module.statements[statement];
    let parsed = parse(&project.text(file)[range]).ok()?;
    let [Stmt::FunctionDef(function)] = parsed.body() else { return None };
    let reader = Reader { project, file, start: range.start(), skipped: 0, depth: 0 };
    Some(Signature {
        parameters: reader.parameters(function),
        returns: function.returns.as_deref().map(|returns| reader.shape(returns)),
    })
}
