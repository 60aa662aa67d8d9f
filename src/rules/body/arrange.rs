//! The order in which the statements of a block run, and which calls run side by side.
//!
//! Flyte 1 runs a workflow along its data flow: calls that do not depend on each other run at the same time.
//! On Flyte 2 a body runs line by line, so that calls of one level of the data flow are gathered.
//!
//! ```python
//! a = left(n=n)
//! b = right(n=n)                       # a, b = await asyncio.gather(left.aio(n=n), right.aio(n=n))
//! return total(a=a, b=b)               # return await total.aio(a=a, b=b)
//! ```
//!
//! Only runs of plain statements are looked at: assignments and expressions made of calls of entities, names, displays
//! and calls of what is not the project's. Flyte 1 made the latter while it read the body, before any task ran; they keep
//! their order. Everything else stays where it is, and nothing moves over it.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::BodyContext;
use super::calls::{Kind, NodeCall};
use super::mapper::{Mapper, key};
use super::maps;
use super::order;
use super::values::Values;
use crate::flyte2::chain::{Argument, Call, Chain};
use crate::flyte2::layout::{Place, layout};
use crate::flyte2::lines::dedent_code;
use crate::project::graph::{EntityKind, NodeId};
use crate::project::link::Target;
use crate::python::Ranged;
use crate::python::annotation::Definition;
use crate::python::ast::visitor::source_order::{self, SourceOrderVisitor};
use crate::python::ast::{self, Expr, Stmt};
use crate::python::items::{indentation_at, line_start, next_line_start};
use crate::python::scope::{Binding, BindingKind};
use crate::source::{TextRange, TextSize};

/// A call, or a list of calls made by a comprehension, that can be gathered.
#[derive(Debug)]
struct Item<'a> {
    range: TextRange,
    /// Names for its result, the best first, if it has to get one.
    names: Vec<&'a str>,
    /// Whether it is all of the value of its statement.
    is_top: bool,
    /// Whether it makes several calls by itself.
    is_list: bool,
    reads: Vec<&'a str>,
    nested: Vec<usize>,
    level: usize,
}

/// A statement of a run.
#[derive(Debug)]
struct Line<'a> {
    /// Its index in the block.
    index: usize,
    items: Vec<usize>,
    reads: Vec<&'a str>,
    writes: Vec<&'a str>,
    level: usize,
    is_return: bool,
    /// Calls in it that may do more than give a value, each with the call of an entity that it stands in.
    effects: Vec<Option<usize>>,
}

/// Statements between which calls may move.
#[derive(Debug, Default)]
pub(super) struct Run<'a> {
    lines: Vec<Line<'a>>,
    items: Vec<Item<'a>>,
    /// Pairs of variables: the first must be there before the second is computed.
    orders: Vec<(&'a str, &'a str)>,
    /// The same for variables of other runs, between which nothing moves, and the place that says so.
    strays: Vec<(&'a str, &'a str, TextRange)>,
}

impl<'a> Run<'a> {
    /// All of a block, as if every statement could move; it tells how many calls Flyte 1 ran side by side.
    fn loose(cx: &BodyContext<'_>, values: &Values<'a>, block: &'a [Stmt]) -> Self {
        let mut run = Self::default();
        for (index, stmt) in block.iter().enumerate() {
            if let Some(order) = order::Order::of(cx, values, stmt).filter(order::Order::is_named) {
                run.orders.extend(order.pairs());
                continue;
            }
            let mut reader = Reader::new(cx, values, run.items.len());
            let line = reader.line(index, stmt).unwrap_or_else(|| {
                reader = Reader::new(cx, values, run.items.len());
                reader.loose_line(index, stmt)
            });
            run.items.append(&mut reader.items);
            run.lines.push(line);
        }
        run.find_loose_levels();
        run
    }

    /// The same as [`Self::find_levels`] where names may be bound anew: what is read is what was bound last.
    fn find_loose_levels(&mut self) {
        let mut last: HashMap<&str, usize> = HashMap::new();
        for _ in 0..=self.orders.len() {
            let mut ready: HashMap<&str, usize> = HashMap::new();
            for line in &mut self.lines {
                let of = |names: &[&str]| {
                    names.iter().filter_map(|name| ready.get(name)).copied().max().unwrap_or(0)
                };
                // What must come first may stand below.
                let ordered = self.orders.iter().filter(|(_, later)| line.writes.contains(later));
                let ordered = ordered.filter_map(|(earlier, _)| ready.get(earlier).or(last.get(earlier)));
                let ordered = ordered.copied().max().unwrap_or(0);
                line.level = of(&line.reads).max(ordered);
                for &item in &line.items {
                    let nested = self.items[item].nested.iter().map(|&nested| self.items[nested].level).max();
                    let first = of(&self.items[item].reads).max(nested.unwrap_or(0)).max(ordered);
                    self.items[item].level = first + 1;
                    line.level = line.level.max(first + 1);
                }
                ready.extend(line.writes.iter().map(|name| (*name, line.level)));
            }
            last = ready;
        }
    }

    /// The runs of a block, as far as statements can move: what shares a line with another stays.
    pub(super) fn all(cx: &BodyContext<'_>, values: &Values<'a>, block: &'a [Stmt]) -> Vec<Self> {
        let can_move = |stmt: &Stmt| !shares_line(cx.text, stmt);
        let mut runs = vec![Self::default()];
        for (index, stmt) in block.iter().enumerate() {
            if let Some(order) = order::Order::of(cx, values, stmt).filter(order::Order::is_named) {
                for (earlier, later) in order.pairs() {
                    Self::set_order(&mut runs, values, (earlier, later), stmt.range());
                }
                continue;
            }
            let Some(run) = runs.last_mut() else { break };
            let joins = can_move(stmt) && run.join(cx, values, index, stmt);
            if !joins {
                let mut next = Self::default();
                if can_move(stmt) {
                    next.join(cx, values, index, stmt);
                }
                runs.push(next);
            }
        }
        runs.retain(|run| !run.lines.is_empty() || !run.strays.is_empty());
        runs.iter_mut().for_each(Self::find_levels);
        runs
    }

