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
use crate::python::annotation::{Definition, Method, TypeExpr};
use crate::python::ast::Expr;
use crate::python::scope::{BindingKind, StatementId};
use crate::python::value::ValueKind;
use crate::source::TextRange;

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
    /// `datetime.datetime`
    Moment,
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

    /// The type of the value if it is not `None`.
    pub(super) fn present(self) -> Self {
        match self {
            Self::Optional(inner) => inner.present(),
            other => other,
        }
    }

    /// Whether there is a file, directory or frame somewhere in a value.
    pub(super) fn holds_io(&self, project: &Project) -> bool {
        self.holds(project, &|shape| matches!(shape, Self::Io(_)))
    }

    /// Whether there is a `StructuredDataset` somewhere in a value.
    pub(super) fn holds_frames(&self, project: &Project) -> bool {
        self.holds(project, &|shape| matches!(shape, Self::Io(IoType::Frame)))
    }

    /// Whether there is anything in a value that is to be followed: a frame of pandas may be wanted as one of Flyte.
    pub(super) fn is_followed(&self, project: &Project) -> bool {
        self.holds(project, &|shape| matches!(shape, Self::Io(_) | Self::Pandas))
    }

    fn holds(&self, project: &Project, is_wanted: &dyn Fn(&Self) -> bool) -> bool {
        self.holds_beyond(project, is_wanted, &mut HashSet::new())
    }

    /// The same, without looking again into classes that are known: a class may hold a list of its own kind.
    fn holds_beyond(
        &self,
        project: &Project,
        is_wanted: &dyn Fn(&Self) -> bool,
        known: &mut HashSet<(FileId, StatementId)>,
    ) -> bool {
        match self {
            Self::Optional(inner) | Self::Many(inner) | Self::Mapping(inner) => {
                inner.holds_beyond(project, is_wanted, known)
            }
            Self::Tuple(elements) => {
                elements.iter().any(|element| element.holds_beyond(project, is_wanted, known))
            }
            Self::Class(file, statement) => {
                known.insert((*file, *statement))
                    && fields(project, *file, *statement)
                        .iter()
                        .any(|(_, field)| field.holds_beyond(project, is_wanted, known))
            }
            Self::Io(_) | Self::Pandas | Self::Moment | Self::Other => is_wanted(self),
        }
    }

    /// Whether a frame of pandas is somewhere in a value where a `StructuredDataset` is wanted.
    pub(super) fn lacks_frames(&self, wanted: &Self, project: &Project) -> bool {
        match (self, wanted) {
            (Self::Pandas, Self::Io(IoType::Frame)) => true,
            (Self::Class(file, statement), Self::Class(other, class))
                if (file, statement) == (other, class) =>
            {
                false
            }
            (Self::Optional(given), Self::Optional(wanted))
            | (Self::Many(given), Self::Many(wanted))
            | (Self::Mapping(given), Self::Mapping(wanted)) => given.lacks_frames(wanted, project),
            (Self::Optional(given), _) => given.lacks_frames(wanted, project),
            (_, Self::Optional(wanted)) => self.lacks_frames(wanted, project),
            _ => match (self.elements(project), wanted.elements(project)) {
                (Some(given), Some(wanted)) => {
                    given.iter().zip(&wanted).any(|(given, wanted)| given.lacks_frames(wanted, project))
                }
                _ => false,
            },
        }
    }

    /// The types of the elements of a tuple, named or not. Fields that are classes are not looked into.
    pub(super) fn elements(&self, project: &Project) -> Option<Vec<Self>> {
        match self {
            Self::Tuple(elements) => Some(elements.clone()),
            Self::Class(file, statement) => {
                let fields = fields(project, *file, *statement).into_iter();
                let shape = |shape| if matches!(shape, Self::Class(..)) { Self::Other } else { shape };
                Some(fields.map(|(_, field)| shape(field)).collect())
            }
            _ => None,
        }
    }
}

/// The type that stands at `range` in a file: the annotation of an entity, or what gives a type another name.
pub(super) fn shape(project: &Project, file: FileId, range: TextRange) -> Shape {
    Reader { project, file, depth: 0 }.at(range)
}

/// The type that an expression of a file is.
pub(super) fn shape_of(project: &Project, file: FileId, expr: &Expr) -> Shape {
    Reader { project, file, depth: 0 }.shape(&TypeExpr::of(expr))
}

/// Tells what types of a file mean.
struct Reader<'p> {
    project: &'p Project,
    file: FileId,
    depth: usize,
}

