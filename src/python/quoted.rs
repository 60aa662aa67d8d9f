//! Types in quotes, which are read as if the quotes were not there.
//!
//! ```python
//! files: List["FlyteFile"]         # as `List[FlyteFile]`
//! kind: Literal["FlyteFile"]       # a value, not a type
//! ```
//!
//! flytekit and flyte both ask `typing.get_type_hints`, which reads the text of such a string as an expression
//! (`flytekit/core/interface.py` of flytekit 1.16.31, `flyte/models.py` of flyte 2.12.1).

use std::cell::RefCell;

use super::Ranged;
use super::ast::visitor::source_order::SourceOrderVisitor;
use super::ast::visitor::transformer::{self, Transformer};
use super::ast::{self, Expr, ModModule, Stmt};
use crate::source::{TextRange, TextSize};

/// Whether a type of a module may hold a string.
pub(super) fn may_be_in(module: &[Stmt], text: &str) -> bool {
    let mut search = Search { text, is_found: false };
    search.visit_body(module);
    search.is_found
}

/// Puts the types that strings hold in their place, and says where the outermost stand, in order.
pub(super) fn unquote(module: &mut ModModule, text: &str) -> Vec<TextRange> {
    let reader = Reader { text, found: RefCell::default() };
    reader.visit_body(&mut module.body);
    let mut found = reader.found.into_inner();
    found.sort_unstable_by_key(|range| (range.start(), std::cmp::Reverse(range.end())));
    let mut end = TextSize::default();
    found.retain(|range| {
        let is_outermost = range.start() >= end;
        end = end.max(range.end());
        is_outermost
    });
    found
}

/// What stands before the brackets of a type whose arguments are types, where a name is given to it:
/// `Files = List["FlyteFile"]`.
const GENERICS: [&str; 16] = [
    "Annotated",
    "Dict",
    "FrozenSet",
    "Iterable",
    "Iterator",
    "List",
    "Mapping",
    "Optional",
    "Sequence",
    "Set",
    "Tuple",
    "Union",
    "dict",
    "list",
    "set",
    "tuple",
];

/// Whether a value that a statement gives a name is a type: `List["FlyteFile"]`, `NamedTuple("Out", f="FlyteFile")`.
fn is_type(value: &Expr) -> bool {
    match value {
        Expr::Subscript(generic) => last_name(&generic.value).is_some_and(|name| GENERICS.contains(&name)),
        Expr::Call(call) => matches!(last_name(&call.func), Some("NamedTuple" | "TypedDict")),
        _ => false,
    }
}

fn last_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        _ => None,
    }
}

struct Search<'t> {
    text: &'t str,
    is_found: bool,
}

impl<'a> SourceOrderVisitor<'a> for Search<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        let value = match stmt {
            Stmt::Assign(assign) => Some(&*assign.value),
            Stmt::AnnAssign(assign) => assign.value.as_deref(),
            _ => None,
        };
        value.filter(|value| is_type(value)).into_iter().for_each(|value| self.visit_annotation(value));
        ast::visitor::source_order::walk_stmt(self, stmt);
    }

    fn visit_annotation(&mut self, annotation: &'a Expr) {
        self.is_found |= self.text[annotation.range()].contains(['"', '\'']);
    }

    fn visit_expr(&mut self, _: &'a Expr) {}
}

struct Reader<'t> {
    text: &'t str,
    found: RefCell<Vec<TextRange>>,
}

impl Transformer for Reader<'_> {
    fn visit_stmt(&self, stmt: &mut Stmt) {
        let value = match stmt {
            Stmt::Assign(assign) => Some(&mut *assign.value),
            Stmt::AnnAssign(assign) => assign.value.as_deref_mut(),
            _ => None,
        };
        match value.filter(|value| is_type(value)) {
            Some(Expr::Call(call)) => self.read_fields(&mut call.arguments),
            Some(value) => self.read(value),
            None => {}
        }
        transformer::walk_stmt(self, stmt);
    }

    fn visit_annotation(&self, annotation: &mut Expr) {
        self.read(annotation);
    }

    fn visit_expr(&self, _: &mut Expr) {}
}