    /// Takes a statement into the run, if calls may move over it and it may be among those that are there.
    fn join(&mut self, cx: &BodyContext<'_>, values: &Values<'a>, index: usize, stmt: &'a Stmt) -> bool {
        let mut reader = Reader::new(cx, values, self.items.len());
        let Some(line) = reader.line(index, stmt) else { return false };
        // A line that reads what it binds anew comes first of its run, and nothing joins it.
        let rebinds = |line: &Line<'_>| line.writes.iter().any(|name| line.reads.contains(name));
        let is_first = self.lines.is_empty();
        let conflicts = !is_first && (rebinds(&line) || self.lines.last().is_some_and(rebinds))
            || line.writes.iter().any(|name| {
                self.lines.iter().any(|other| other.reads.contains(name) || other.writes.contains(name))
            });
        if conflicts {
            return false;
        }
        let items = self.items.len();
        self.items.append(&mut reader.items);
        self.lines.push(line);
        self.find_levels();
        if is_first || self.keeps_effects() {
            return true;
        }
        self.items.truncate(items);
        self.lines.pop();
        self.find_levels();
        false
    }

    /// Whether what may do more than give a value is evaluated in the order of the source.
    fn keeps_effects(&self) -> bool {
        let groups = self.groups();
        let mut last = None;
        for line in &self.lines {
            for effect in &line.effects {
                let item = effect.filter(|item| {
                    groups.get(&self.items[*item].level).is_some_and(|group| group.contains(item))
                });
                let place = match item {
                    Some(item) => (self.items[item].level, 0, item),
                    None => (line.level, 1, line.index),
                };
                if last.is_some_and(|last| place < last) {
                    return false;
                }
                last = Some(place);
            }
        }
        true
    }

    /// Gives an order to the run that computes both variables, which may end above the place that says so.
    fn set_order(runs: &mut [Self], values: &Values<'a>, order: (&'a str, &'a str), place: TextRange) {
        let (earlier, later) = order;
        let is_certain = values.only(earlier).is_some() && values.only(later).is_some();
        let last = runs.len() - 1;
        let home = runs.iter().rposition(|run| run.writes(earlier) && run.writes(later));
        match home.filter(|&home| home == last || is_certain) {
            Some(home) => runs[home].orders.push(order),
            None => runs[last].strays.push((earlier, later, place)),
        }
    }

    fn writes(&self, name: &str) -> bool {
        self.lines.iter().any(|line| line.writes.contains(&name))
    }

    /// Each call comes behind all that it reads, and behind what it is ordered behind.
    fn find_levels(&mut self) {
        let rounds = self.lines.len() + 1;
        for _ in 0..rounds {
            let mut ready: HashMap<&str, usize> = HashMap::new();
            for line in &self.lines {
                ready.extend(line.writes.iter().map(|name| (*name, line.level)));
            }
            let of =
                |names: &[&str]| names.iter().filter_map(|name| ready.get(name)).copied().max().unwrap_or(0);
            let before = self.levels();
            for line in &mut self.lines {
                let ordered = self.orders.iter().filter(|(_, later)| line.writes.contains(later));
                let ordered =
                    ordered.filter_map(|(earlier, _)| ready.get(earlier)).copied().max().unwrap_or(0);
                let mut level = of(&line.reads);
                for &item in &line.items {
                    let nested = self.items[item].nested.iter().map(|&nested| self.items[nested].level).max();
                    let first = of(&self.items[item].reads).max(nested.unwrap_or(0)).max(ordered);
                    self.items[item].level = first + 1;
                    level = level.max(first + 1);
                }
                line.level = level;
            }
            let last = self.lines.iter().map(|line| line.level).max().unwrap_or(0);
            self.lines.iter_mut().filter(|line| line.is_return).for_each(|line| line.level = last);
            if self.levels() == before {
                return;
            }
        }
    }

    fn levels(&self) -> Vec<usize> {
        self.lines.iter().map(|line| line.level).chain(self.items.iter().map(|item| item.level)).collect()
    }

    /// The items of each level that holds several.
    fn groups(&self) -> BTreeMap<usize, Vec<usize>> {
        let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (id, item) in self.items.iter().enumerate() {
            groups.entry(item.level).or_default().push(id);
        }
        groups.retain(|_, items| items.len() > 1);
        groups
    }

    /// How many calls would run side by side with another.
    pub(super) fn independent(&self) -> usize {
        let lists = self.items.iter().filter(|item| item.is_list).count();
        self.groups().values().map(Vec::len).sum::<usize>().max(lists)
    }

    /// Whether a statement stands before one that must run first.
    fn is_out_of_order(&self) -> bool {
        let place = |name: &str| self.lines.iter().position(|line| line.writes.contains(&name));
        self.orders.iter().any(|(earlier, later)| place(earlier) > place(later))
    }
}

/// Reads one statement.
struct Reader<'c, 'a> {
    cx: &'c BodyContext<'c>,
    values: &'c Values<'a>,
    items: Vec<Item<'a>>,
    reads: Vec<&'a str>,
    /// Places in the source of calls that may do more than give a value.
    effects: Vec<TextSize>,
    /// The number of items before those of this statement.
    offset: usize,
}

