//! Environment variables that code sets.
//!
//! ```python
//! os.environ["REGISTRY"] = "ghcr.io/acme"
//! os.environ.update(names)    # any of them
//! load_dotenv()
//! ```

use rustpython_ast::{self as ast, Expr};

use crate::source::TextRange;

/// A place where a variable is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetVariable {
    /// Its name; `None` if it may be any.
    pub name: Option<String>,
    /// The code that sets it.
    pub range: TextRange,
    /// Whether it stands in a function.
    pub is_deferred: bool,
}

impl SetVariable {
    /// Whether it may be this variable.
    pub fn may_be(&self, name: &str) -> bool {
        self.name.as_deref().is_none_or(|known| known == name)
    }
}

/// The variables that a call of a method of `os.environ` other than those that only read sets; `None` stands for any.
pub(super) fn set_by<'a>(method: &str, call: &'a ast::ExprCall) -> Vec<Option<&'a str>> {
    let keywords: Option<Vec<&ast::Identifier>> =
        call.arguments.keywords.iter().map(|keyword| keyword.arg.as_ref()).collect();
    let named = |names: Vec<&'a ast::Identifier>| names.into_iter().map(|name| Some(name.as_str()));
    match (&*call.arguments.args, keywords) {
        ([], Some(names)) if method == "update" => named(names).collect(),
        ([name, ..], _) if method != "update" => vec![text(name)],
        ([Expr::Dict(dict)], Some(names)) => {
            let keys = dict.items.iter().map(|item| item.key.as_ref().and_then(text));
            named(names).chain(keys).collect()
        }
        _ => vec![None],
    }
}

/// The text of a string.
fn text(expr: &Expr) -> Option<&str> {
    expr.as_string_literal_expr().map(|text| text.value.to_str())
}