impl Reader<'_> {
    fn read(&self, annotation: &mut Expr) {
        match annotation {
            Expr::StringLiteral(literal) => {
                if let Some(read) = self.type_in(literal) {
                    self.found.borrow_mut().push(read.range());
                    *annotation = read;
                    self.read(annotation);
                }
            }
            Expr::Subscript(subscript) => match (last_name(&subscript.value), &mut *subscript.slice) {
                // What `Literal` holds are values, and so is what `Annotated` holds behind the type.
                (Some("Literal"), _) => {}
                (Some("Annotated"), Expr::Tuple(tuple)) => {
                    tuple.elts.iter_mut().take(1).for_each(|first| self.read(first));
                }
                (_, slice) => self.read(slice),
            },
            Expr::Tuple(tuple) => tuple.elts.iter_mut().for_each(|part| self.read(part)),
            Expr::List(list) => list.elts.iter_mut().for_each(|part| self.read(part)),
            Expr::BinOp(union) => {
                self.read(&mut union.left);
                self.read(&mut union.right);
            }
            _ => {}
        }
    }

    /// The fields of a named tuple, in a list or by keyword.
    fn read_fields(&self, arguments: &mut ast::Arguments) {
        arguments.keywords.iter_mut().for_each(|keyword| self.read(&mut keyword.value));
        let Some(Expr::List(fields)) = arguments.args.get_mut(1) else { return };
        for field in &mut fields.elts {
            if let Expr::Tuple(pair) = field {
                pair.elts.iter_mut().skip(1).for_each(|kind| self.read(kind));
            }
        }
    }

    /// The type in a string, at its own place in the text; none if the string has escapes or parts.
    fn type_in(&self, literal: &ast::ExprStringLiteral) -> Option<Expr> {
        let part = literal.as_single_part_string()?;
        if &self.text[part.content_range()] != part.as_str() {
            return None;
        }
        let parsed = rustpython_parser::parse_string_annotation(self.text, part).ok()?.into_expr();
        matches!(parsed, Expr::Name(_) | Expr::Attribute(_) | Expr::Subscript(_) | Expr::BinOp(_))
            .then_some(parsed)
    }
}

#[cfg(test)]
mod tests {
    fn read(text: &str) -> Vec<&str> {
        let parsed = crate::python::parse(text).unwrap();
        parsed.unquoted().iter().map(|&range| &text[range]).collect()
    }

    #[test]
    fn types_in_quotes_are_read_where_types_stand() {
        assert_eq!(read("def f(a: 'A', *b: \"B\") -> List['C']: pass"), ["A", "B", "C"]);
        assert_eq!(
            read("class X:\n    a: Dict[str, 'A'] = {}\n    def f(self):\n        b: 'B | None'"),
            ["A", "B | None"]
        );
        assert_eq!(read("Files = List['A']\nPair: TypeAlias = typing.Tuple['A', 'B']"), ["A", "A", "B"]);
        assert_eq!(read("X = NamedTuple('X', [('a', 'A')])\nY = NamedTuple('Y', b='B')"), ["A", "B"]);
        assert_eq!(read("a: \"List['A']\"\nb: r'B'\nc: '''C'''"), ["List['A']", "B", "C"]);
        assert_eq!(read("a: Annotated['A', 'b']"), ["A"]);
    }

    #[test]
    fn values_and_what_is_no_type_are_left_alone() {
        for text in [
            "a: Literal['A'] = 'A'",
            "a = 'A'\nb = d['A']\nc = X['A']",
            "a: 'no type'",
            "a: 'A' 'B'",
            "a: '\\x41'",
            "a: '1'",
            "def f(a='A', b=List['B']): 'C'",
        ] {
            assert!(read(text).is_empty(), "{text}");
        }
    }
}
