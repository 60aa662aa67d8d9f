//! What the code of tasks, dynamics and workflows becomes, and the code around them that uses them or Flyte 1.
//!
//! ```python
//! @workflow
//! def pipeline(n: int) -> int:
//!     return total(xs=map_task(square)(n=[n, n + 1]))
//! ```
//!
//! The syntax tree of a file is made again for this, and dropped when the file is done. A [`Mapper`] walks over each
//! piece of code from the inside out; each construct has a file here with an `expression` or `statement` function
//! that is asked for every node, in the order of [`mapper`]. What a construct cannot express is a finding.
//!
//! It runs twice: while planning, for the findings and for what is written anew, and with the names that the file
//! really uses when the edits are made.

mod actor_cache;
pub mod handles;
mod image_uses;
pub mod imports;
pub mod mapper;
pub mod rewriter;
pub mod shapes;
pub mod values;

mod arrange;
mod builtins;
mod calls;
mod comprehensions;
mod conditions;
mod eager;
mod event_loop;
mod expected;
mod failure;
mod gates;
mod maps;
mod missing_secrets;
mod named_results;
mod order;
mod outputs;
mod overrides;
mod registered;

pub use arrange::Overlap;
pub use io::is_type_of_data;

mod attributes;
mod context;
mod decks;
mod enums;
mod exceptions;
mod io;
mod launch_plan;
mod statements;

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::diagnostic::Rule;
use crate::edit::Edit;
use crate::flyte1::file::FileFacts;
use crate::flyte1::symbol::Symbol;
use crate::project::graph::{CalledPlan, Graph, NodeId, NodeKind};
use crate::project::plan::FlyteNames;
use crate::project::{FileId, Project};
use crate::python::annotation::Definition;
use crate::python::ast::visitor::source_order::{self, SourceOrderVisitor};
use crate::python::ast::{self, Expr, Stmt};
use crate::python::scope::{BindingKind, Function, Reference, StatementId};
use crate::python::{Parsed, Ranged};
use crate::rules::codes::{GATE, MAP_TASK};
use crate::rules::{Effect, Finding};
use crate::source::{TextRange, TextSize};
use handles::Handles;
use mapper::Mapper;

/// What the mapping of a piece of code may ask.
pub struct BodyContext<'a> {
    /// The project, for what names mean.
    pub project: &'a Project,
    /// Tasks, workflows and images, and who calls whom.
    pub graph: &'a Graph,
    /// The file.
    pub file: FileId,
    /// Its facts.
    pub facts: &'a FileFacts,
    /// Its text.
    pub text: &'a str,
    /// Its syntax tree and tokens.
    pub parsed: &'a Parsed,
    /// How names of flyte are written in it.
    pub names: &'a FlyteNames,
    /// The variables that hold objects of Flyte 1.
    pub handles: &'a Handles,
}

