//! Dotted module names and where imports lead.
//!
//! ```python
//! from ..images import trainer as image   # ImportPath { level: 2, module: "images", name: Some("trainer") }
//! ```

use std::fmt;

/// What an import binds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImportPath {
    /// The number of leading dots.
    pub level: u32,
    /// The module, dotted; empty in `from . import x`.
    pub module: String,
    /// The name taken from the module; `None` for `import module`.
    pub name: Option<String>,
}

impl ImportPath {
    /// The first component of the module.
    pub fn root(&self) -> &str {
        self.module.split('.').next().unwrap_or_default()
    }

    /// The dotted path of an absolute import, name included.
    pub fn dotted(&self) -> String {
        match &self.name {
            Some(name) => format!("{}.{name}", self.module),
            None => self.module.clone(),
        }
    }
}

impl fmt::Display for ImportPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for _ in 0..self.level {
            f.write_str(".")?;
        }
        f.write_str(&self.dotted())
    }
}
