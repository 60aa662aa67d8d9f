//! Calls of the class of images that the SDK refuses.
//!
//! ```python
//! flyte.Image()
//! flyte.Image.from_debian("3.12")
//! flyte.Image.with_pip_packages("pandas")
//! ```

use rustpython_ast as ast;

use super::constant::Constant;
use super::evaluate::{Built, Evaluator, Place, Problem, Scope};
use super::signature::{CONSTRUCTORS, DEVELOPER_METHODS, METHODS, Signature, constructor, method};
use crate::image::Image;
use crate::rules::codes::IMAGE_CALL;

/// What the class has besides constructors and methods that add layers.
const OTHERS: [&str; 10] = [
    "validate",
    "uri",
    "base_image",
    "dockerfile",
    "registry",
    "name",
    "platform",
    "python_version",
    "extendable",
    "mro",
];

impl<'a> Evaluator<'a> {
    /// `flyte.Image.name(…)` of no constructor; `None` if the SDK may take it.
    pub(super) fn refused_attribute(
        &self,
        scope: Scope<'_, 'a>,
        name: &str,
        call: &'a ast::ExprCall,
    ) -> Option<Constant> {
        let place = scope.place(call.range);
        if is_missing(name) {
            let message = format!("`Image` has no constructor `{name}`");
            return Some(refused(place, message, nearest(name, CONSTRUCTORS, "constructor")));
        }
        method(name)?;
        // `Image.with_apt_packages(image, "git")` is the same as `image.with_apt_packages("git")`.
        let is_bare = match call.arguments.args.first() {
            None => call.arguments.keywords.iter().all(|keyword| keyword.arg.is_some()),
            Some(first) => {
                matches!(self.evaluate(scope, first), Ok(value) if !matches!(value, Constant::Image(_) | Constant::Name(_)))
            }
        };
        let help = format!("Call it on an image: `Image.from_debian_base(name=\"…\").{name}(…)`");
        is_bare.then(|| refused(place, format!("`{name}` is called on the class, not on an image"), help))
    }
}

/// `flyte.Image(…)`
pub(super) fn refused_image(scope: Scope<'_, '_>, call: &ast::ExprCall) -> Constant {
    refused(
        scope.place(call.range),
        "`Image` cannot be called; the SDK takes its constructors only".to_owned(),
        "Call a constructor, such as `Image.from_debian_base()`".to_owned(),
    )
}

/// Whether the class of images certainly has nothing of this name.
pub(super) fn is_missing(name: &str) -> bool {
    let is_known = constructor(name).is_some()
        || method(name).is_some()
        || OTHERS.contains(&name)
        || DEVELOPER_METHODS.contains(&name);
    !is_known && !name.starts_with('_') && !name.contains('.')
}

/// What to call in place of a method that there is not.
pub(super) fn nearest_method(name: &str) -> String {
    nearest(name, METHODS, "method")
}

/// What to call in place of something that there is not: what has the most words in common, if anything.
fn nearest(name: &str, signatures: &[Signature], kind: &str) -> String {
    let words: Vec<&str> = name.split('_').skip(1).collect();
    let shared =
        |signature: &Signature| signature.name.split('_').filter(|word| words.contains(word)).count();
    let near = signatures.iter().filter(|signature| shared(signature) > 0).max_by_key(|it| shared(it));
    let near = near.map(|near| format!(", such as `{}`", near.name)).unwrap_or_default();
    format!("Call a {kind} that there is{near}")
}

/// An image that the SDK refuses. Layers on it are no fault of their own.
fn refused(place: Place, message: String, help: String) -> Constant {
    let mut image = Image::from_base(String::new());
    image.is_extendable = true;
    image.name = Some("image".to_owned());
    let problem = Problem { rule: &IMAGE_CALL, place, message, help, is_refused: true };
    Constant::Image(Box::new(Built {
        image,
        place,
        head: place,
        arguments: Vec::new(),
        layers: Vec::new(),
        unknown: Vec::new(),
        problems: vec![problem],
    }))
}
