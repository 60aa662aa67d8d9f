//! Code that goes on where a secret is missing: Flyte 1 raises `ValueError` then, `os.environ[…]` raises `KeyError`.
//!
//! ```python
//! try:
//!     return current_context().secrets.get("aws", "id")     # return os.environ["AWS_ID"].strip()
//! except ValueError:                                        # except KeyError:
//!     return "none"
//! ```

use super::mapper::Mapper;
use crate::python::Ranged;
use crate::python::ast::visitor::source_order::{self, SourceOrderVisitor};
use crate::python::ast::{self, ExceptHandler, Expr, Stmt};
use crate::rules::codes::SECRET_READ;
use crate::rules::{Effect, Finding};
use crate::source::TextRange;

/// Reads the `try` statements around a secret that is read at `range`.
pub(super) fn caught(mapper: &mut Mapper<'_>, range: TextRange) {
    let mut around = Around { range, tries: Vec::new() };
    mapper.cx.parsed.body().iter().for_each(|statement| around.visit_stmt(statement));
    for node in around.tries.into_iter().rev() {
        for ExceptHandler::ExceptHandler(handler) in &node.handlers {
            let Some(kind) = handler.type_.as_deref() else { return };
            let names = names_of(kind);
            if names
                .iter()
                .any(|name| matches!(*name, "KeyError" | "LookupError" | "Exception" | "BaseException"))
            {
                return;
            }
            if names.contains(&"ValueError") {
                return catch(mapper, node, kind, range);
            }
        }
    }
}

/// Makes a handler catch what is raised now, if nothing else is tried beside the read.
fn catch(mapper: &mut Mapper<'_>, node: &ast::StmtTry, kind: &Expr, range: TextRange) {
    let value = match node.body.as_slice() {
        [Stmt::Return(node)] => node.value.as_deref(),
        [Stmt::Assign(node)] => Some(&*node.value),
        _ => None,
    };
    if value.is_some_and(|value| value.range() == range) && kind.is_name_expr() && node.handlers.len() == 1 {
        mapper.rewriter.take(kind.range());
        mapper.rewriter.replace(kind.range(), "KeyError".to_owned());
        return;
    }
    let message = "a secret that is missing raises `KeyError` on Flyte 2, which is not caught here";
    let finding = Finding::new(&SECRET_READ, kind.range(), Effect::Unsafe, message);
    mapper.find(finding.help("Catch `KeyError` as well, as `except (KeyError, ValueError)` does"));
}

fn names_of(kind: &Expr) -> Vec<&str> {
    match kind {
        Expr::Name(name) => vec![name.id.as_str()],
        Expr::Tuple(tuple) => tuple.elts.iter().flat_map(names_of).collect(),
        _ => Vec::new(),
    }
}

/// Finds the `try` statements whose body holds a place, in the function that holds it.
struct Around<'a> {
    range: TextRange,
    tries: Vec<&'a ast::StmtTry>,
}

impl<'a> SourceOrderVisitor<'a> for Around<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        if !stmt.range().contains_range(self.range) {
            return;
        }
        match stmt {
            Stmt::FunctionDef(_) => self.tries.clear(),
            Stmt::Try(node) if node.body.iter().any(|inner| inner.range().contains_range(self.range)) => {
                self.tries.push(node);
            }
            _ => {}
        }
        source_order::walk_stmt(self, stmt);
    }
}