impl<'c, 'a> Reader<'c, 'a> {
    fn new(cx: &'c BodyContext<'c>, values: &'c Values<'a>, offset: usize) -> Self {
        Self { cx, values, items: Vec::new(), reads: Vec::new(), effects: Vec::new(), offset }
    }

    /// The statement, if calls may move over it.
    fn line(&mut self, index: usize, stmt: &'a Stmt) -> Option<Line<'a>> {
        let mut writes = Vec::new();
        let value = match stmt {
            Stmt::Assign(assign) => {
                let [target] = &assign.targets[..] else { return None };
                names_of(target, &mut writes)?;
                Some(&*assign.value)
            }
            Stmt::AnnAssign(assign) => {
                names_of(&assign.target, &mut writes)?;
                Some(assign.value.as_deref()?)
            }
            Stmt::Expr(statement) => {
                NodeCall::of(self.cx, self.values, &statement.value)?;
                Some(&*statement.value)
            }
            Stmt::Return(statement) => statement.value.as_deref(),
            _ => return None,
        };
        if let Some(value) = value {
            self.expr(value, &[])?;
            let range = value.range();
            self.items.iter_mut().filter(|item| item.range == range).for_each(|item| item.is_top = true);
        }
        let items = (self.offset..self.offset + self.items.len()).collect();
        let reads = std::mem::take(&mut self.reads);
        let effects = self.effects.iter().map(|&place| self.item_around(place)).collect();
        Some(Line { index, items, reads, writes, level: 0, is_return: stmt.is_return_stmt(), effects })
    }

    /// A statement that does not move: the calls that it makes itself, and the names that it reads and may change.
    fn loose_line(&mut self, index: usize, stmt: &'a Stmt) -> Line<'a> {
        let mut loose = Loose { reader: self, writes: Vec::new() };
        loose.visit_stmt(stmt);
        let writes = loose.writes;
        let items = (self.offset..self.offset + self.items.len()).collect();
        let reads = std::mem::take(&mut self.reads);
        Line { index, items, reads, writes, level: 0, is_return: stmt.is_return_stmt(), effects: Vec::new() }
    }

    /// The outermost call of an entity that a place stands in.
    fn item_around(&self, place: TextSize) -> Option<usize> {
        let items = self.items.iter().enumerate().filter(|(_, item)| item.range.contains(place));
        items.max_by_key(|(_, item)| item.range.len()).map(|(item, _)| self.offset + item)
    }

    /// Reads an expression; `None` if it does more than call entities and put values together. The calls in it that
    /// stand in no other come back.
    fn expr(&mut self, expr: &'a Expr, names: &[&'a str]) -> Option<Vec<usize>> {
        match expr {
            Expr::Name(name) => {
                self.reads.push(&name.id);
                Some(Vec::new())
            }
            _ if expr.is_literal_expr() => Some(Vec::new()),
            Expr::Attribute(attribute) => self.expr(&attribute.value, names),
            Expr::Subscript(subscript) => self.all([&*subscript.value, &*subscript.slice], names),
            Expr::List(list) => self.all(&list.elts, names),
            Expr::Tuple(tuple) => self.all(&tuple.elts, names),
            Expr::Dict(dict) => {
                let keys = dict.items.iter().filter_map(|item| item.key.as_ref());
                self.all(keys.chain(dict.items.iter().map(|item| &item.value)), names)
            }
            Expr::BinOp(operation) => self.all([&*operation.left, &*operation.right], names),
            Expr::UnaryOp(operation) => self.expr(&operation.operand, names),
            Expr::ListComp(comprehension)
                if let Some(call) = gathered_element(self.cx, self.values, comprehension) =>
            {
                self.comprehension(expr, comprehension, &call, names)
            }
            Expr::Call(call) => self.call(expr, call, names),
            Expr::FString(_)
            | Expr::Compare(_)
            | Expr::BoolOp(_)
            | Expr::If(_)
            | Expr::Set(_)
            | Expr::Slice(_)
            | Expr::ListComp(_)
            | Expr::SetComp(_)
            | Expr::DictComp(_) => self.value(expr),
            _ => None,
        }
    }

    /// An expression that holds no call of an entity, and of which not all parts need be evaluated.
    fn value(&mut self, expr: &'a Expr) -> Option<Vec<usize>> {
        let mut plain = Plain { reader: self, own: Vec::new(), holds_none: true };
        plain.visit_expr(expr);
        let (own, holds_none) = (plain.own, plain.holds_none);
        self.reads.retain(|name| !own.contains(name));
        holds_none.then(Vec::new)
    }

    fn all(&mut self, exprs: impl IntoIterator<Item = &'a Expr>, names: &[&'a str]) -> Option<Vec<usize>> {
        let mut items = Vec::new();
        for expr in exprs {
            items.extend(self.expr(expr, names)?);
        }
        Some(items)
    }

