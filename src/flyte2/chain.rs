//! A call and the methods chained to it, as Python text with the user's comments, before it is laid out on lines.
//!
//! ```python
//! Image.from_debian_base(name="a").with_pip_packages("pandas")
//! ```
//!
//! The arguments are Python expressions as text, the user's own wherever possible.
//! [`layout`](super::layout) decides where the lines break.

/// One argument of a call: `"pandas"`, `name="a"` or `*EXTRA`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Argument {
    /// Comments on lines of their own above the argument, `#` included, without indentation.
    pub leading: Vec<String>,
    /// The argument. It may span lines; the second and later lines are indented relative to the line that the
    /// argument begins on, except lines inside a string, which `text` holds as they are.
    pub text: String,
    /// The comment at the end of the argument's line, `#` included.
    pub trailing: Option<String>,
}

impl Argument {
    /// An argument without comments.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// A call: what is called, and with what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Call {
    /// Comments on lines of their own above the call.
    pub leading: Vec<String>,
    /// What is called: `Image.from_debian_base` for the head of a chain, `with_pip_packages` for a method.
    pub callee: String,
    /// The arguments in order.
    pub arguments: Vec<Argument>,
    /// Comments on lines of their own between the last argument and the closing parenthesis.
    pub dangling: Vec<String>,
    /// The comment behind the closing parenthesis.
    pub trailing: Option<String>,
    /// Whether each argument stands on its own line even where all would fit on one, as after a magic trailing comma.
    pub is_exploded: bool,
}

/// A call and the methods called on what it returns, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    /// The first call.
    pub head: Call,
    /// The methods.
    pub methods: Vec<Call>,
    /// Comments on lines of their own after the last method.
    pub dangling: Vec<String>,
}
