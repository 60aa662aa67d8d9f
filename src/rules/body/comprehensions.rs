//! Lists of calls that a comprehension makes: in `async` code they are gathered.
//!
//! ```python
//! [square(n=n) for n in ns]       # await asyncio.gather(*[square.aio(n=n) for n in ns])
//! ```

use super::arrange::{gathered_element, without_await};
use super::calls::awaited;
use super::mapper::Mapper;
use crate::python::Ranged;
use crate::python::ast::Expr;

/// The construct.
pub(super) fn expression<'a>(mapper: &mut Mapper<'a>, expr: &'a Expr) -> bool {
    let Expr::ListComp(comprehension) = expr else { return false };
    let entity = mapper.cx.graph.entity(mapper.node);
    let is_flow = entity.is_some_and(|entity| entity.kind.is_flow());
    if !is_flow || !mapper.gathers() || gathered_element(mapper.cx, mapper.values(), comprehension).is_none()
    {
        return false;
    }
    let element = mapper.rewriter.take(comprehension.elt.range());
    mapper.rewriter.replace(comprehension.elt.range(), without_await(&element));
    let asyncio = mapper.module("asyncio");
    awaited(mapper, expr.range());
    mapper.rewriter.surround_closely(expr.range(), &format!("{asyncio}.gather(*"), ")");
    true
}