    /// `[f(n=i) for i in ns]`
    fn comprehension(
        &mut self,
        expr: &'a Expr,
        comprehension: &'a ast::ExprListComp,
        call: &NodeCall<'a>,
        names: &[&'a str],
    ) -> Option<Vec<usize>> {
        let before = self.reads.len();
        let mut own = Vec::new();
        for generator in &comprehension.generators {
            names_of(&generator.target, &mut own)?;
            let calls = self.all(std::iter::once(&generator.iter).chain(&generator.ifs), names)?;
            calls.is_empty().then_some(())?;
        }
        let arguments = call.call.arguments.arguments_source_order().map(ast::ArgOrKeyword::value);
        for argument in arguments {
            self.expr(argument, names)?.is_empty().then_some(())?;
        }
        self.reads.retain(|name| !own.contains(name));
        Some(vec![self.push(expr.range(), names, before.min(self.reads.len()), Vec::new(), true)])
    }

    fn call(&mut self, expr: &'a Expr, call: &'a ast::ExprCall, names: &[&'a str]) -> Option<Vec<usize>> {
        let before = self.reads.len();
        let Some(node) = NodeCall::of(self.cx, self.values, expr) else {
            self.outside(call)?;
            let arguments = call.arguments.arguments_source_order().map(ast::ArgOrKeyword::value);
            return self.all(arguments, names);
        };
        if let Kind::Mapped(map) = &node.kind
            && !maps::is_gathered(self.cx, map)
        {
            return None;
        }
        let skip = usize::from(matches!(node.kind, Kind::Created));
        let mut nested = Vec::new();
        for argument in node.call.arguments.arguments_source_order().skip(skip) {
            let own = match argument {
                ast::ArgOrKeyword::Keyword(keyword) => keyword.arg.as_deref(),
                ast::ArgOrKeyword::Arg(_) => None,
            };
            nested.extend(self.expr(argument.value(), &own.into_iter().collect::<Vec<_>>())?);
        }
        for outer in &node.overrides {
            for keyword in &outer.arguments.keywords {
                self.settings(&keyword.value);
            }
        }
        if let Kind::Mapped(map) = &node.kind {
            map.bound().for_each(|keyword| self.settings(&keyword.value));
        }
        Some(vec![self.push(expr.range(), names, before, nested, false)])
    }

    /// A call of what is no entity: `None` if it may reach one, or change what a name holds.
    fn outside(&mut self, call: &'a ast::ExprCall) -> Option<()> {
        match callee(self.cx, self.values, &call.func)? {
            Callee::Pure => {}
            Callee::Effect => self.effects.push(call.start()),
        }
        if let Expr::Attribute(method) = &*call.func
            && !method.value.is_name_expr()
        {
            self.value(&method.value)?;
        } else if let Some(root) = root_of(&call.func) {
            self.reads.push(root);
        }
        Some(())
    }

    /// Names in `Resources(cpu=CPU)`, in what `partial` binds, and the like.
    fn settings(&mut self, expr: &'a Expr) {
        let mut names = maps::NamesRead::default();
        names.visit_expr(expr);
        self.reads.append(&mut names.names);
    }

    fn push(
        &mut self,
        range: TextRange,
        names: &[&'a str],
        first_read: usize,
        nested: Vec<usize>,
        is_list: bool,
    ) -> usize {
        let reads = self.reads[first_read..].to_vec();
        self.items.push(Item {
            range,
            names: names.to_vec(),
            is_top: false,
            is_list,
            reads,
            nested,
            level: 0,
        });
        self.offset + self.items.len() - 1
    }
}

/// The call that a comprehension makes for each element, if the calls may be gathered.
pub(super) fn gathered_element<'a>(
    cx: &BodyContext<'_>,
    values: &Values<'a>,
    comprehension: &'a ast::ExprListComp,
) -> Option<NodeCall<'a>> {
    let call = NodeCall::of(cx, values, &comprehension.elt)?;
    let is_plain = !matches!(call.kind, Kind::Mapped(_));
    (is_plain && comprehension.generators.iter().all(|generator| !generator.is_async)).then_some(call)
}

/// Reads a statement that does not move.
struct Loose<'r, 'c, 'a> {
    reader: &'r mut Reader<'c, 'a>,
    writes: Vec<&'a str>,
}

impl<'a> Loose<'_, '_, 'a> {
    fn names(&mut self, expr: &'a Expr) {
        let mut names = maps::NamesRead::default();
        names.visit_expr(expr);
        self.reader.reads.extend(names.names);
    }
}

/// `conditional(…).if_(…).then(…)…`
fn is_conditional(cx: &BodyContext<'_>, expr: &Expr) -> bool {
    match expr {
        Expr::Call(call) => cx.is_flyte1(&call.func, "conditional") || is_conditional(cx, &call.func),
        Expr::Attribute(attribute) => is_conditional(cx, &attribute.value),
        _ => false,
    }
}

impl<'a> SourceOrderVisitor<'a> for Loose<'_, '_, 'a> {
    // The statements in it are counted by themselves.
    fn visit_body(&mut self, body: &'a [Stmt]) {
        let mut names = maps::NamesRead::default();
        names.visit_body(body);
        self.reader.reads.extend(names.names.iter().copied());
        self.writes.extend(names.names);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if name.ctx == ast::ExprContext::Load => self.reader.reads.push(&name.id),
            Expr::Name(name) => self.writes.push(&name.id),
            Expr::Attribute(ast::ExprAttribute { ctx, .. })
            | Expr::Subscript(ast::ExprSubscript { ctx, .. })
                if *ctx != ast::ExprContext::Load =>
            {
                self.writes.extend(root_of(expr));
                source_order::walk_expr(self, expr);
            }
            Expr::Call(_) if NodeCall::of(self.reader.cx, self.reader.values, expr).is_some() => {
                let before = self.reader.reads.len();
                let inner = self.reader.offset + self.reader.items.len();
                source_order::walk_expr(self, expr);
                let nested = (inner..self.reader.offset + self.reader.items.len()).collect();
                self.reader.push(expr.range(), &[], before, nested, false);
            }
            // One of several runs, or they run one after another, or are counted as repeated.
            Expr::Call(_) if is_conditional(self.reader.cx, expr) => {
                let before = self.reader.reads.len();
                self.names(expr);
                self.reader.push(expr.range(), &[], before, Vec::new(), false);
            }
            Expr::If(_)
            | Expr::BoolOp(_)
            | Expr::Lambda(_)
            | Expr::ListComp(_)
            | Expr::SetComp(_)
            | Expr::DictComp(_)
            | Expr::Generator(_) => self.names(expr),
            Expr::BinOp(operation) if operation.op == ast::Operator::RShift => self.names(expr),
            // `results.append(step(n=1))`
            Expr::Call(call) => {
                self.writes.extend(root_of(&call.func).filter(|_| call.func.is_attribute_expr()));
                source_order::walk_expr(self, expr);
            }
            _ => source_order::walk_expr(self, expr),
        }
    }
}