impl Reader<'_> {
    fn at(&self, range: TextRange) -> Shape {
        let of = self.project.facts(self.file).and_then(|facts| facts.module.types.get(&range));
        of.map_or(Shape::Other, |of| self.shape(of))
    }

    fn shape(&self, of: &TypeExpr) -> Shape {
        if self.depth > MAX_DEPTH {
            return Shape::Other;
        }
        match of {
            TypeExpr::Name(range) => self.named(*range),
            TypeExpr::Generic(generic, elements) => self.generic(generic, elements),
            TypeExpr::Union(left, right) => self.union(&[left, right]),
            TypeExpr::Tuple(elements) => self.tuple(elements),
            TypeExpr::Call(..) | TypeExpr::None | TypeExpr::Ellipsis | TypeExpr::Text | TypeExpr::Other => {
                Shape::Other
            }
        }
    }

    fn named(&self, range: TextRange) -> Shape {
        let Some(facts) = self.project.facts(self.file) else { return Shape::Other };
        let Some(reference) = facts.reference_at(range) else {
            return self.of_library(range);
        };
        match self.project.resolve(self.file, reference) {
            [Target::Flyte1(symbol)] => IoType::of(symbol).map_or(Shape::Other, Shape::Io),
            [Target::Binding(file, binding, rest)] if rest.is_empty() => {
                let Some(facts) = self.project.facts(*file) else { return Shape::Other };
                let binding = &facts.module.bindings[*binding];
                match &binding.kind {
                    BindingKind::Definition => Shape::Class(*file, binding.owner),
                    BindingKind::Assignment { value, .. } if value.kind == ValueKind::Call => {
                        Shape::Class(*file, binding.owner)
                    }
                    BindingKind::Assignment { value, .. } => {
                        Reader { file: *file, depth: self.depth + 1, ..*self }.at(value.range)
                    }
                    _ => Shape::Other,
                }
            }
            _ => Shape::Other,
        }
    }

    /// `pd.DataFrame`, `datetime.datetime`, or the last part alone.
    fn of_library(&self, range: TextRange) -> Shape {
        if self.is_imported(range, "pandas", "DataFrame") {
            Shape::Pandas
        } else if self.is_imported(range, "datetime", "datetime") {
            Shape::Moment
        } else {
            Shape::Other
        }
    }

    /// Whether the name at `range` is this class of a module.
    fn is_imported(&self, range: TextRange, module: &str, class: &str) -> bool {
        let Some(facts) = self.project.facts(self.file) else { return false };
        let text = self.project.text(self.file)[range].rsplit_once('.');
        let (name, item) = match text {
            Some((name, last)) if last.trim() == class => (name.trim(), None),
            None => (&self.project.text(self.file)[range], Some(class)),
            Some(_) => return false,
        };
        let mut bindings = facts.module.bindings.iter().filter(|binding| binding.name == name).peekable();
        let is_it = |kind: &BindingKind| matches!(kind, BindingKind::Import(path) if path.root() == module && path.name.as_deref() == item);
        bindings.peek().is_some() && bindings.all(|binding| is_it(&binding.kind))
    }

    fn generic(&self, generic: &TypeExpr, elements: &[TypeExpr]) -> Shape {
        let of_value = self.shape(generic);
        if matches!(of_value, Shape::Io(_)) {
            return of_value;
        }
        let ([first, ..], [.., last]) = (elements, elements) else { return Shape::Other };
        match generic.last_name(self.project.text(self.file)).unwrap_or_default() {
            "Optional" => Shape::Optional(Box::new(self.shape(first))),
            "List" | "list" | "Sequence" | "Iterable" | "Iterator" | "Generator" | "Collection" | "Set"
            | "set" | "FrozenSet" | "frozenset" | "Deque" | "deque" => {
                Shape::Many(Box::new(self.shape(first)))
            }
            "Dict" | "dict" | "Mapping" => Shape::Mapping(Box::new(self.shape(last))),
            "Tuple" | "tuple" if *last == TypeExpr::Ellipsis => Shape::Many(Box::new(self.shape(first))),
            "Tuple" | "tuple" => self.tuple(elements),
            "Annotated" => self.shape(first),
            "Union" => self.union(&elements.iter().collect::<Vec<_>>()),
            _ => Shape::Other,
        }
    }

    fn tuple(&self, elements: &[TypeExpr]) -> Shape {
        Shape::Tuple(elements.iter().map(|element| self.shape(element)).collect())
    }

    fn union(&self, members: &[&TypeExpr]) -> Shape {
        let others: Vec<&&TypeExpr> = members.iter().filter(|member| ***member != TypeExpr::None).collect();
        match others[..] {
            [other] if members.len() > 1 => Shape::Optional(Box::new(self.shape(other))),
            _ => Shape::Other,
        }
    }
}

/// The definition that is a statement of a file, with what reads its types.
fn definition(project: &Project, file: FileId, statement: StatementId) -> Option<(&Definition, Reader<'_>)> {
    let definition = project.facts(file)?.module.definitions.get(&statement)?;
    Some((definition, Reader { project, file, depth: 0 }))
}

