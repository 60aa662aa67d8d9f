//! What stands behind a name, and in a list or a dict that is written out, though other things in it may not be known.
//!
//! ```python
//! COMMON = {"image": base, "resources": flyte.Resources(cpu=1)}
//! env = flyte.TaskEnvironment("train", **COMMON)
//! other = flyte.TaskEnvironment("other", image={"a": base, "b": choose()}["a"])
//! ```

use rustpython_ast::{self as ast, Expr};

use super::constant::Constant;
use super::evaluate::{Evaluator, MAX_CALLS, Outcome, Scope, Stuck, expression_at, root_of};
use super::scope::{Frame, Local};
use crate::project::FileId;
use crate::project::link::Target;
use crate::python::Ranged;
use crate::python::ast::name::Name;
use crate::python::scope::{BindingId, BindingKind};

/// How the rest of the project gets at something: by a name at the top level, and by an attribute of the class that it
/// stands for.
pub type Key = (FileId, BindingId, Vec<Name>);

/// An expression, and where it is read.
#[derive(Debug)]
pub struct Item<'a> {
    /// The file.
    pub file: FileId,
    /// The scopes around it.
    pub frames: Vec<Frame<'a>>,
    /// The expression.
    pub expr: &'a Expr,
    /// The name that stands for it, if there is one.
    pub key: Option<Key>,
}

impl<'a> Item<'a> {
    /// An expression that is read in a scope.
    pub fn new(scope: Scope<'_, 'a>, expr: &'a Expr) -> Self {
        Self { file: scope.file, frames: scope.frames.to_vec(), expr, key: None }
    }

    /// Where it is read.
    pub fn scope(&self) -> Scope<'_, 'a> {
        Scope { file: self.file, frames: &self.frames }
    }
}

/// What a list or a dict has at an index, if anything.
type Entry<'a> = Result<Option<Item<'a>>, Stuck>;

impl<'a> Evaluator<'a> {
    /// What a list or a dict holds at an index; `None` if it certainly holds nothing there. It is a value that cannot
    /// change itself.
    ///
    /// # Errors
    /// [`Stuck`] if it cannot be told whether it holds something there.
    pub fn entry_value(
        &self,
        scope: Scope<'_, 'a>,
        expr: &'a Expr,
        index: &Constant,
    ) -> Result<Option<Outcome>, Stuck> {
        let stuck = Stuck { place: scope.place(expr.range()) };
        Ok(self.entry(scope, expr, index, 0)?.map(|item| {
            let value = self.evaluate(item.scope(), item.expr);
            value.ok().filter(|value| value.changeable().is_none()).ok_or(stuck)
        }))
    }

    /// The expression for what a list or a dict holds at an index; `None` if it certainly holds nothing there. `level`
    /// tells how deep the list or dict lies in what names stand for.
    ///
    /// # Errors
    /// [`Stuck`] if that cannot be told.
    pub fn entry(&self, scope: Scope<'_, 'a>, expr: &'a Expr, index: &Constant, level: usize) -> Entry<'a> {
        self.entry_of(scope, expr, index, (level, 0))
    }

    /// `depth` tells how many steps led there.
    fn entry_of(
        &self,
        scope: Scope<'_, 'a>,
        expr: &'a Expr,
        index: &Constant,
        (level, depth): (usize, usize),
    ) -> Entry<'a> {
        let stuck = || Stuck { place: scope.place(expr.range()) };
        if depth == MAX_CALLS {
            return Err(stuck());
        }
        let of = |expr: &'a Expr| self.entry_of(scope, expr, index, (level, depth + 1));
        match expr {
            Expr::Dict(dict) => {
                let mut found = None;
                for item in &dict.items {
                    found = match &item.key {
                        Some(key) if self.evaluate(scope, key)?.equals(index) => {
                            Some(Item::new(scope, &item.value))
                        }
                        Some(_) => found,
                        None => of(&item.value)?.or(found),
                    };
                }
                Ok(found)
            }
            Expr::BinOp(ast::ExprBinOp { op: ast::Operator::BitOr, left, right, .. }) => {
                let left = of(left)?;
                Ok(of(right)?.or(left))
            }
            Expr::Call(call) if self.is_dict(scope, &call.func) => {
                let mut found = None;
                for argument in &call.arguments.args {
                    found = of(argument)?.or(found);
                }
                for keyword in &call.arguments.keywords {
                    found = match &keyword.arg {
                        Some(name) if Constant::Str(name.to_string()).equals(index) => {
                            Some(Item::new(scope, &keyword.value))
                        }
                        Some(_) => found,
                        None => of(&keyword.value)?.or(found),
                    };
                }
                Ok(found)
            }
            Expr::List(ast::ExprList { elts, .. }) | Expr::Tuple(ast::ExprTuple { elts, .. })
                if !elts.iter().any(Expr::is_starred_expr) =>
            {
                let position = index.position(elts.len()).ok_or_else(stuck)?;
                let element = position.and_then(|position| elts.get(position));
                Ok(element.map(|element| Item::new(scope, element)))
            }
            Expr::Subscript(inner) => {
                let key = self.evaluate(scope, &inner.slice)?;
                let inner = self.entry_of(scope, &inner.value, &key, (level + 1, depth + 1))?;
                let item = inner.ok_or_else(stuck)?;
                self.entry_of(item.scope(), item.expr, index, (level, depth + 1))
            }
            _ => {
                let item = self.stands_for(scope, expr, Some(level))?;
                self.entry_of(item.scope(), item.expr, index, (level, depth + 1))
            }
        }
    }