/// Reads an expression in which no entity is called.
struct Plain<'r, 'c, 'a> {
    reader: &'r mut Reader<'c, 'a>,
    /// The variables of comprehensions in it.
    own: Vec<&'a str>,
    /// Whether no entity may be called in it.
    holds_none: bool,
}

impl<'a> SourceOrderVisitor<'a> for Plain<'_, '_, 'a> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => self.reader.reads.push(&name.id),
            Expr::Call(call) => {
                let is_node = NodeCall::of(self.reader.cx, self.reader.values, expr).is_some();
                self.holds_none &= !is_node && self.reader.outside(call).is_some();
                call.arguments
                    .arguments_source_order()
                    .for_each(|argument| self.visit_expr(argument.value()));
                return;
            }
            Expr::Lambda(_) | Expr::Named(_) | Expr::Await(_) | Expr::Yield(_) | Expr::YieldFrom(_) => {
                self.holds_none = false;
            }
            _ => {}
        }
        source_order::walk_expr(self, expr);
    }

    fn visit_comprehension(&mut self, comprehension: &'a ast::Comprehension) {
        self.holds_none &= names_of(&comprehension.target, &mut self.own).is_some();
        source_order::walk_comprehension(self, comprehension);
    }
}

/// What a call of something that is no entity does.
enum Callee {
    /// It gives a value that depends on nothing but what it is given.
    Pure,
    /// It may do anything, but no more than Flyte 1 did before it ran a task.
    Effect,
}

/// What a call does whose callee is certainly a builtin, something of a library, a method that gives another value, a
/// class of the project, or a function of it that reaches nothing of Flyte.
fn callee(cx: &BodyContext<'_>, values: &Values<'_>, func: &Expr) -> Option<Callee> {
    const PURE: [&str; 24] = [
        "range",
        "len",
        "list",
        "tuple",
        "dict",
        "set",
        "str",
        "int",
        "float",
        "bool",
        "zip",
        "abs",
        "min",
        "max",
        "sum",
        "round",
        "sorted",
        "reversed",
        "enumerate",
        "repr",
        "pow",
        "divmod",
        "any",
        "all",
    ];
    const METHODS: [&str; 24] = [
        "format",
        "join",
        "lower",
        "upper",
        "title",
        "strip",
        "lstrip",
        "rstrip",
        "split",
        "replace",
        "zfill",
        "joinpath",
        "with_suffix",
        "with_name",
        "as_posix",
        "resolve",
        "isoformat",
        "total_seconds",
        "strftime",
        "date",
        "items",
        "keys",
        "values",
        "get",
    ];
    const PATHS: [&str; 7] = [
        "os.path.join",
        "os.path.basename",
        "os.path.dirname",
        "pathlib.Path",
        "datetime.timedelta",
        "datetime.datetime",
        "datetime.date",
    ];
    let method = func.as_attribute_expr().map(|method| method.attr.as_str());
    let of_method = || method.filter(|method| METHODS.contains(method)).map(|_| Callee::Pure);
    let Some(root) = root_of(func) else { return of_method() };
    let module = &cx.facts.module;
    let mut bindings = module.bindings.iter().filter(|binding| binding.name == root).peekable();
    let is_builtin = bindings.peek().is_none() && !values.binds(root);
    match (func, cx.reference(func)) {
        (Expr::Name(_), None) if is_builtin => PURE.contains(&root).then_some(Callee::Pure),
        (_, None) if values.binds(root) => of_method(),
        (_, None) => {
            let path = library_path(&mut bindings, func)?;
            Some(if PATHS.contains(&path.as_str()) { Callee::Pure } else { Callee::Effect })
        }
        (_, Some(reference)) => match cx.project.resolve(cx.file, reference) {
            [Target::External(path)] if PATHS.contains(&path.as_str()) => Some(Callee::Pure),
            [Target::External(_)] => Some(Callee::Effect),
            [Target::Binding(file, binding, rest)] if rest.is_empty() => {
                let facts = cx.project.facts(*file)?;
                let owner = facts.module.bindings[*binding].owner;
                match facts.module.definitions.get(&owner)? {
                    Definition::Class { .. } | Definition::Made(_) => Some(Callee::Pure),
                    Definition::Function { .. } => {
                        (!cx.graph.reaches_flyte(cx.project, *file, owner)).then_some(Callee::Effect)
                    }
                }
            }
            [Target::Binding(..)] => of_method(),
            _ => None,
        },
    }
}

/// The dotted path of what is called, if all bindings of its first name import the same from a library.
fn library_path<'b>(bindings: &mut impl Iterator<Item = &'b Binding>, func: &Expr) -> Option<String> {
    let first = bindings.next()?;
    let BindingKind::Import(import) = &first.kind else { return None };
    let is_same = import.level == 0 && bindings.all(|other| other.kind == first.kind);
    let attributes = std::iter::successors(Some(func), |func| match func {
        Expr::Attribute(attribute) => Some(&*attribute.value),
        _ => None,
    });
    let mut names: Vec<&str> =
        attributes.filter_map(|func| Some(func.as_attribute_expr()?.attr.as_str())).collect();
    names.reverse();
    let path = std::iter::once(import.dotted()).chain(names.into_iter().map(str::to_owned));
    is_same.then(|| path.collect::<Vec<_>>().join("."))
}