impl<'a> BodyContext<'a> {
    /// The reference of exactly this expression: a name, with attributes or without.
    pub fn reference(&self, expr: &Expr) -> Option<&'a Reference> {
        self.facts.reference_at(expr.range())
    }

    /// The symbol of Flyte 1 that an expression certainly means.
    pub fn symbol(&self, expr: &Expr) -> Option<Symbol> {
        self.project.symbol(self.file, self.reference(expr)?)
    }

    /// Whether an expression certainly means `flytekit.NAME`, by whatever path it is imported.
    pub fn is_flyte1(&self, expr: &Expr, name: &str) -> bool {
        self.symbol(expr).is_some_and(|symbol| match &symbol {
            Symbol::Other(path) => path.strip_prefix("flytekit.") == Some(name),
            other => other.name() == name,
        })
    }

    /// Whether an expression certainly means something of another library, by its dotted path.
    pub fn is_imported(&self, expr: &Expr, path: &str) -> bool {
        let (root, rest) = match expr {
            Expr::Name(name) => (name, None),
            Expr::Attribute(attribute) => match &*attribute.value {
                Expr::Name(name) => (name, Some(attribute.attr.as_str())),
                _ => return false,
            },
            _ => return false,
        };
        let mut bindings =
            self.facts.module.bindings.iter().filter(|binding| binding.name == root.id.as_str()).peekable();
        bindings.peek().is_some()
            && bindings.all(|binding| {
                matches!(&binding.kind, BindingKind::Import(import) if import.level == 0 && match rest {
                    Some(rest) => format!("{}.{rest}", import.dotted()) == path,
                    None => import.dotted() == path,
                })
            })
    }

    /// The task, dynamic, workflow or container task that an expression certainly means.
    pub fn callee(&self, expr: &Expr) -> Option<NodeId> {
        let nodes = self.graph.nodes_of(self.project, self.file, self.reference(expr)?)?;
        let [node] = nodes[..] else { return None };
        (self.graph.entity(node).is_some() || self.graph.container(node).is_some()).then_some(node)
    }

    /// The task, dynamic or workflow that an expression certainly means.
    pub fn entity(&self, expr: &Expr) -> Option<NodeId> {
        self.callee(expr).filter(|&node| self.graph.entity(node).is_some())
    }

    /// The launch plan that an expression certainly means, and its file.
    pub fn plan(&self, expr: &Expr) -> Option<(FileId, &'a CalledPlan)> {
        self.graph.plan_of(self.project, self.file, self.reference(expr)?)
    }

    /// The definition of an entity, in whatever file.
    pub fn function(&self, node: NodeId) -> Option<&'a Function> {
        let entity = self.graph.entity(node)?;
        self.project.facts(self.graph.nodes[node].file).map(|facts| &facts.module.functions[entity.function])
    }

    /// Whether a call of an entity has to be awaited on Flyte 1 already: it is `async` as it stands.
    pub fn is_awaited(&self, node: NodeId) -> bool {
        self.function(node).is_some_and(|function| function.is_async)
    }

    /// The text of a place in the file of an entity: of its annotations.
    pub fn text_of(&self, node: NodeId, range: TextRange) -> &'a str {
        &self.project.text(self.graph.nodes[node].file)[range]
    }
}

/// A function that new code calls, and that is written above the first environment of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Helper {
    /// Puts `None` in place of exceptions, if enough elements of a map succeeded.
    TolerantMap,
    /// Hands a value on once a person approved.
    Approve,
    /// The same in `async` code.
    ApproveAsync,
}

impl Helper {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::TolerantMap => "_tolerate",
            Self::Approve => "_approve",
            Self::ApproveAsync => "_approve_async",
        }
    }

    /// Its definition, with four spaces of indentation and `flyte.` in front of names of flyte.
    pub fn definition(self) -> &'static str {
        match self {
            Self::TolerantMap => TOLERANT_MAP,
            Self::Approve => APPROVE,
            Self::ApproveAsync => APPROVE_ASYNC,
        }
    }

    /// The rule that asks for it, and why.
    pub fn reason(self) -> (&'static Rule, &'static str) {
        match self {
            Self::TolerantMap => (&MAP_TASK, "a map that tolerates failures counts them itself on Flyte 2"),
            Self::Approve | Self::ApproveAsync => {
                (&GATE, "what waits for approval asks for it itself on Flyte 2")
            }
        }
    }
}

/// As flytekit counts (`flytekit/core/array_node_map_task.py`, 1.16.31): the needed successes are rounded up.
const TOLERANT_MAP: &str = "\
def _tolerate(results, min_success_ratio=1.0, min_successes=None):
    failures = [result for result in results if isinstance(result, BaseException)]
    needed = min_successes or min_success_ratio * len(results)
    if len(results) - len(failures) < needed:
        raise failures[0]
    return [None if isinstance(result, BaseException) else result for result in results]
";