    fn is_dict(&self, scope: Scope<'_, 'a>, callee: &'a Expr) -> bool {
        matches!(self.chain(scope, callee), Ok((Constant::Name(path), rest)) if path == "dict" && rest.is_empty())
    }

    /// The expression that a name stands for, or an attribute of a class; what is in it down to `level` does not change.
    ///
    /// # Errors
    /// [`Stuck`] if it cannot be told.
    pub fn stands_for(
        &self,
        scope: Scope<'_, 'a>,
        expr: &'a Expr,
        level: Option<usize>,
    ) -> Result<Item<'a>, Stuck> {
        let stuck = Stuck { place: scope.place(expr.range()) };
        let name = root_of(expr).ok_or(stuck)?;
        for (depth, frame) in scope.frames.iter().enumerate().rev() {
            let is_innermost = depth + 1 == scope.frames.len();
            if frame.class.is_some() && !is_innermost {
                continue;
            }
            if frame.values().is_some_and(|values| values.known.contains_key(name.id.as_str())) {
                return Err(stuck);
            }
            let Some(local) = frame.local(&name.id, is_innermost.then_some(name.range.start())) else {
                continue;
            };
            let Local::Assigned(value) = local else { return Err(stuck) };
            // What is read more than once may have been changed in between.
            if !expr.is_name_expr() || level.is_some() && frame.reads(&name.id) > 1 {
                return Err(stuck);
            }
            let frames = scope.frames[..=depth].to_vec();
            let key = self.key_in_class(scope.file, &frames, &name.id);
            return Ok(Item { file: scope.file, frames, expr: value, key });
        }
        let Target::Binding(file, binding, rest) = self.global(scope, expr, name)? else { return Err(stuck) };
        let key = (file, binding, rest);
        match key.2.as_slice() {
            [] => {
                let expr = self.assigned(file, binding).ok_or(stuck)?;
                if self.changes.may_change_at((file, binding), level) {
                    return Err(stuck);
                }
                Ok(Item { file, frames: Vec::new(), expr, key: Some(key) })
            }
            [field] => {
                let (frame, expr) = self.class_attribute(file, binding, field).ok_or(stuck)?;
                if self.changes.may_change_at((file, binding), level.map(|level| level + 1)) {
                    return Err(stuck);
                }
                Ok(Item { file, frames: vec![frame], expr, key: Some(key) })
            }
            _ => Err(stuck),
        }
    }

    /// How the rest of the project gets at a name of a class at the top level.
    fn key_in_class(&self, file: FileId, frames: &[Frame<'a>], name: &Name) -> Option<Key> {
        let [frame] = frames else { return None };
        let bindings = &self.project.facts(file)?.module.bindings;
        let class = frame.class?.name.range;
        let binding = bindings.iter().position(|binding| binding.range == class && binding.is_global)?;
        Some((file, binding, vec![name.clone()]))
    }

    /// The expression that is assigned to a name at the top level.
    fn assigned(&self, file: FileId, binding: BindingId) -> Option<&'a Expr> {
        let bound = &self.project.facts(file)?.module.bindings[binding];
        let BindingKind::Assignment { value, .. } = &bound.kind else { return None };
        let tree = self.trees.get(self.project, file)?;
        let is_certain =
            !self.changes.may_rebind(file, &bound.name) && tree.loop_around(bound.range.start()).is_none();
        expression_at(&tree.body()[bound.owner], value.range).filter(|_| is_certain)
    }
}