/// The name that a chain of attributes and items begins with.
fn root_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => root_of(&attribute.value),
        Expr::Subscript(subscript) => root_of(&subscript.value),
        _ => None,
    }
}

/// The names of a target; `None` if it is more than names.
fn names_of<'a>(target: &'a Expr, names: &mut Vec<&'a str>) -> Option<()> {
    match target {
        Expr::Name(name) => names.push(&name.id),
        Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
            for element in elts {
                names_of(element, names)?;
            }
        }
        _ => return None,
    }
    Some(())
}

/// Whether another statement stands on the lines of this one.
fn shares_line(text: &str, stmt: &Stmt) -> bool {
    let before = &text[TextRange::new(line_start(text, stmt.start()), stmt.start())];
    let behind = text[TextRange::new(stmt.end(), next_line_start(text, stmt.end()))].trim_start();
    !before.trim().is_empty() || !(behind.is_empty() || behind.starts_with('#'))
}

/// A block is done: its statements go, are wrapped and are put in order.
pub(super) fn block<'a>(mapper: &mut Mapper<'a>, block: &'a [Stmt]) {
    let entity = mapper.cx.graph.entity(mapper.node);
    let Some(kind) = entity.map(|entity| entity.kind).filter(|kind| *kind != EntityKind::Task) else {
        return;
    };
    // What is `@eager` says itself what waits for what.
    let runs = if kind.is_flow() { Run::all(mapper.cx, mapper.values(), block) } else { Vec::new() };
    let mut rearranged = HashSet::new();
    for run in &runs {
        for &(earlier, later, range) in &run.strays {
            if !order::is_above(mapper.values(), earlier, later) {
                order::refuse(mapper, range, earlier, later);
            }
        }
        let is_gathered = mapper.gathers() && !run.groups().is_empty();
        if is_gathered || run.is_out_of_order() {
            let members: Vec<usize> = run.lines.iter().map(|line| line.index).collect();
            let (Some(&first), Some(&last)) = (members.first(), members.last()) else { continue };
            Writer { mapper, block, run, names: HashSet::new() }.write(first, last);
            rearranged.extend(first..=last);
        }
    }
    for (index, stmt) in block.iter().enumerate().filter(|(index, _)| !rearranged.contains(index)) {
        if is_dropped(mapper, stmt) {
            let is_end = block[index..].iter().all(|stmt| is_dropped(mapper, stmt));
            remove(mapper, stmt, is_end, index == 0 && is_end);
        } else if let Some((range, class)) = wrapped(mapper, stmt) {
            mapper.rewriter.surround(range, &format!("{class}(*"), ")");
        }
    }
}

fn is_dropped(mapper: &Mapper<'_>, stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Assign(assign) => mapper.dropped.contains(&assign.value.range()),
        Stmt::Expr(statement) => mapper.dropped.contains(&statement.value.range()),
        _ => false,
    }
}

fn wrapped(mapper: &Mapper<'_>, stmt: &Stmt) -> Option<(TextRange, String)> {
    let value = match stmt {
        Stmt::Assign(assign) => &*assign.value,
        Stmt::AnnAssign(assign) => assign.value.as_deref()?,
        _ => return None,
    };
    mapper.wraps.get(&key(value.range())).map(|class| (value.range(), class.clone()))
}

/// The statement goes with its line, at the end of a block with the empty lines above it; a comment behind it stays.
fn remove(mapper: &mut Mapper<'_>, stmt: &Stmt, is_end: bool, is_only: bool) {
    let text = mapper.cx.text;
    mapper.rewriter.take(stmt.range());
    if is_only || shares_line(text, stmt) {
        mapper.rewriter.replace(stmt.range(), "pass");
        return;
    }
    let end = next_line_start(text, stmt.end());
    let behind = text[TextRange::new(stmt.end(), end)].trim();
    if behind.is_empty() {
        let start = line_start(text, stmt.start());
        let above = text[..usize::from(start)].split_inclusive('\n').rev();
        let gap = above.take_while(|line| is_end && line.trim().is_empty()).map(TextSize::of);
        mapper.rewriter.replace(TextRange::new(start - gap.sum::<TextSize>(), end), "");
    } else {
        let gap = text[TextRange::new(stmt.end(), end)].len()
            - text[TextRange::new(stmt.end(), end)].trim_start().len();
        let gap = TextSize::try_from(gap).unwrap_or_default();
        mapper.rewriter.replace(TextRange::new(stmt.start(), stmt.end() + gap), "");
    }
}

/// Writes a run anew.
struct Writer<'m, 'a, 'r> {
    mapper: &'m mut Mapper<'a>,
    block: &'a [Stmt],
    run: &'r Run<'a>,
    /// Names that this run gave to results.
    names: HashSet<String>,
}

