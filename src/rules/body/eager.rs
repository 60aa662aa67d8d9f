//! What `@eager` code awaits itself.
//!
//! ```python
//! from flytekit.experimental import eager            # of flytekit up to 1.13: every call is awaited
//!
//! a = await f(x=1)                                   # await f.aio(x=1)
//! many = [f(x=i) for i in range(3)]                  # [f.aio(x=i) for i in range(3)]
//! await asyncio.gather(*many)
//! ```
//!
//! With the `eager` of flytekit 1.16 a call of a plain task gives its value. Such a call fails in `asyncio.gather`, so that
//! what is written there was meant for the other one.

use super::mapper::Mapper;
use crate::project::graph::EntityKind;
use crate::python::ast::Expr;
use crate::python::scope::BindingKind;

/// What takes calls that are not awaited yet.
const TAKERS: [&str; 6] = [
    "asyncio.as_completed",
    "asyncio.create_task",
    "asyncio.ensure_future",
    "asyncio.gather",
    "asyncio.wait",
    "asyncio.wait_for",
];

/// Whether a call in `@eager` must not be awaited where it stands, because the code around it does that.
pub(super) fn stays_awaitable(mapper: &Mapper<'_>) -> bool {
    let entity = mapper.cx.graph.entity(mapper.node);
    entity.is_some_and(|entity| entity.kind == EntityKind::Eager)
        && (is_of_earlier_flytekit(mapper) || is_taken(mapper))
}

fn is_of_earlier_flytekit(mapper: &Mapper<'_>) -> bool {
    mapper.cx.facts.module.bindings.iter().any(|binding| {
        matches!(&binding.kind, BindingKind::Import(path) if path.dotted().starts_with("flytekit.experimental"))
    })
}

/// `asyncio.gather(f(x=1), *[f(x=i) for i in range(3)])`
fn is_taken(mapper: &Mapper<'_>) -> bool {
    let is_display = |expr: &&Expr| {
        matches!(
            expr,
            Expr::Starred(_) | Expr::List(_) | Expr::Tuple(_) | Expr::ListComp(_) | Expr::Generator(_)
        )
    };
    let taker = mapper.parents().find(|expr| !is_display(expr)).and_then(Expr::as_call_expr);
    taker.is_some_and(|taker| TAKERS.iter().any(|path| mapper.cx.is_imported(&taker.func, path)))
}