/// A refusal fails the workflow, as on Flyte 1.
const APPROVE: &str = "\
def _approve(upstream_item, name, timeout):
    if not flyte.new_condition(name, prompt=f\"Approve {name}?\", timeout=timeout).wait():
        raise RuntimeError(f\"{name} was not approved\")
    return upstream_item
";

const APPROVE_ASYNC: &str = "\
async def _approve_async(upstream_item, name, timeout):
    condition = await flyte.new_condition.aio(name, prompt=f\"Approve {name}?\", timeout=timeout)
    if not await condition.wait.aio():
        raise RuntimeError(f\"{name} was not approved\")
    return upstream_item
";

/// What a piece of code becomes.
#[derive(Debug, Clone, Default)]
pub struct MappedBody {
    /// The edits, disjoint and in order.
    pub edits: Vec<Edit>,
    /// What there is to say; what blocks keeps the group on Flyte 1.
    pub findings: Vec<Finding>,
    /// References that are written anew: their imports may go.
    pub consumed: HashSet<TextRange>,
    /// Uses of results, of entities, and of Flyte 1 that are understood as they stand: references, and the ranges of
    /// [`Issue`](crate::flyte1::body::Issue)s.
    pub handled: HashSet<TextRange>,
    /// Entities that this code uses otherwise than by calling their names, and the places of the references:
    /// they move together.
    pub calls: Vec<(TextRange, NodeId)>,
    /// Names of `flyte` that are written.
    pub uses: BTreeSet<&'static str>,
    /// Launch plans that become triggers and move above their workflows.
    pub triggers: Vec<Trigger>,
    /// Functions that the new code calls.
    pub helpers: BTreeSet<Helper>,
    /// Lines such as `import asyncio` and `from flyte.io import File`.
    pub imports: BTreeSet<String>,
}

/// A trigger that stands above the workflow that carries it.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// The workflow.
    pub workflow: NodeId,
    /// The variable that holds it.
    pub variable: String,
    /// The lines that make it.
    pub text: String,
}

impl MappedBody {
    /// Whether something has to become of the code, by the tool or by hand.
    pub fn is_changed(&self) -> bool {
        !self.edits.is_empty() || self.findings.iter().any(|finding| finding.effect > Effect::Info)
    }

    /// Whether the code at `range` means the same on Flyte 2, as it stands or as it is written anew.
    pub fn covers(&self, range: TextRange) -> bool {
        self.consumed.contains(&range) || self.handled.contains(&range)
    }
}

/// Maps the code of `nodes`, all of one file: of entities their functions, of other code its statements.
pub fn map_file(
    project: &Project,
    graph: &Graph,
    file: FileId,
    nodes: &[NodeId],
    names: &FlyteNames,
) -> Vec<(NodeId, MappedBody)> {
    let Some(facts) = project.facts(file).filter(|_| !nodes.is_empty()) else { return Vec::new() };
    let text = project.text(file);
    let Ok(parsed) = facts.tree(text, || others(graph, facts, nodes)) else { return Vec::new() };
    let handles = Handles::of(project, file, facts, parsed.body());
    let cx = BodyContext { project, graph, file, facts, text, parsed: &parsed, names, handles: &handles };
    let at = |statement: StatementId| {
        let end = facts.module.statements[statement].end();
        parsed.body().binary_search_by_key(&end, Ranged::end).ok().map(|index| &parsed.body()[index])
    };
    let functions = Functions::of(parsed.body());
    let map = |&node: &NodeId| match &graph.nodes[node].kind {
        NodeKind::Image(_) | NodeKind::Setting(_) | NodeKind::Maker(_) | NodeKind::Container(_) => None,
        NodeKind::Entity(entity) => {
            let name = facts.module.functions[entity.function].name_range;
            functions.by_name.get(&name).map(|function| {
                let mut body = map_function(&cx, node, function);
                registered::find(&cx, node, function, &mut body);
                (node, body)
            })
        }
        NodeKind::Code(statement) => {
            at(*statement).map(|statement| (node, map_statement(&cx, node, statement)))
        }
    };
    let mut mapped: Vec<(NodeId, MappedBody)> = nodes.iter().filter_map(map).collect();
    if !facts.module.hidden_builtins.is_empty() {
        mapped.iter_mut().for_each(|(node, body)| builtins::check(&cx, *node, body));
    }
    mapped
}

/// The statement at the top level that holds the code of a node.
fn statement_of(graph: &Graph, facts: &FileFacts, node: NodeId) -> Option<StatementId> {
    match &graph.nodes[node].kind {
        NodeKind::Entity(entity) => Some(facts.module.functions[entity.function].owner),
        NodeKind::Code(statement) => Some(*statement),
        NodeKind::Image(_) | NodeKind::Setting(_) | NodeKind::Maker(_) | NodeKind::Container(_) => None,
    }
}

/// The functions and classes at the top level that hold none of `nodes`. Everything else may tell what names hold.
fn others<'a>(
    graph: &'a Graph,
    facts: &'a FileFacts,
    nodes: &[NodeId],
) -> impl Iterator<Item = TextRange> + use<'a> {
    let own: HashSet<StatementId> =
        nodes.iter().filter_map(|&node| statement_of(graph, facts, node)).collect();
    let statements = facts.module.statements.iter().enumerate();
    statements.filter_map(move |(id, range)| {
        let definition = facts.module.definitions.get(&id);
        let is_block = matches!(definition, Some(Definition::Function { .. } | Definition::Class { .. }));
        (is_block && !own.contains(&id)).then_some(*range)
    })
}

/// How many calls in the bodies of workflows and dynamics of a file ran side by side on Flyte 1, and what each calls
/// through `create_node`.
pub fn overlaps(project: &Project, graph: &Graph, file: FileId) -> Vec<(NodeId, Overlap, Vec<NodeId>)> {
    let Some(facts) = project.facts(file) else { return Vec::new() };
    let text = project.text(file);
    let nodes: Vec<NodeId> = graph.nodes_in(file).collect();
    let Ok(parsed) = facts.tree(text, || others(graph, facts, &nodes)) else { return Vec::new() };
    let names = FlyteNames::default();
    let handles = Handles::of(project, file, facts, parsed.body());
    let cx =
        BodyContext { project, graph, file, facts, text, parsed: &parsed, names: &names, handles: &handles };
    let functions = Functions::of(parsed.body());
    let flows = graph.nodes_in(file).filter_map(|node| {
        let entity = graph.entity(node).filter(|entity| entity.kind.is_flow())?;
        let name = facts.module.functions[entity.function].name_range;
        let (overlap, created) = arrange::overlap(&cx, functions.by_name.get(&name)?);
        Some((node, overlap, created))
    });
    flows.collect()
}

/// The function of an entity: its signature and its body, without the decorators.
fn map_function<'a>(cx: &'a BodyContext<'a>, node: NodeId, function: &'a ast::StmtFunctionDef) -> MappedBody {
    let mut mapper = Mapper::new(cx, node);
    if cx.graph.is_async(node) && !function.is_async {
        let head = &cx.text[..usize::from(function.name.start())];
        let def = head.rfind("def").and_then(|at| TextSize::try_from(at).ok());
        def.into_iter().for_each(|def| mapper.rewriter.insert(def, "async "));
    }
    mapper.entity(function);
    mapper.finish()
}

/// A statement at the top level that is no entity: a helper, a constant, a test, the `__main__` block.
fn map_statement<'a>(cx: &'a BodyContext<'a>, node: NodeId, statement: &'a Stmt) -> MappedBody {
    let mut mapper = Mapper::new(cx, node);
    mapper.top_level(statement);
    mapper.finish()
}

/// The decorated functions of a file, by the place of their names.
struct Functions<'a> {
    by_name: HashMap<TextRange, &'a ast::StmtFunctionDef>,
}

impl<'a> Functions<'a> {
    fn of(statements: &'a [Stmt]) -> Self {
        let mut functions = Self { by_name: HashMap::new() };
        statements.iter().for_each(|statement| functions.visit_stmt(statement));
        functions
    }
}

impl<'a> SourceOrderVisitor<'a> for Functions<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        if let Stmt::FunctionDef(function) = stmt
            && !function.decorator_list.is_empty()
        {
            self.by_name.insert(function.name.range, function);
        }
        source_order::walk_stmt(self, stmt);
    }
}
