//! union's `actor_cache` keeps what a function gives as long as the container lives.
//!
//! ```python
//! @actor_cache           # @functools.cache
//! def load_model(name: str): ...
//! ```

use super::mapper::Mapper;
use crate::flyte1::symbol::Symbol;
use crate::python::Ranged;
use crate::python::ast::Expr;
use crate::rules::codes::ACTOR;
use crate::rules::{Effect, Finding};

/// The paths of `actor_cache`.
const ACTOR_CACHES: [&str; 4] =
    ["union.actor_cache", "union.actor.actor_cache", "unionai.actor_cache", "unionai.actor.actor_cache"];

/// `actor_cache`, as a decorator or called.
pub(super) fn expression(mapper: &mut Mapper<'_>, expr: &Expr) -> bool {
    let is_cache = matches!(expr, Expr::Name(_) | Expr::Attribute(_))
        && matches!(mapper.cx.symbol(expr), Some(Symbol::Other(path)) if ACTOR_CACHES.contains(&path.as_str()));
    if !is_cache {
        return false;
    }
    let functools = mapper.module("functools");
    mapper.rewriter.replace(expr.range(), format!("{functools}.cache"));
    mapper.consume(expr.range());
    mapper.find(
        Finding::new(
            &ACTOR,
            expr.range(),
            Effect::Unsafe,
            "`functools.cache` takes the place of `actor_cache`; it wants arguments that can be hashed",
        )
        .help("Make sure that the arguments are no lists or dicts"),
    );
    true
}
