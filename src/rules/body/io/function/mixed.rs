//! Parameters that may be a file or something else: `Union[str, FlyteFile]`.
//!
//! ```python
//! if isinstance(source, FlyteFile):       # a file in here, anything else behind it
//!     source = source.download()          # source = source.download_sync()
//! return open(source)
//! ```
//!
//! Where the code asks first, it is known what the value is. Elsewhere it can only be handed on.

use super::{FunctionIo, Parent};
use crate::edit::Edit;
use crate::python::Ranged;
use crate::python::ast::{self, Expr, Operator, Stmt, UnaryOp};
use crate::rules::Effect;
use crate::source::TextRange;

/// What a parameter is at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// A file, directory or frame.
    Value,
    /// Something else.
    Other,
    /// That cannot be told.
    Either,
}

impl<'a> FunctionIo<'a, '_> {
    /// How many other types a parameter may have beside one that holds files; `None` for one that is followed, or holds
    /// none.
    pub(super) fn types_beside_files(&self, annotation: &Expr) -> Option<usize> {
        let mut members = Vec::new();
        flatten(annotation, &mut members);
        let shapes = members.iter().map(|member| self.shape(member));
        let files: Vec<_> = shapes.filter(|shape| shape.holds_io(self.cx.project)).collect();
        let is_plain = files.iter().all(|shape| shape.io().is_some());
        let is_mixed = !files.is_empty() && !self.shape(annotation).holds_io(self.cx.project);
        is_mixed.then(|| if is_plain { members.len() - files.len() } else { usize::MAX })
    }

    /// A use of such a parameter.
    pub(super) fn mixed(&mut self, expr: &'a Expr, name: &'a str, others: usize) {
        let asked = Asked { io: self, name, others };
        let known = asked.among(self.body, expr.range(), Known::Either);
        if self.is_workflow() || known == Known::Other {
            return;
        }
        let is_followed = match (self.parents.last().copied(), self.outer_call()) {
            (Some(Parent::Expr(Expr::Attribute(attribute))), outer) => {
                self.attribute_of_mixed(expr, attribute, outer, known)
            }
            (Some(Parent::Expr(Expr::Call(call))), _) => self.argument_of_mixed(expr, call, known),
            (Some(Parent::Expr(Expr::FString(_))), _) => {
                known == Known::Value && self.in_place(expr, expr.range())
            }
            (Some(Parent::Expr(Expr::Compare(compare))), _) => {
                compare.comparators.iter().all(Expr::is_none_literal_expr)
            }
            (Some(Parent::Expr(Expr::UnaryOp(_)) | Parent::Stmt(Stmt::Return(_) | Stmt::If(_))), _) => true,
            _ => false,
        };
        if !is_followed {
            self.find(
                expr.range(),
                Effect::Blocking,
                format!("`{name}` may be a file or something else here, and what is done with it cannot be followed"),
                "Ask with `isinstance` first, and download the file there",
            );
        }
    }

    /// The call of the attribute that the expression at hand has.
    fn outer_call(&self) -> Option<&'a ast::ExprCall> {
        let [.., Parent::Expr(Expr::Call(call)), Parent::Expr(Expr::Attribute(attribute))] = self.parents[..]
        else {
            return None;
        };
        (call.func.range() == attribute.range).then_some(call)
    }

    fn attribute_of_mixed(
        &mut self,
        expr: &Expr,
        attribute: &ast::ExprAttribute,
        outer: Option<&'a ast::ExprCall>,
        known: Known,
    ) -> bool {
        match (attribute.attr.as_str(), outer) {
            // Nothing else has these.
            ("download", Some(call)) if call.arguments.is_empty() => self.in_place(expr, call.range),
            ("open", Some(call)) if known == Known::Value && self.is_read_in_with(call) => {
                self.outcome.edits.push(Edit::replacement(attribute.attr.range, "open_sync"));
                true
            }
            ("path", None) if known == Known::Value => self.in_place(expr, attribute.range),
            ("remote_source", None) => {
                self.outcome.edits.push(Edit::replacement(attribute.attr.range, "path"));
                true
            }
            _ => false,
        }
    }

    fn argument_of_mixed(&mut self, expr: &Expr, call: &ast::ExprCall, known: Known) -> bool {
        if let Some(asked) = instance_check(call) {
            return !asked.iter().any(|class| self.text(class.range()).ends_with("PathLike"));
        }
        if self.cx.callee(&call.func).is_some() {
            return true;
        }
        known == Known::Value && self.takes_a_path(call) && self.in_place(expr, expr.range())
    }

    /// Downloads a value where its path is wanted.
    fn in_place(&mut self, expr: &Expr, range: TextRange) -> bool {
        if self.is_async && self.scopes > 0 {
            return false;
        }
        self.path_of_result(range, expr.range());
        true
    }
}

