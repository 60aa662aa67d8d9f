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

mod attributes;
mod context;
mod decks;
mod exceptions;
mod io;
mod launch_plan;
mod statements;

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::edit::Edit;
use crate::flyte1::file::FileFacts;
use crate::flyte1::symbol::Symbol;
use crate::project::graph::{Graph, NodeId, NodeKind};
use crate::project::plan::FlyteNames;
use crate::project::{FileId, Project};
use crate::python::ast::visitor::source_order::{self, SourceOrderVisitor};
use crate::python::ast::{self, Expr, Stmt};
use crate::python::scope::{Function, Reference};
use crate::python::{Parsed, Ranged, parse};
use crate::rules::Finding;
use crate::source::TextRange;
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

    /// The task, dynamic or workflow that an expression certainly means.
    pub fn entity(&self, expr: &Expr) -> Option<NodeId> {
        let nodes = self.graph.nodes_of(self.project, self.file, self.reference(expr)?)?;
        match nodes[..] {
            [node] if self.graph.entity(node).is_some() => Some(node),
            _ => None,
        }
    }

    /// The definition of an entity, in whatever file.
    pub fn function(&self, node: NodeId) -> Option<&'a Function> {
        let entity = self.graph.entity(node)?;
        self.project.facts(self.graph.nodes[node].file).map(|facts| &facts.module.functions[entity.function])
    }

    /// The text of a place in the file of an entity: of its annotations.
    pub fn text_of(&self, node: NodeId, range: TextRange) -> &'a str {
        &self.project.text(self.graph.nodes[node].file)[range]
    }
}

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
    let Some(facts) = project.facts(file) else { return Vec::new() };
    let text = project.text(file);
    let Ok(parsed) = parse(text) else { return Vec::new() };
    let handles = Handles::of(project, file, facts, parsed.body());
    let cx = BodyContext { project, graph, file, facts, text, parsed: &parsed, names, handles: &handles };
    let functions = Functions::of(parsed.body());
    let map = |&node: &NodeId| match &graph.nodes[node].kind {
        NodeKind::Image(_) | NodeKind::Setting(_) | NodeKind::Actor(_) => None,
        NodeKind::Entity(entity) => {
            let name = facts.module.functions[entity.function].name_range;
            functions.by_name.get(&name).map(|function| (node, map_function(&cx, node, function)))
        }
        NodeKind::Code(statement) => {
            parsed.body().get(*statement).map(|statement| (node, map_statement(&cx, node, statement)))
        }
    };
    nodes.iter().filter_map(map).collect()
}

/// The function of an entity: its signature and its body, without the decorators.
fn map_function(cx: &BodyContext<'_>, node: NodeId, function: &ast::StmtFunctionDef) -> MappedBody {
    let mut mapper = Mapper::new(cx, node);
    mapper.function(function);
    mapper.finish()
}

/// A statement at the top level that is no entity: a helper, a constant, a test, the `__main__` block.
fn map_statement(cx: &BodyContext<'_>, node: NodeId, statement: &Stmt) -> MappedBody {
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