impl Writer<'_, '_, '_> {
    fn write(&mut self, first: usize, last: usize) {
        let text = self.mapper.cx.text;
        let indent = indentation_at(text, self.block[first].start()).to_owned();
        let mut pieces: Vec<String> = Vec::new();
        let is_async = self.mapper.gathers();
        let mut groups = if is_async { self.run.groups() } else { BTreeMap::new() };
        // What is put around a call by another construct cannot be gathered with it.
        for items in groups.values_mut() {
            items.retain(|&item| self.awaited(self.run.items[item].range).is_some());
        }
        groups.retain(|_, items| items.len() > 1);
        let gathered: HashSet<usize> = groups.values().flatten().copied().collect();
        let last_level = self.run.lines.iter().map(|line| line.level).max().unwrap_or(0);
        for level in 0..=last_level {
            if let Some(items) = groups.get(&level) {
                pieces.extend(self.gather(items, &indent).into_iter().map(|line| format!("{indent}{line}")));
            }
            for line in self.run.lines.iter().filter(|line| line.level == level) {
                let stmt = &self.block[line.index];
                let top = line.items.iter().find(|&&item| self.run.items[item].is_top);
                let is_done = top.is_some_and(|item| gathered.contains(item)) && !line.is_return;
                if is_done || is_dropped(self.mapper, stmt) {
                    continue;
                }
                if let Some((range, class)) = wrapped(self.mapper, stmt) {
                    self.mapper.rewriter.surround(range, &format!("{class}(*"), ")");
                }
                let leading = self.leading(line.index);
                let trailing = self.trailing(stmt).map_or(String::new(), |comment| format!("  {comment}"));
                let statement = self.mapper.rewriter.text_of(stmt.range());
                pieces.push(format!("{leading}{indent}{statement}{trailing}"));
            }
        }
        let start = self.block[first].start();
        let end = self.end_of(&self.block[last]);
        let range = TextRange::new(start, end);
        self.mapper.rewriter.take(range);
        // The first line has its indentation already, and blank lines above it.
        let text = pieces.join("\n");
        let text = text.trim_start_matches('\n');
        self.mapper.rewriter.replace(range, text.strip_prefix(indent.as_str()).unwrap_or(text));
    }

    /// The statement that gathers the calls of one level, and what unpacks named tuples behind it.
    fn gather(&mut self, items: &[usize], indent: &str) -> Vec<String> {
        let mut targets = Vec::new();
        let mut arguments = Vec::new();
        let mut behind = Vec::new();
        for &id in items {
            let item = &self.run.items[id];
            let text = self.awaited(item.range).unwrap_or_default();
            self.mapper.rewriter.take(item.range);
            let mut argument = Argument::new(dedent_code(without_await(&text), indent));
            let line = self.run.lines.iter().find(|line| line.items.contains(&id));
            let stmt = line.map(|line| (line, &self.block[line.index]));
            let target = match stmt {
                Some((line, stmt)) if item.is_top && !line.is_return => {
                    argument.leading = self.comments_above(line.index);
                    argument.trailing = self.trailing(stmt);
                    let target = self.target(stmt);
                    if let Some((_, class)) = wrapped(self.mapper, stmt) {
                        behind.push(format!("{target} = {class}(*{target})"));
                    }
                    target
                }
                _ => {
                    let name = self.fresh_name(item);
                    self.put_name(id, &text, &name);
                    name
                }
            };
            targets.push(target);
            arguments.push(argument);
        }
        let prefix = if targets.iter().all(|target| target == "_") {
            "await ".to_owned()
        } else {
            format!("{} = await ", targets.join(", "))
        };
        let asyncio = self.mapper.module("asyncio");
        let head = Call { callee: format!("{asyncio}.gather"), arguments, ..Call::default() };
        let place = Place {
            indent,
            indent_unit: &self.mapper.cx.facts.style.indent_unit,
            before: indent.chars().count() + prefix.chars().count(),
            after: 0,
            line_length: self.mapper.cx.names.line_length,
            is_bracketed: false,
        };
        let text = format!("{prefix}{}", layout(&Chain { head, ..Chain::default() }, place));
        std::iter::once(text).chain(behind).collect()
    }

    /// The new text of a call, if it is awaited; what is mapped over is part of the text of the map.
    fn awaited(&self, range: TextRange) -> Option<String> {
        let is_awaited = |text: &String| text.starts_with("await ") || text.starts_with("(await ");
        let text = Some(self.mapper.rewriter.text_of(range)).filter(is_awaited);
        let is_found = |text: &String| {
            let around = |item: &&Item<'_>| item.range != range && item.range.contains_range(range);
            let mut around = self.run.items.iter().filter(around).map(|item| item.range);
            around.all(|outer| {
                let outer =
                    self.mapper.taken_text(outer).unwrap_or_else(|| self.mapper.rewriter.text_of(outer));
                outer.contains(text.as_str())
            })
        };
        text.or_else(|| self.mapper.taken_text(range).filter(is_awaited).filter(is_found))
    }

    /// The name of a result stands where its call stood.
    fn put_name(&mut self, id: usize, text: &str, name: &str) {
        let range = self.run.items[id].range;
        if self.mapper.taken_text(range).is_none() {
            self.mapper.rewriter.replace(range, name);
            return;
        }
        let around = |item: &&Item<'_>| item.range != range && item.range.contains_range(range);
        for outer in self.run.items.iter().filter(around).map(|item| item.range) {
            if let Some(taken) = self.mapper.taken_text(outer) {
                self.mapper.keep_text(outer, taken.replacen(text, name, 1));
            } else {
                let new = self.mapper.rewriter.take(outer).replacen(text, name, 1);
                self.mapper.rewriter.replace(outer, new);
            }
        }
    }

    /// What the result of a statement is assigned to.
    fn target(&mut self, stmt: &Stmt) -> String {
        let target = match stmt {
            Stmt::Assign(assign) => {
                let range = TextRange::new(assign.targets[0].start(), assign.value.start());
                let text = self.mapper.rewriter.text_of(range);
                let text = text.trim_end().trim_end_matches('(').trim_end();
                text.strip_suffix('=').unwrap_or(text).trim_end().to_owned()
            }
            Stmt::AnnAssign(assign) => self.mapper.cx.text[assign.target.range()].to_owned(),
            _ => "_".to_owned(),
        };
        let is_tuple = target.contains(',') && !target.starts_with(['(', '[']);
        if is_tuple { format!("({target})") } else { target }
    }

    /// A name that nothing else has.
    fn fresh_name(&mut self, item: &Item<'_>) -> String {
        let text = self.mapper.cx.text;
        let call = text[item.range].trim_start_matches('[');
        let end = call.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '.')).unwrap_or(call.len());
        let callee = call[..end].rsplit('.').next().unwrap_or_default();
        let name = item.names.first().copied();
        let further = (2..).map(|number| format!("{callee}_result_{number}"));
        let candidates = name.into_iter().map(str::to_owned);
        let candidates = candidates.chain(name.map(|name| format!("{callee}_{name}")));
        let mut candidates = candidates.chain([format!("{callee}_result")]).chain(further);
        let is_free = |name: &String| {
            !self.mapper.cx.facts.module.has_name(name)
                && !self.mapper.is_taken(name)
                && !self.names.contains(name)
        };
        let name = candidates.find(is_free).unwrap_or_default();
        self.names.insert(name.clone());
        self.mapper.take_name(&name);
        name
    }

    /// Where what belongs to a statement begins: behind the statement of the run above it.
    fn start_of(&self, index: usize) -> TextSize {
        let above = self.run.lines.iter().map(|line| line.index).filter(|&above| above < index).max();
        let start = self.block[index].start();
        above.map_or(start, |above| next_line_start(self.mapper.cx.text, self.block[above].end()).min(start))
    }

    /// Blank lines and comments between the statement and the one above it; statements between them go.
    fn leading(&self, index: usize) -> String {
        let text = self.mapper.cx.text;
        let stmt = &self.block[index];
        let above = &text[TextRange::new(self.start_of(index), stmt.start())];
        let is_kept = |line: &&str| line.trim().is_empty() || line.trim_start().starts_with('#');
        let mut lines: Vec<&str> = above.lines().filter(is_kept).map(str::trim).collect();
        // The last one is the indentation of the statement.
        if !above.is_empty() && !above.ends_with(['\n', '\r']) {
            lines.pop();
        }
        let indent = indentation_at(text, stmt.start());
        let line = |line: &str| if line.is_empty() { "\n".to_owned() } else { format!("{indent}{line}\n") };
        lines.into_iter().map(line).collect()
    }

    fn comments_above(&self, index: usize) -> Vec<String> {
        let above = &self.mapper.cx.text[TextRange::new(self.start_of(index), self.block[index].start())];
        above.lines().map(str::trim).filter(|line| line.starts_with('#')).map(str::to_owned).collect()
    }

    fn trailing(&self, stmt: &Stmt) -> Option<String> {
        let text = self.mapper.cx.text;
        let behind = text[TextRange::new(stmt.end(), next_line_start(text, stmt.end()))].trim();
        behind.starts_with('#').then(|| behind.to_owned())
    }

    /// The end of a statement with the comment behind it.
    fn end_of(&self, stmt: &Stmt) -> TextSize {
        let text = self.mapper.cx.text;
        let behind = &text[TextRange::new(stmt.end(), next_line_start(text, stmt.end()))];
        stmt.end() + TextSize::of(behind.trim_end())
    }
}