/// The members of `Union[…]`, `Optional[…]` and `a | b`, without `None`.
fn flatten<'e>(annotation: &'e Expr, members: &mut Vec<&'e Expr>) {
    match annotation {
        Expr::Subscript(subscript) if is_called(&subscript.value, &["Union", "Optional"]) => {
            match &*subscript.slice {
                Expr::Tuple(tuple) => tuple.elts.iter().for_each(|member| flatten(member, members)),
                member => flatten(member, members),
            }
        }
        Expr::BinOp(union) if union.op == Operator::BitOr => {
            flatten(&union.left, members);
            flatten(&union.right, members);
        }
        Expr::NoneLiteral(_) => {}
        member => members.push(member),
    }
}

fn is_called(expr: &Expr, names: &[&str]) -> bool {
    match expr {
        Expr::Name(name) => names.contains(&name.id.as_str()),
        Expr::Attribute(attribute) => names.contains(&attribute.attr.as_str()),
        _ => false,
    }
}

/// The classes that `isinstance(value, …)` asks for.
fn instance_check(call: &ast::ExprCall) -> Option<Vec<&Expr>> {
    let is_check = is_called(&call.func, &["isinstance"]) && call.arguments.args.len() == 2;
    match call.arguments.args.get(1).filter(|_| is_check)? {
        Expr::Tuple(classes) => Some(classes.elts.iter().collect()),
        class => Some(vec![class]),
    }
}

/// Follows what the code asks of one parameter.
struct Asked<'s, 'a, 'n> {
    io: &'s FunctionIo<'a, 'n>,
    name: &'s str,
    /// How many types it may have beside one that holds files.
    others: usize,
}

