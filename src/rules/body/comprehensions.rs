//! Lists of calls that a comprehension makes: in `async` code they are gathered. A generator that would have to await
//! becomes a list where all of it is read at once.
//!
//! ```python
//! [square(n=n) for n in ns]           # await asyncio.gather(*[square.aio(n=n) for n in ns])
//! sum(square(n=n) for n in ns)        # sum([await square.aio(n=n) for n in ns])
//! ```

use super::arrange::{gathered_element, without_await};
use super::calls::awaited;
use super::mapper::Mapper;
use crate::python::Ranged;
use crate::python::ast::visitor::source_order::{self, SourceOrderVisitor};
use crate::python::ast::{self, Expr, Stmt};
use crate::rules::codes::{PLAIN_CALL, WORKFLOW_BODY};
use crate::rules::{Effect, Finding};
use crate::source::TextRange;

/// Builtins that read all of what they iterate over.
const DRAINS: [&str; 9] = ["dict", "frozenset", "list", "max", "min", "set", "sorted", "sum", "tuple"];

/// Methods of the builtin containers and of strings that do.
const DRAINING_METHODS: [&str; 3] = ["extend", "join", "update"];

/// The construct.
pub(super) fn expression<'a>(mapper: &mut Mapper<'a>, expr: &'a Expr) -> bool {
    match expr {
        Expr::ListComp(comprehension) => gather(mapper, expr, comprehension),
        Expr::Generator(generator) => drain(mapper, generator),
        _ => false,
    }
}

fn gather<'a>(mapper: &mut Mapper<'a>, expr: &'a Expr, comprehension: &'a ast::ExprListComp) -> bool {
    if !is_flow(mapper)
        || !mapper.gathers()
        || gathered_element(mapper.cx, mapper.values(), comprehension).is_none()
    {
        return false;
    }
    let range = comprehension.elt.range();
    let element = mapper.rewriter.text_of(range);
    if let Some((before, call, after)) = converted(&element) {
        // `[float(await f.aio(n=n)) for n in ns]`
        let asyncio = mapper.module("asyncio");
        mapper.rewriter.take(range);
        mapper.rewriter.replace(range, call);
        let list = mapper.rewriter.take(expr.range());
        let result = mapper.free_name("result");
        let text = format!("[{before}{result}{after} for {result} in await {asyncio}.gather(*{list})]");
        mapper.rewriter.replace(expr.range(), text);
        return true;
    }
    mapper.rewriter.take(range);
    mapper.rewriter.replace(range, without_await(&element));
    let asyncio = mapper.module("asyncio");
    awaited(mapper, expr.range());
    mapper.rewriter.surround_closely(expr.range(), &format!("{asyncio}.gather(*"), ")");
    true
}

/// What stands around the awaited call of an element that is converted: `DataFrame.from_df(`, the call and `)`.
fn converted(element: &str) -> Option<(&str, &str, &str)> {
    let (before, awaited) = element.split_once("(await ")?;
    let before = &element[..=before.len()];
    let call = awaited.strip_suffix(')')?;
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    (before.len() > 1 && before[..before.len() - 1].chars().all(is_name)).then_some((before, call, ")"))
}

fn is_flow(mapper: &Mapper<'_>) -> bool {
    mapper.cx.graph.entity(mapper.node).is_some_and(|entity| entity.kind.is_flow())
}

/// A generator with `await` in it is an asynchronous one, which nothing iterates over without `async for`.
fn drain<'a>(mapper: &mut Mapper<'a>, generator: &'a ast::ExprGenerator) -> bool {
    if !mapper.is_async() || !awaits_anew(mapper, generator) {
        return false;
    }
    if is_drained(mapper, generator) {
        let range = generator.range;
        if generator.parenthesized {
            let one = crate::source::TextSize::from(1);
            mapper.rewriter.replace(TextRange::at(range.start(), one), "[");
            mapper.rewriter.replace(TextRange::at(range.end() - one, one), "]");
        } else {
            mapper.rewriter.surround(range, "[", "]");
        }
        return true;
    }
    let rule = if mapper.is_entity() { &WORKFLOW_BODY } else { &PLAIN_CALL };
    let message = "a generator calls what has to be awaited, and cannot be told to be read as a whole";
    let finding = Finding::new(rule, generator.range, Effect::Blocking, message);
    mapper.find(finding.help("Make it a list: `[… for … in …]`, or use `--parallelism sequential`"));
    false
}

/// Whether what runs with the generator awaits what it did not await before. Its first iterable is evaluated outside
/// of it.
fn awaits_anew(mapper: &Mapper<'_>, generator: &ast::ExprGenerator) -> bool {
    let further = generator.generators.iter().skip(1).map(|inner| inner.iter.range());
    let tests = generator.generators.iter().flat_map(|inner| &inner.ifs).map(Ranged::range);
    let mut parts = std::iter::once(generator.elt.range()).chain(further).chain(tests);
    parts.any(|part| awaits(&mapper.rewriter.text_of(part)) > awaits(&mapper.cx.text[part]))
}

/// How often a text speaks of `await` or `async for`.
fn awaits(text: &str) -> usize {
    text.matches("await ").count() + text.matches("async for ").count()
}

/// Whether all of the generator is read before anything else happens.
fn is_drained<'a>(mapper: &Mapper<'a>, generator: &'a ast::ExprGenerator) -> bool {
    match mapper.parent() {
        Some(Expr::Call(call)) => match &*call.func {
            Expr::Name(name) => {
                DRAINS.contains(&name.id.as_str()) && is_builtin(mapper, &name.id)
                    || name.id == "enumerate"
                        && is_builtin(mapper, &name.id)
                        && is_looped_over(mapper, call.range)
            }
            Expr::Attribute(method) => DRAINING_METHODS.contains(&method.attr.as_str()),
            _ => false,
        },
        Some(Expr::Starred(_)) => true,
        Some(_) => false,
        None => match mapper.statement() {
            Some(Stmt::Assign(assign)) => {
                assign.targets.iter().all(|target| target.is_tuple_expr() || target.is_list_expr())
            }
            _ => is_looped_over(mapper, generator.range),
        },
    }
}

/// Whether the current statement is a loop over `iterated` that runs to its end. What a workflow calls in a loop is there
/// before anything runs on Flyte 1, so that it does not matter what is called first.
fn is_looped_over(mapper: &Mapper<'_>, iterated: TextRange) -> bool {
    let Some(Stmt::For(node)) = mapper.statement() else { return false };
    let mut ends = Ends { found: false };
    ends.visit_body(&node.body);
    node.iter.range() == iterated && is_flow(mapper) && !ends.found
}

fn is_builtin(mapper: &Mapper<'_>, name: &str) -> bool {
    !mapper.cx.facts.module.bindings.iter().any(|binding| binding.name == name)
}

/// Whether a loop may end early.
struct Ends {
    found: bool,
}

impl<'a> SourceOrderVisitor<'a> for Ends {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        self.found |= matches!(stmt, Stmt::Break(_) | Stmt::Return(_));
        source_order::walk_stmt(self, stmt);
    }
}