/// What is awaited in `await f.aio()` and `(await f.aio())`.
pub(super) fn without_await(text: &str) -> &str {
    let inner = text.strip_prefix("(await ").and_then(|inner| inner.strip_suffix(')'));
    inner.or_else(|| text.strip_prefix("await ")).unwrap_or(text)
}

/// How many calls of a function ran side by side on Flyte 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Overlap {
    /// Those that can be gathered.
    pub gathered: usize,
    /// Those that something between them, or on their lines, keeps from being gathered.
    pub apart: usize,
    /// Those in loops, which go on running one after another.
    pub repeated: usize,
}

/// Counts the calls of a function that ran side by side, and finds what it calls through `create_node`.
pub(super) fn overlap(cx: &BodyContext<'_>, function: &ast::StmtFunctionDef) -> (Overlap, Vec<NodeId>) {
    let values = Values::of(function);
    let mut counter =
        Counter { cx, values: &values, found: Overlap::default(), created: Vec::new(), loops: 0 };
    counter.visit_body(&function.body);
    (counter.found, counter.created)
}

struct Counter<'c, 'a> {
    cx: &'c BodyContext<'c>,
    values: &'c Values<'a>,
    found: Overlap,
    created: Vec<NodeId>,
    loops: usize,
}

impl<'a> SourceOrderVisitor<'a> for Counter<'_, 'a> {
    fn visit_body(&mut self, body: &'a [Stmt]) {
        let count = |runs: Vec<Run<'_>>| runs.iter().map(Run::independent).sum::<usize>();
        let gathered = count(Run::all(self.cx, self.values, body));
        self.found.gathered += gathered;
        let independent = Run::loose(self.cx, self.values, body).independent();
        self.found.apart += independent.saturating_sub(gathered);
        source_order::walk_body(self, body);
    }

    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        let is_loop = matches!(stmt, Stmt::For(_) | Stmt::While(_));
        self.loops += usize::from(is_loop);
        if !matches!(stmt, Stmt::FunctionDef(_) | Stmt::ClassDef(_)) {
            source_order::walk_stmt(self, stmt);
        }
        self.loops -= usize::from(is_loop);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::ListComp(comprehension)
                if gathered_element(self.cx, self.values, comprehension).is_some() && self.loops == 0 => {}
            Expr::ListComp(_) | Expr::SetComp(_) | Expr::DictComp(_) | Expr::Generator(_) => {
                self.loops += 1;
                source_order::walk_expr(self, expr);
                self.loops -= 1;
            }
            Expr::Call(_) if let Some(call) = NodeCall::of(self.cx, self.values, expr) => {
                self.found.repeated += usize::from(self.loops > 0);
                self.created.extend(matches!(call.kind, Kind::Created).then_some(call.node));
                source_order::walk_expr(self, expr);
            }
            _ => source_order::walk_expr(self, expr),
        }
    }
}