impl Asked<'_, '_, '_> {
    /// What the parameter is at a place in a block.
    fn among(&self, block: &[Stmt], place: TextRange, before: Known) -> Known {
        let mut known = before;
        for statement in block {
            if statement.range().contains_range(place) {
                return self.inside(statement, place, known);
            }
            known = self.behind(statement, known);
        }
        known
    }

    fn inside(&self, statement: &Stmt, place: TextRange, known: Known) -> Known {
        match statement {
            Stmt::If(node) => {
                let (mut within, mut otherwise) = self.tested(&node.test, known);
                if node.test.range().contains_range(place) {
                    return self.within(&node.test, place, known);
                }
                if let Some(known) = self.in_block(&node.body, place, within) {
                    return known;
                }
                for clause in &node.elif_else_clauses {
                    let before = otherwise;
                    within = before;
                    if let Some(test) = &clause.test {
                        (within, otherwise) = self.tested(test, before);
                        if test.range().contains_range(place) {
                            return self.within(test, place, before);
                        }
                    }
                    if let Some(known) = self.in_block(&clause.body, place, within) {
                        return known;
                    }
                }
                known
            }
            Stmt::With(node) => self.in_block(&node.body, place, known).unwrap_or(known),
            Stmt::Assign(ast::StmtAssign { value, .. })
            | Stmt::Return(ast::StmtReturn { value: Some(value), .. })
            | Stmt::AnnAssign(ast::StmtAnnAssign { value: Some(value), .. })
            | Stmt::Expr(ast::StmtExpr { value, .. }) => self.within(value, place, known),
            // A loop may give the name another value.
            Stmt::For(_) | Stmt::While(_) if self.is_rebound_in(statement) => Known::Either,
            Stmt::For(node) => self.in_block(&node.body, place, known).unwrap_or(known),
            Stmt::While(node) => self.in_block(&node.body, place, known).unwrap_or(known),
            Stmt::Try(node) => self.in_block(&node.body, place, known).unwrap_or(Known::Either),
            _ => known,
        }
    }

    fn in_block(&self, block: &[Stmt], place: TextRange, known: Known) -> Option<Known> {
        let is_here = block.iter().any(|statement| statement.range().contains_range(place));
        is_here.then(|| self.among(block, place, known))
    }

    /// What it is behind a statement.
    fn behind(&self, statement: &Stmt, known: Known) -> Known {
        match statement {
            Stmt::Assign(assign) if self.is_target(&assign.targets) => self.assigned(&assign.value, known),
            Stmt::If(node) => {
                let (within, mut otherwise) = self.tested(&node.test, known);
                let mut ends = vec![self.end(&node.body, within)];
                let mut has_else = false;
                for clause in &node.elif_else_clauses {
                    let mut within = otherwise;
                    match &clause.test {
                        Some(test) => (within, otherwise) = self.tested(test, otherwise),
                        None => has_else = true,
                    }
                    ends.push(self.end(&clause.body, within));
                }
                if !has_else {
                    ends.push(Some(otherwise));
                }
                let mut ends = ends.into_iter().flatten();
                let first = ends.next().unwrap_or(known);
                if ends.all(|end| end == first) { first } else { Known::Either }
            }
            _ if self.is_rebound_in(statement) => Known::Either,
            _ => known,
        }
    }

    /// What it is at the end of a block; `None` if that is not reached.
    fn end(&self, block: &[Stmt], before: Known) -> Option<Known> {
        let leaves = |statement: &Stmt| {
            matches!(statement, Stmt::Return(_) | Stmt::Raise(_) | Stmt::Continue(_) | Stmt::Break(_))
        };
        let known = block.iter().fold(before, |known, statement| self.behind(statement, known));
        (!block.last().is_some_and(leaves)).then_some(known)
    }

    fn assigned(&self, value: &Expr, known: Known) -> Known {
        match value {
            Expr::Call(_) if !self.io.shape_of(value).holds_io(self.io.cx.project) => Known::Other,
            Expr::If(choice) => {
                let (within, otherwise) = self.tested(&choice.test, known);
                let ends = [self.assigned(&choice.body, within), self.assigned(&choice.orelse, otherwise)];
                if ends[0] == ends[1] { ends[0] } else { Known::Either }
            }
            Expr::Name(name) if name.id.as_str() == self.name => known,
            _ => Known::Either,
        }
    }

    /// What it is in a part of an expression.
    fn within(&self, expr: &Expr, place: TextRange, known: Known) -> Known {
        match expr {
            Expr::If(choice) => {
                let (within, otherwise) = self.tested(&choice.test, known);
                if choice.body.range().contains_range(place) {
                    within
                } else if choice.orelse.range().contains_range(place) {
                    otherwise
                } else {
                    known
                }
            }
            Expr::BoolOp(operation) if operation.op == ast::BoolOp::And => {
                let before = operation.values.iter().take_while(|value| value.end() <= place.start());
                before.fold(known, |known, value| self.tested(value, known).0)
            }
            _ => known,
        }
    }

    /// What it is where a test holds, and where it does not.
    fn tested(&self, test: &Expr, known: Known) -> (Known, Known) {
        match test {
            Expr::UnaryOp(not) if not.op == UnaryOp::Not => {
                let (within, otherwise) = self.tested(&not.operand, known);
                (otherwise, within)
            }
            Expr::BoolOp(operation) if operation.op == ast::BoolOp::And => {
                let within = operation.values.iter().fold(known, |known, value| self.tested(value, known).0);
                (within, known)
            }
            Expr::Call(call) => match (instance_check(call), call.arguments.args.first()) {
                (Some(asked), Some(Expr::Name(name))) if name.id.as_str() == self.name => {
                    let is_file = |class: &&Expr| self.io.shape(class).io().is_some();
                    if asked.iter().all(is_file) {
                        (Known::Value, Known::Other)
                    } else if asked.iter().any(is_file) {
                        (known, known)
                    } else {
                        (Known::Other, if asked.len() >= self.others { Known::Value } else { known })
                    }
                }
                _ => (known, known),
            },
            _ => (known, known),
        }
    }

    fn is_target(&self, targets: &[Expr]) -> bool {
        let [Expr::Name(name)] = targets else { return false };
        name.id.as_str() == self.name
    }

    /// Whether a statement holds an assignment to the name, of whatever kind.
    fn is_rebound_in(&self, statement: &Stmt) -> bool {
        let mut bound = super::Bound::default();
        ast::visitor::source_order::SourceOrderVisitor::visit_stmt(&mut bound, statement);
        bound.counts.contains_key(self.name)
    }
}