/// The fields of a class with annotations, those of its bases first, or of a `NamedTuple` that is made by a call.
pub(super) fn fields(project: &Project, file: FileId, statement: StatementId) -> Vec<(String, Shape)> {
    let mut all: Vec<(String, Shape)> = Vec::new();
    for (file, statement) in lineage(project, file, statement).into_iter().rev() {
        let Some((definition, reader)) = definition(project, file, statement) else { continue };
        let fields = match definition {
            Definition::Class { fields, .. } | Definition::Made(TypeExpr::Call(_, Some(fields))) => {
                fields.as_slice()
            }
            _ => &[],
        };
        for (name, of) in fields {
            let shape = reader.shape(of);
            match all.iter_mut().find(|(known, _)| known == name) {
                Some(known) => known.1 = shape,
                None => all.push((name.clone(), shape)),
            }
        }
    }
    all
}

/// A class and the classes of the project that it is derived from, itself first.
fn lineage(project: &Project, file: FileId, statement: StatementId) -> Vec<(FileId, StatementId)> {
    let mut known = vec![(file, statement)];
    let mut next = 0;
    while let Some(&(file, statement)) = known.get(next) {
        next += 1;
        if let Some((Definition::Class { bases, .. }, reader)) = definition(project, file, statement) {
            for base in bases {
                if let Shape::Class(file, statement) = reader.shape(base)
                    && !known.contains(&(file, statement))
                {
                    known.push((file, statement));
                }
            }
        }
    }
    known
}

/// Whether a class is another one, or is derived from it.
pub(super) fn is_derived(
    project: &Project,
    class: (FileId, StatementId),
    base: (FileId, StatementId),
) -> bool {
    lineage(project, class.0, class.1).contains(&base)
}

/// A method or property of a class or of its bases, with what reads its types.
fn method<'p>(
    project: &'p Project,
    class: (FileId, StatementId),
    name: &str,
) -> Option<(&'p Method, Reader<'p>)> {
    lineage(project, class.0, class.1).into_iter().find_map(|(file, statement)| {
        let (Definition::Class { methods, .. }, reader) = definition(project, file, statement)? else {
            return None;
        };
        methods.iter().find(|method| method.name == name).map(|method| (method, reader))
    })
}

/// What a method of a class, or a property, is annotated to return.
pub(super) fn returned_by_method(
    project: &Project,
    class: (FileId, StatementId),
    name: &str,
    is_property: bool,
) -> Option<Shape> {
    let (method, reader) =
        method(project, class, name).filter(|(method, _)| method.is_property == is_property)?;
    method.returns.as_ref().map(|returns| reader.shape(returns))
}

/// What a method of a class takes, without what it is called on.
pub(super) fn parameters_of_method(
    project: &Project,
    class: (FileId, StatementId),
    name: &str,
) -> Option<Vec<(String, Option<Shape>)>> {
    let (method, reader) = method(project, class, name)?;
    let parameters = method.parameters.iter();
    Some(parameters.map(|(name, of)| (name.clone(), of.as_ref().map(|of| reader.shape(of)))).collect())
}

/// What the call makes that is all that is assigned in a statement of a file: `LATER = Later(file=…)`.
pub(super) fn made(project: &Project, file: FileId, statement: StatementId) -> Option<Shape> {
    let (Definition::Made(TypeExpr::Call(callee, _)), reader) = definition(project, file, statement)? else {
        return None;
    };
    let made = reader.shape(callee);
    let Shape::Class(file, statement) = made else { return Some(made) };
    match signature(project, file, statement) {
        Some(signature) => signature.returns,
        None => Some(made),
    }
}

/// What a plain function takes and returns; `None` for a parameter without annotation.
#[derive(Debug, Default)]
pub(super) struct Signature {
    /// The parameters in order.
    pub(super) parameters: Vec<(String, Option<Shape>)>,
    /// The attributes that are read of each parameter, `None` where something else is done with it.
    pub(super) attributes: Vec<Option<Vec<String>>>,
    /// The return annotation.
    pub(super) returns: Option<Shape>,
}

/// The signature of the plain function that is a statement of a file; `None` if it is no function.
pub(super) fn signature(project: &Project, file: FileId, statement: StatementId) -> Option<Signature> {
    let (Definition::Function { parameters, attributes, returns, .. }, reader) =
        definition(project, file, statement)?
    else {
        return None;
    };
    let parameters = parameters.iter();
    let shape = |of: &TypeExpr| reader.shape(of);
    Some(Signature {
        parameters: parameters.map(|(name, of)| (name.clone(), of.as_ref().map(shape))).collect(),
        attributes: attributes.clone(),
        returns: returns.as_ref().map(shape),
    })
}
