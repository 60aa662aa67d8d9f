//! The variables of comprehensions, which are there in them only and hide others of the same name.
//!
//! ```python
//! def texts(f: FlyteFile, files: List[FlyteFile]):
//!     return [open(f).read() for f in files] + [open(f).read()]     # two values, both named `f`
//! ```

use std::cell::RefCell;

use super::super::types::Shape;
use super::{Binder, FunctionIo, Parent, Tracked};
use crate::python::Ranged;
use crate::python::ast::{self, Expr, Stmt};
use crate::source::{TextRange, TextSize};

/// The comprehensions around the expression at hand, from the outside in.
#[derive(Default)]
pub(super) struct Scopes {
    open: RefCell<Vec<Scope>>,
}

/// A comprehension, with what its variables get.
struct Scope {
    range: TextRange,
    variables: Vec<(String, Shape)>,
}

impl Scopes {
    /// The comprehension that a name is a variable of, and what it gets there.
    fn find(&self, name: &str) -> Option<(TextRange, Shape)> {
        self.open.borrow().iter().rev().find_map(|scope| {
            let mut variables = scope.variables.iter().rev();
            let (_, shape) = variables.find(|(variable, _)| variable == name)?;
            Some((scope.range, shape.clone()))
        })
    }

    /// Whether a name is a variable of a comprehension around.
    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Ends the innermost comprehension.
    pub(super) fn close(&self) {
        self.open.borrow_mut().pop();
    }
}

/// The generators of a comprehension.
pub(super) fn generators_of(expr: &Expr) -> Option<&[ast::Comprehension]> {
    match expr {
        Expr::ListComp(ast::ExprListComp { generators, .. })
        | Expr::SetComp(ast::ExprSetComp { generators, .. })
        | Expr::Generator(ast::ExprGenerator { generators, .. })
        | Expr::DictComp(ast::ExprDictComp { generators, .. }) => Some(generators),
        _ => None,
    }
}

impl FunctionIo<'_, '_> {
    /// What is known of a name where the expression at hand stands.
    pub(super) fn known(&self, name: &str) -> Option<Tracked> {
        match self.scopes_around.find(name) {
            Some((range, shape)) => shape.is_followed(self.cx.project).then_some(Tracked {
                shape,
                binder: Binder::Nowhere,
                tries: self.tries,
                depth: self.depth,
                comprehension: Some(range),
            }),
            None => self.tracked.get(name).cloned(),
        }
    }

    /// Where the expression at hand stands in a comprehension around it.
    pub(super) fn wanted_in(&self, comprehension: TextRange, range: TextRange) -> Option<Wanted> {
        let mut inner = Vec::new();
        let mut generators = None;
        for parent in self.parents.iter().rev() {
            match parent {
                Parent::Expr(expr) if expr.range() == comprehension && generators_of(expr).is_some() => {
                    generators = generators_of(expr);
                    break;
                }
                Parent::Expr(expr) => inner.push(*expr),
                Parent::Stmt(_) => return None,
            }
        }
        let generators = generators?;
        let is_in_class = self.parents.iter().any(|parent| matches!(parent, Parent::Stmt(Stmt::ClassDef(_))));
        let is_later = |expr: &&Expr| expr.is_lambda_expr() || generators_of(expr).is_some();
        let is_chosen = |expr: &&Expr| match expr {
            Expr::If(_) | Expr::BoolOp(_) => true,
            // `a < b < c` does not look at `c` where the first is false.
            Expr::Compare(compare) => compare.ops.len() > 1,
            _ => is_later(expr),
        };
        let is_looped_over = generators.iter().any(|generator| generator.iter.range().contains_range(range));
        let element_end = generators.first()?.range.start();
        Some(Wanted {
            comprehension,
            order: (range.start() < element_end, range.start()),
            is_sure: !inner.iter().any(is_chosen),
            is_in_round: !is_looped_over && !is_in_class && !inner.iter().any(is_later),
        })
    }

    /// Begins a comprehension; the targets that lose a file or frame.
    pub(super) fn open<'e>(&self, range: TextRange, generators: &'e [ast::Comprehension]) -> Vec<&'e Expr> {
        let mut losing = Vec::new();
        for (position, generator) in generators.iter().enumerate() {
            let mut variables = Vec::new();
            let element = self.element_of(&generator.iter);
            if !variables_of(&generator.target, &element, &mut variables, self) {
                losing.push(&generator.target);
            }
            let mut open = self.scopes_around.open.borrow_mut();
            match open.last_mut().filter(|_| position > 0) {
                Some(scope) => scope.variables.extend(variables),
                None => open.push(Scope { range, variables }),
            }
        }
        losing
    }

    /// Begins a comprehension that is read, and speaks of what cannot be followed in it.
    pub(super) fn enter(&mut self, range: TextRange, generators: &[ast::Comprehension]) {
        let hidden = generators.first().and_then(|first| self.read_and_hidden(first));
        for target in self.open(range, generators) {
            self.untraceable(target);
        }
        if let Some(hidden) = hidden {
            self.rebound(range, &hidden);
        }
    }

    /// `[f for f in f.parts]`: what is looped over is read where the variable is not there yet.
    fn read_and_hidden(&self, generator: &ast::Comprehension) -> Option<String> {
        let mut variables = Vec::new();
        variables_of(&generator.target, &Shape::Other, &mut variables, self);
        let text = self.text(generator.iter.range());
        let words: Vec<&str> = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
        let mut names = variables.into_iter().map(|(variable, _)| variable);
        names.find(|name| words.contains(&name.as_str()) && self.known(name).is_some())
    }
}

/// Where in a comprehension the path of its variable is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// The comprehension.
    pub(super) comprehension: TextRange,
    /// Its place in the order in which one round runs: conditions come first.
    pub(super) order: (bool, TextSize),
    /// Whether each round comes here.
    pub(super) is_sure: bool,
    /// Whether a name can be bound for one round and read here: it is not what is looped over, and does not run later.
    pub(super) is_in_round: bool,
}

impl Wanted {
    /// The use that binds the path for the others, by its position, if one round uses it several times.
    pub(super) fn first(uses: &[Option<Self>]) -> Option<usize> {
        let uses: Vec<Self> = uses.iter().copied().collect::<Option<_>>()?;
        let (position, first) = uses.iter().enumerate().min_by_key(|(_, wanted)| wanted.order)?;
        (first.is_sure && uses.iter().all(|wanted| wanted.is_in_round)).then_some(position)
    }
}

/// The names in the target of a comprehension; whether all files and frames get one.
fn variables_of(
    target: &Expr,
    shape: &Shape,
    variables: &mut Vec<(String, Shape)>,
    cx: &FunctionIo<'_, '_>,
) -> bool {
    match target {
        Expr::Name(name) => {
            variables.push((name.id.to_string(), shape.clone()));
            true
        }
        Expr::Starred(starred) => {
            variables_of(&starred.value, &Shape::Other, variables, cx);
            !shape.holds_io(cx.cx.project)
        }
        Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
            let elements = match shape {
                Shape::Many(inner) => vec![(**inner).clone(); elts.len()],
                _ => cx.elements_of(shape),
            };
            if elements.len() == elts.len() {
                let pairs = elts.iter().zip(&elements);
                return pairs.fold(true, |are_kept, (target, shape)| {
                    variables_of(target, shape, variables, cx) && are_kept
                });
            }
            for target in elts {
                variables_of(target, &Shape::Other, variables, cx);
            }
            !shape.holds_io(cx.cx.project)
        }
        _ => !shape.holds_io(cx.cx.project),
    }
}
