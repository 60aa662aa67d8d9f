//! What the constructors and methods of `flyte.Image` make of their arguments, as SDK 2.12.1 does.
//!
//! ```python
//! flyte.Image.from_debian_base(name="a").with_pip_packages("pandas", pre=True)
//! ```
//!
//! # FM500
//!
//! ## What it does
//!
//! Speaks of a call of `flyte.Image` that its signature does not take, of a constructor or method that it does not have,
//! and of a parameter that `TaskEnvironment` does not have.
//!
//! ## Why
//!
//! Python refuses the call when the module is loaded.
//!
//! ## Example
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_debian_base(python="3.12")
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_debian_base(python_version=(3, 12))
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! Calls with `*` or `**` whose content is not known.
//!
//! ## References
//!
//! `flyte/_image.py` of flyte 2.12.1.
//!
//! # FM501
//!
//! ## What it does
//!
//! Speaks of a list where the SDK takes items one by one.
//!
//! ## Why
//!
//! The SDK refuses a list among the packages; it would be one package.
//!
//! ## Example
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_pip_packages(["pandas"])
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_pip_packages("pandas")
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! What is not known without running the code is not judged.
//!
//! ## References
//!
//! `flyte/_image.py` of flyte 2.12.1.
//!
//! # FM502
//!
//! ## What it does
//!
//! Speaks of a layer on an image that is not extendable.
//!
//! ## Why
//!
//! The SDK raises when the layer is added: an image from a reference is complete until it is cloned as extendable.
//!
//! ## Example
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_base("debian:12").with_apt_packages("git")
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_base("debian:12").clone(name="tools", extendable=True).with_apt_packages("git")
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! What is not known without running the code is not judged.
//!
//! ## References
//!
//! `flyte/_image.py` of flyte 2.12.1.
//!
//! # FM503
//!
//! ## What it does
//!
//! Speaks of an image without a name to which a layer is added, or which is only a clone.
//!
//! ## Why
//!
//! The SDK pushes an image of one's own under its name: it refuses layers without one, and a clone without one has no `uri`.
//!
//! ## Example
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_base("debian:12").clone(extendable=True).with_apt_packages("git")
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_base("debian:12").clone(name="tools", extendable=True).with_apt_packages("git")
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! What is not known without running the code is not judged.
//!
//! ## References
//!
//! `flyte/_image.py` of flyte 2.12.1.
//!
//! # FM504
//!
//! ## What it does
//!
//! Speaks of an argument of another type than the SDK takes.
//!
//! ## Why
//!
//! Some of these fail at once, or when the image is named, such as `None` among packages. Others pass and mean something else:
//! the letters of a string are taken for platforms, and a number in a variable fails in a remote build only.
//!
//! ## Example
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_env_vars({"DEBUG": 1})
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_env_vars({"DEBUG": "1"})
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! What is not known without running the code is not judged.
//!
//! ## References
//!
//! `flyte/_image.py` of flyte 2.12.1.
//!
//! # FM505
//!
//! ## What it does
//!
//! Speaks of requirements in a file that does not end in `.txt`.
//!
//! ## Why
//!
//! The SDK refuses other suffixes.
//!
//! ## Example
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_requirements("requirements.in")
//! ```
//!
//! ```text
//! # requirements.in
//! pandas
//! ```
//!
//! ```text
//! # requirements.txt
//! pandas
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_requirements("requirements.txt")
//! ```
//!
//! ```text
//! # requirements.in
//! pandas
//! ```
//!
//! ```text
//! # requirements.txt
//! pandas
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! What is not known without running the code is not judged.
//!
//! ## References
//!
//! `flyte/_image.py` of flyte 2.12.1.
//!
//! # FM506
//!
//! ## What it does
//!
//! Speaks of a secret without a key, that is mounted where the SDK mounts none, or whose variable has an impossible name.
//!
//! ## Why
//!
//! The SDK raises when the `Secret` is made.
//!
//! ## Example
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_pip_packages("x", secret_mounts=[flyte.Secret("key", as_env_var="my-key")])
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_pip_packages("x", secret_mounts=[flyte.Secret("key", as_env_var="MY_KEY")])
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! What is not known without running the code is not judged.
//!
//! ## References
//!
//! `flyte/_secret.py` of flyte 2.12.1.
//!
//! # FM507
//!
//! ## What it does
//!
//! Speaks of files of one name that `with_source_file` copies to one folder.
//!
//! ## Why
//!
//! The second would replace the first, so the SDK refuses them.
//!
//! ## Example
//!
//! ```python
//! from pathlib import Path
//!
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_source_file([Path("a/x.csv"), Path("b/x.csv")])
//! ```
//!
//! ```text
//! # a/x.csv
//! 1
//! ```
//!
//! ```text
//! # b/x.csv
//! 2
//! ```
//!
//! ```text
//! # b/y.csv
//! 3
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from pathlib import Path
//!
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_source_file([Path("a/x.csv"), Path("b/y.csv")])
//! ```
//!
//! ```text
//! # a/x.csv
//! 1
//! ```
//!
//! ```text
//! # b/x.csv
//! 2
//! ```
//!
//! ```text
//! # b/y.csv
//! 3
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! What is not known without running the code is not judged.
//!
//! ## References
//!
//! `flyte/_image.py` of flyte 2.12.1.
//!
//! # FM521
//!
//! ## What it does
//!
//! Speaks of a `registry_secret` that is given without a registry or name.
//!
//! ## Why
//!
//! The SDK drops it without a word, and the image cannot be pulled.
//!
//! ## Example
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_debian_base(python_version=(3, 12), registry_secret="pull")
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_debian_base(
//!     python_version=(3, 12), registry="ghcr.io/acme", registry_secret="pull"
//! )
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! Whether the secret is there.
//!
//! ## References
//!
//! `flyte/_image.py` of flyte 2.12.1.

use std::path::{Path, PathBuf};

use rustpython_ast::{self as ast, Expr};

use super::constant::Constant;
use super::evaluate::{Built, Evaluator, LayerPlace, Outcome, Place, Problem, Scope, Stuck, Unknown};
use super::image_class::nearest_method;
use super::signature::{DEVELOPER_METHODS, Kind, Signature, constructor, method};
use crate::diagnostic::Rule;
use crate::image::{
    Base, Changes, DEFAULT_PLATFORMS, Image, Layer, PipOptions, ProjectInstall, Refusal, Secret, path,
};
use crate::python::Ranged;
use crate::rules::codes::{
    FILES_OF_ONE_NAME, IMAGE_ARGUMENT_TYPE, IMAGE_CALL, IMAGE_REFERENCE, IMAGE_WITHOUT_NAME,
    LIST_AS_ARGUMENT, NOT_EXTENDABLE, REQUIREMENTS_SUFFIX, SECRET, SECRET_WITHOUT_REGISTRY,
};
use crate::source::TextRange;

/// An argument with what it comes to.
#[derive(Debug, Clone)]
struct Argument<'a> {
    place: Place,
    /// The expression, if the argument is one of its own.
    expr: Option<&'a Expr>,
    value: Outcome,
}

/// The arguments of a call, by parameter.
#[derive(Debug, Default)]
struct Arguments<'a> {
    named: Vec<(&'static str, Argument<'a>)>,
    variadic: Vec<Argument<'a>>,
}

impl<'a> Arguments<'a> {
    fn get(&self, name: &str) -> Option<&Argument<'a>> {
        self.named.iter().find(|(known, _)| *known == name).map(|(_, argument)| argument)
    }
}

/// An image that is being built, with the scope in which the next call reads its arguments.
struct Call<'e, 's, 'a> {
    evaluator: &'e Evaluator<'a>,
    scope: Scope<'s, 'a>,
    place: Place,
    built: Built,
}

impl<'a> Evaluator<'a> {
    /// `flyte.Image.name(…)`
    ///
    /// # Errors
    /// [`Stuck`] if there is no such constructor.
    pub(super) fn image_constructor(
        &self,
        scope: Scope<'_, 'a>,
        name: &str,
        call: &'a ast::ExprCall,
    ) -> Outcome {
        let place = scope.place(call.range);
        let Some(signature) = constructor(name) else {
            return self.refused_attribute(scope, name, call).ok_or(Stuck { place });
        };
        let mut maker = self.maker(scope, place);
        let arguments = maker.bind(signature, call);
        maker.note_arguments(&arguments);
        match name {
            "from_debian_base" => maker.start_from_debian_base(&arguments),
            "from_base" => maker.start_from_base(&arguments),
            "from_ref_name" => {
                let argument = arguments.get("name");
                if argument.is_some_and(|argument| argument.value == Ok(Constant::None)) {
                    maker.refuse_no_image("from_ref_name", argument);
                }
                let name = maker.text(argument).unwrap_or_else(|| "default".to_owned());
                maker.built.image = Image::from_ref_name(name);
            }
            "from_uv_script" => maker.start_from_uv_script(&arguments),
            "from_pixi_script" => maker.start_from_pixi_script(&arguments),
            _ => maker.start_from_dockerfile(&arguments),
        }
        let image = &mut maker.built.image;
        image.python_version = image.python_version.or(self.settings.python_version);
        Ok(Constant::Image(Box::new(maker.built)))
    }

    /// The image of an environment that names none.
    pub(super) fn default_image(&self, place: Place) -> Built {
        let mut maker = self.maker(Scope { file: place.file, frames: &[] }, place);
        maker.debian(&Arguments::default(), true);
        let image = &mut maker.built.image;
        image.python_version = image.python_version.or(self.settings.python_version);
        maker.built
    }

    fn maker<'e, 's>(&'e self, scope: Scope<'s, 'a>, place: Place) -> Call<'e, 's, 'a> {
        let built = Built {
            image: Image::from_base(String::new()),
            place,
            head: place,
            arguments: Vec::new(),
            layers: Vec::new(),
            unknown: Vec::new(),
            problems: Vec::new(),
        };
        Call { evaluator: self, scope, place, built }
    }

    /// `image.name(…)`
    ///
    /// # Errors
    /// [`Stuck`] if it does not give an image.
    pub(super) fn image_method(
        &self,
        scope: Scope<'_, 'a>,
        built: Built,
        name: &str,
        call: &'a ast::ExprCall,
    ) -> Outcome {
        let start = call.func.as_attribute_expr().map_or(call.range, |function| function.attr.range).start();
        let place = scope.place(TextRange::new(start, call.range.end()));
        let built = Built { place: scope.place(call.range), ..built };
        let mut maker = Call { evaluator: self, scope, place, built };
        let Some(signature) = method(name) else {
            if DEVELOPER_METHODS.contains(&name) {
                maker.developer_method(name, call);
            } else if name.starts_with("with_") {
                let message = format!("`{name}` is no method of an image");
                maker.problem(&IMAGE_CALL, place, message, nearest_method(name));
            } else {
                return Err(Stuck { place: scope.place(call.range) });
            }
            return Ok(Constant::Image(Box::new(maker.built)));
        };
        let arguments = maker.bind(signature, call);
        maker.method(name, &arguments);
        Ok(Constant::Image(Box::new(maker.built)))
    }
}

/// A keyword that the class of secrets does not take.
pub(super) fn unknown_secret_keyword(call: &ast::ExprCall) -> Option<&ast::Identifier> {
    let mut names = call.arguments.keywords.iter().filter_map(|keyword| keyword.arg.as_ref());
    names.find(|name| !["key", "group", "mount", "as_env_var"].contains(&name.as_str()))
}

/// Whether a dotted path leads to the class of secrets.
pub(super) fn is_secret_path(path: &str) -> bool {
    matches!(path, "flyte.Secret" | "flyte._secret.Secret")
}

impl<'a> Call<'_, '_, 'a> {
    fn problem(
        &mut self,
        rule: &'static Rule,
        place: Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let (message, help) = (message.into(), help.into());
        self.built.problems.push(Problem { rule, place, message, help, is_refused: true });
    }

    /// Something of another type than it should be, which the SDK takes all the same.
    fn odd(&mut self, place: Place, message: impl Into<String>, help: impl Into<String>) {
        let (message, help) = (message.into(), help.into());
        self.built.problems.push(Problem {
            rule: &IMAGE_ARGUMENT_TYPE,
            place,
            message,
            help,
            is_refused: false,
        });
    }

    /// Notes what is unknown, and gives what stands for it in the image: its source in braces.
    fn unknown(&mut self, place: Place) -> String {
        let text = self.evaluator.text(place).to_owned();
        let stand_in = format!("{{{text}}}");
        self.built.unknown.push(Unknown { place, text });
        stand_in
    }

    /// The code at a place, on one line and not too long for a message.
    fn source(&self, place: Place) -> String {
        let text = self.evaluator.text(place).split_whitespace().collect::<Vec<_>>().join(" ");
        if text.chars().count() <= 40 { text } else { text.chars().take(37).chain("...".chars()).collect() }
    }

    /// Gives the arguments to the parameters, as Python does.
    fn bind(&mut self, signature: &'static Signature, call: &'a ast::ExprCall) -> Arguments<'a> {
        let mut arguments = Arguments::default();
        let mut positions = signature.parameters.iter().filter(|parameter| parameter.kind == Kind::Usual);
        let is_variadic = signature.parameters.iter().any(|parameter| parameter.kind == Kind::Variadic);
        for argument in self.elements(&call.arguments.args) {
            if is_variadic {
                arguments.variadic.push(argument);
            } else if let Some(parameter) = positions.next() {
                arguments.named.push((parameter.name, argument));
            } else {
                self.refuse(signature, argument.place, "takes fewer arguments by position");
            }
        }
        for keyword in &call.arguments.keywords {
            let value = self.evaluator.evaluate(self.scope, &keyword.value);
            let place = self.scope.place(keyword.value.range());
            match &keyword.arg {
                Some(name) => {
                    let argument = Argument { place, expr: Some(&keyword.value), value };
                    self.bind_keyword(signature, &mut arguments, name, argument);
                }
                None => match value {
                    Ok(Constant::Dict(items)) => {
                        for (key, value) in items {
                            let argument = Argument { place, expr: None, value: Ok(value) };
                            self.bind_keyword(
                                signature,
                                &mut arguments,
                                &key.text().unwrap_or_default(),
                                argument,
                            );
                        }
                    }
                    _ => drop(self.unknown(place)),
                },
            }
        }
        let is_complete = self.built.unknown.is_empty();
        for parameter in signature.parameters.iter().filter(|parameter| parameter.is_required && is_complete)
        {
            if arguments.get(parameter.name).is_none() {
                self.refuse(signature, self.place, &format!("needs `{}`", parameter.name));
            }
        }
        arguments
    }

    fn bind_keyword(
        &mut self,
        signature: &'static Signature,
        arguments: &mut Arguments<'a>,
        name: &str,
        argument: Argument<'a>,
    ) {
        let parameter = signature
            .parameters
            .iter()
            .find(|parameter| parameter.name == name && parameter.kind != Kind::Variadic);
        match parameter {
            None => self.refuse(signature, argument.place, &format!("has no parameter `{name}`")),
            Some(parameter) if arguments.get(parameter.name).is_some() => {
                self.refuse(signature, argument.place, &format!("gets `{name}` twice"));
            }
            Some(parameter) => arguments.named.push((parameter.name, argument)),
        }
    }

    fn refuse(&mut self, signature: &Signature, place: Place, what: &str) {
        let message = format!("`{}` {what}", signature.name);
        let names: Vec<&str> = signature.parameters.iter().map(|parameter| parameter.name).collect();
        self.problem(
            &IMAGE_CALL,
            place,
            message,
            format!("Call it as `{}({})`", signature.name, names.join(", ")),
        );
    }

    /// Remembers where the parameters of a constructor or of `clone` are given.
    fn note_arguments(&mut self, arguments: &Arguments<'a>) {
        let places = arguments.named.iter().map(|(name, argument)| {
            // What `clone` calls its base is what `from_base` takes.
            (if *name == "base_image" { "image_uri" } else { name }, argument.place)
        });
        self.built.arguments.extend(places);
    }

    /// Each element of a row of expressions, `*expression` spread out.
    fn elements(&self, exprs: &'a [Expr]) -> Vec<Argument<'a>> {
        let mut elements = Vec::new();
        for expr in exprs {
            match expr {
                Expr::Starred(starred) => elements.extend(self.spread(&starred.value)),
                _ => elements.push(Argument {
                    place: self.scope.place(expr.range()),
                    expr: Some(expr),
                    value: self.evaluator.evaluate(self.scope, expr),
                }),
            }
        }
        elements
    }

    /// The elements of a list or tuple.
    fn spread(&self, expr: &'a Expr) -> Vec<Argument<'a>> {
        if let Expr::List(ast::ExprList { elts, .. }) | Expr::Tuple(ast::ExprTuple { elts, .. }) = expr {
            return self.elements(elts);
        }
        let place = self.scope.place(expr.range());
        let value = self.evaluator.row(self.scope, expr);
        match value.as_ref().map(Constant::elements) {
            Ok(Some(elements)) => elements
                .iter()
                .map(|element| Argument { place, expr: None, value: Ok(element.clone()) })
                .collect(),
            _ => vec![Argument { place, expr: None, value: value.and(Err(Stuck { place })) }],
        }
    }

    /// A parameter that is a list: its elements; a value alone is a list of one.
    fn listed(&self, argument: &Argument<'a>) -> Vec<Argument<'a>> {
        match (argument.expr, &argument.value) {
            (Some(expr @ (Expr::List(_) | Expr::Tuple(_))), _) => self.spread(expr),
            (_, Ok(Constant::List(elements) | Constant::Tuple(elements))) => elements
                .iter()
                .map(|element| Argument { place: argument.place, expr: None, value: Ok(element.clone()) })
                .collect(),
            _ => vec![argument.clone()],
        }
    }

    /// A text; `None` if there is none. The SDK refuses what is no text.
    fn text(&mut self, argument: Option<&Argument<'a>>) -> Option<String> {
        let argument = argument.filter(|argument| argument.value != Ok(Constant::None))?;
        self.item(argument, true)
    }

    /// A text of which the SDK takes notice only if it counts as true.
    fn given_text(&mut self, argument: Option<&Argument<'a>>) -> Option<String> {
        self.text(argument.filter(|argument| match &argument.value {
            Ok(Constant::Str(_)) | Err(_) => true,
            Ok(value) => value.is_true(),
        }))
    }

    /// A text that the SDK writes into the `uri`, whatever it is.
    fn shown(&mut self, argument: Option<&Argument<'a>>) -> Option<String> {
        let argument = argument.filter(|argument| argument.value.as_ref().map_or(true, Constant::is_true))?;
        self.item(argument, false)
    }

    /// A text that must not be `None`.
    fn needed_text(&mut self, argument: Option<&Argument<'a>>) -> Option<String> {
        self.item(argument?, true)
    }

    /// One of a row of texts, of which none may be left out.
    fn item(&mut self, argument: &Argument<'a>, is_refused: bool) -> Option<String> {
        match &argument.value {
            Ok(Constant::Str(text)) => Some(text.clone()),
            Ok(value @ (Constant::List(_) | Constant::Tuple(_))) if is_refused => {
                let message = format!(
                    "`{}` is {}, and the SDK takes its items one by one here",
                    self.source(argument.place),
                    value.type_name()
                );
                self.problem(
                    &LIST_AS_ARGUMENT,
                    argument.place,
                    message,
                    "Pass the items as separate arguments, with `*` in front of a list",
                );
                None
            }
            Ok(value) => match value.text() {
                None => Some(self.unknown(argument.place)),
                Some(text) => {
                    let message = match value {
                        Constant::None => format!("`{}` is None", self.source(argument.place)),
                        value => format!("`{}` is {}", self.source(argument.place), value.type_name()),
                    } + ", not a string";
                    if is_refused {
                        self.problem(&IMAGE_ARGUMENT_TYPE, argument.place, message, "Write it as a string");
                    } else {
                        self.odd(argument.place, message, "Write it as a string");
                    }
                    Some(text)
                }
            },
            Err(stuck) => Some(self.unknown_part(argument, *stuck)),
        }
    }

    /// What is unknown in an argument: the whole stands in the image, the innermost expression is named.
    fn unknown_part(&mut self, argument: &Argument<'a>, stuck: Stuck) -> String {
        let place = if stuck.place.file == argument.place.file
            && argument.place.range.contains_range(stuck.place.range)
        {
            stuck.place
        } else {
            argument.place
        };
        self.unknown(place);
        format!("{{{}}}", self.evaluator.text(argument.place))
    }

    /// A path, from a string or a path.
    fn path(&mut self, argument: Option<&Argument<'a>>) -> Option<PathBuf> {
        let argument = argument?;
        match &argument.value {
            Ok(Constant::None) => None,
            Ok(value @ (Constant::Str(_) | Constant::Path(_))) => {
                let path = value.as_path().filter(|path| path.is_relative());
                if path.is_some() && self.evaluator.changes.moves() {
                    self.unknown(argument.place);
                }
                value.as_path()
            }
            _ => self.text(Some(argument)).map(PathBuf::from),
        }
    }

    /// A path that must be given.
    fn needed_path(&mut self, argument: Option<&Argument<'a>>) -> PathBuf {
        let none = argument.filter(|argument| argument.value == Ok(Constant::None));
        if let Some(argument) = none {
            self.problem(
                &IMAGE_ARGUMENT_TYPE,
                argument.place,
                "`None` is no path",
                "Name the file or folder",
            );
        }
        self.path(argument).unwrap_or_default()
    }

    /// A lock, of which the SDK asks what only paths answer.
    fn lock(&mut self, argument: Option<&Argument<'a>>) -> Option<PathBuf> {
        if let Some(argument) = argument
            && let Ok(Constant::Str(text)) = &argument.value
        {
            let message =
                format!("the lock `{text}` is a string, and the SDK fails when it looks whether it exists");
            self.odd(argument.place, message, "Wrap it in `Path(…)`");
        }
        self.path(argument)
    }

    fn flag(&mut self, argument: Option<&Argument<'a>>) -> Option<bool> {
        let argument = argument?;
        match &argument.value {
            Ok(Constant::None) => None,
            Ok(Constant::Name(_) | Constant::Module(_)) => {
                self.unknown(argument.place);
                None
            }
            Ok(value) => Some(value.is_true()),
            Err(stuck) => {
                self.unknown_part(argument, *stuck);
                None
            }
        }
    }

    /// `python_version=(3, 11)`: how it stands in tags, and the version itself if it is known.
    fn python(&mut self, argument: Option<&Argument<'a>>) -> (String, Option<(u32, u32)>) {
        let given = argument.filter(|argument| argument.value != Ok(Constant::None));
        let Some(argument) = given else {
            if let Some((major, minor)) = self.evaluator.settings.python_version {
                return (format!("{major}.{minor}"), None);
            }
            let text = "the version of the Python that runs this".to_owned();
            self.built.unknown.push(Unknown { place: self.place, text });
            return ("{python_version}".to_owned(), None);
        };
        let value = match &argument.value {
            Ok(value) => value.clone(),
            Err(stuck) => return (self.unknown_part(argument, *stuck), None),
        };
        if matches!(value, Constant::Name(_)) {
            return (self.unknown(argument.place), None);
        }
        let part = |value: &Constant| match value {
            Constant::Int(part) => u32::try_from(*part).ok(),
            _ => None,
        };
        let items = value.items();
        let first = items.as_deref().and_then(|items| Some((items.first()?, items.get(1)?)));
        let version = first.and_then(|(major, minor)| part(major).zip(part(minor)));
        let tag = first.and_then(|(major, minor)| Some(format!("{}.{}", major.text()?, minor.text()?)));
        if version.is_none() {
            let message = format!("`python_version` is {}, not a tuple of two numbers", value.type_name());
            let help = "Write it as `(3, 12)`";
            match tag {
                Some(_) => self.odd(argument.place, message, help),
                None => self.problem(&IMAGE_ARGUMENT_TYPE, argument.place, message, help),
            }
        }
        (tag.unwrap_or_default(), version)
    }

    fn texts(&mut self, argument: Option<&Argument<'a>>) -> Vec<String> {
        let Some(argument) = argument else { return Vec::new() };
        let elements = self.listed(argument);
        elements.iter().filter_map(|element| self.item(element, true)).collect()
    }

    fn platform(&mut self, argument: Option<&Argument<'a>>) -> Option<Vec<String>> {
        let given = argument.filter(|argument| argument.value.as_ref().map_or(true, Constant::is_true))?;
        Some(self.platforms(given))
    }

    fn platforms(&mut self, argument: &Argument<'a>) -> Vec<String> {
        let mut platforms = Vec::new();
        for element in self.listed(argument) {
            if let Ok(Constant::Str(platform)) = &element.value
                && !DEFAULT_PLATFORMS.contains(&platform.as_str())
            {
                let message = format!("`{platform}` is no platform that Flyte builds images for");
                self.odd(element.place, message, "Use `linux/amd64` or `linux/arm64`");
            }
            platforms.extend(self.item(&element, false));
        }
        platforms
    }

    /// What the SDK makes of a string where it takes a row: a row of single letters.
    fn letters(&mut self, name: &str, argument: &Argument<'a>) -> Option<Vec<String>> {
        let Ok(Constant::Str(text)) = &argument.value else { return None };
        let letters = text.chars().map(String::from).collect();
        let message = format!("`{name}` is a string, which the SDK takes for a row of single letters");
        self.odd(argument.place, message, "Write it as a tuple with a comma behind it: `(\"…\",)`");
        Some(letters)
    }

    fn secrets(&mut self, argument: Option<&Argument<'a>>) -> Vec<Secret> {
        let Some(argument) = argument else { return Vec::new() };
        let elements = self.listed(argument);
        elements.iter().filter_map(|element| self.secret(element, false)).collect()
    }

    fn secret(&mut self, argument: &Argument<'a>, is_of_registry: bool) -> Option<Secret> {
        if argument.expr.is_some_and(|expr| self.is_keyless(expr)) {
            let message = format!("`{}` has no key", self.source(argument.place));
            self.problem(&SECRET, argument.place, message, "Write the name of the secret first");
            return None;
        }
        if let Some(Expr::Call(call)) = argument.expr
            && let Some(name) = unknown_secret_keyword(call).filter(|_| self.is_secret(call))
        {
            let message = format!("`Secret` has no parameter `{name}`");
            let help = "Give `key`, `group`, `mount` or `as_env_var`";
            self.problem(&SECRET, self.scope.place(name.range()), message, help);
            return None;
        }
        let known = self.built.unknown.len();
        let secret = match &argument.value {
            Ok(Constant::Secret(secret)) => secret.clone(),
            _ => Secret::plain(self.item(argument, false)?),
        };
        if self.built.unknown.len() > known
            || !matches!(argument.value, Ok(Constant::Secret(_) | Constant::Str(_)))
        {
            return Some(secret);
        }
        if secret.mount.as_deref().is_some_and(|mount| mount != Path::new("/etc/flyte/secrets")) {
            self.problem(
                &SECRET,
                argument.place,
                "`mount` of a secret can only be `/etc/flyte/secrets`",
                "Mount it there, or take it from an environment variable with `as_env_var`",
            );
        }
        let is_variable = |name: &str| {
            name.starts_with(|first: char| first.is_ascii_uppercase() || first == '_')
                && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        };
        if let Some(name) = secret.as_env_var.as_deref().filter(|name| !is_variable(name)) {
            self.built.problems.push(Problem {
                rule: &SECRET,
                place: argument.place,
                message: format!("`{name}` is no name for the environment variable of a secret"),
                help: "Use capital letters, digits and underscores".to_owned(),
                // Of a plain string the SDK makes a secret when it builds.
                is_refused: !secret.is_plain || is_of_registry,
            });
        }
        Some(secret)
    }

    /// `flyte.Secret(None)`: without a key there is no name for its variable.
    fn is_keyless(&self, expr: &'a Expr) -> bool {
        let Expr::Call(call) = expr else { return false };
        let is_plain = call.arguments.keywords.iter().all(|keyword| keyword.arg.is_some())
            && !call.arguments.args.iter().any(Expr::is_starred_expr);
        let has_other_name = ["mount", "as_env_var"]
            .iter()
            .zip(2..)
            .any(|(name, position)| call.arguments.find_argument_value(name, position).is_some());
        self.is_secret(call)
            && is_plain
            && match call.arguments.find_argument_value("key", 0) {
                Some(key) => {
                    let value = self.evaluator.evaluate(self.scope, key);
                    !has_other_name && value.is_ok_and(|value| !matches!(value, Constant::Str(_)))
                }
                None => true,
            }
    }

    /// Whether a call makes a secret.
    fn is_secret(&self, call: &'a ast::ExprCall) -> bool {
        matches!(
            self.evaluator.chain(self.scope, &call.func),
            Ok((Constant::Name(path), rest)) if rest.is_empty() && is_secret_path(&path)
        )
    }

    fn registry_secret(&mut self, argument: Option<&Argument<'a>>) -> Option<Secret> {
        let argument = argument.filter(|argument| argument.value.as_ref().map_or(true, Constant::is_true))?;
        self.secret(argument, true).map(|secret| Secret { is_plain: false, ..secret })
    }

    fn pip_options(&mut self, arguments: &Arguments<'a>) -> PipOptions {
        let index_url = self.given_text(arguments.get("index_url"));
        let extra_index_urls = self.given_texts(arguments.get("extra_index_urls"));
        let (pre, pre_text) = self.pre(arguments.get("pre"));
        PipOptions {
            index_url,
            extra_index_urls,
            pre,
            pre_text,
            extra_args: self.given_text(arguments.get("extra_args")),
            secret_mounts: self.given_secrets(arguments.get("secret_mounts")),
        }
    }

    /// `pre=True`, or what else is true with its text: the SDK puts that into the `uri`.
    fn pre(&mut self, argument: Option<&Argument<'a>>) -> (bool, Option<String>) {
        let Some(argument) = argument.filter(|argument| argument.value != Ok(Constant::Bool(true))) else {
            return (argument.is_some(), None);
        };
        if let Ok(value @ (Constant::List(_) | Constant::Tuple(_))) = &argument.value {
            let message = format!("`pre` is {}, and the SDK takes no row here", value.type_name());
            self.problem(&LIST_AS_ARGUMENT, argument.place, message, "Write `True` or `False`");
            return (false, None);
        }
        if !self.flag(Some(argument)).unwrap_or_default() {
            return (false, None);
        }
        let text = argument.value.as_ref().ok().and_then(Constant::text);
        if text.is_none() {
            self.unknown(argument.place);
        }
        if let Ok(Constant::Str(text)) = &argument.value {
            let message =
                format!("`pre` is the string `{text}`, which counts as true; remote builds refuse it");
            self.odd(argument.place, message, "Write `True` or `False`");
        }
        (true, text)
    }

    /// Texts of a parameter for which "nothing" (`None`, `""`, `[]`) is as good as left out.
    fn given_texts(&mut self, argument: Option<&Argument<'a>>) -> Vec<String> {
        let argument = argument.filter(|argument| argument.value.as_ref().map_or(true, Constant::is_true));
        self.texts(argument)
    }

    fn given_secrets(&mut self, argument: Option<&Argument<'a>>) -> Vec<Secret> {
        let argument = argument.filter(|argument| argument.value.as_ref().map_or(true, Constant::is_true));
        self.secrets(argument)
    }

    fn install_mode(&mut self, argument: Option<&Argument<'a>>) -> ProjectInstall {
        let Some(argument) = argument else { return ProjectInstall::DependenciesOnly };
        match &argument.value {
            Ok(Constant::Str(mode)) if mode == "dependencies_only" => {
                return ProjectInstall::DependenciesOnly;
            }
            Ok(Constant::Str(mode)) if mode == "install_project" => {}
            Err(stuck) => drop(self.unknown_part(argument, *stuck)),
            Ok(Constant::Name(_)) => drop(self.unknown(argument.place)),
            Ok(_) => {
                let source = self.source(argument.place);
                let message =
                    format!("`{source}` is no way to install a project; the SDK installs the project itself");
                self.odd(argument.place, message, "Write `\"dependencies_only\"` or `\"install_project\"`");
            }
        }
        // Whatever it is, the SDK takes it for this.
        ProjectInstall::InstallProject
    }

    /// The version of the SDK as it stands in tags.
    fn flyte_version(&mut self) -> String {
        let settings = self.evaluator.settings;
        if let Some(limit) = &settings.flyte_limit {
            let text = format!("the version of flyte that `{limit}` allows");
            self.built.unknown.push(Unknown { place: self.place, text });
            return "{flyte_version}".to_owned();
        }
        settings.flyte_version.replace('+', "-")
    }

    fn debian(&mut self, arguments: &Arguments<'a>, installs_flyte: bool) {
        let (tag, version) = self.python(arguments.get("python_version"));
        let settings = self.evaluator.settings;
        let mut image = if installs_flyte {
            // What is given stands in the tag as it is.
            let given = self.text(arguments.get("flyte_version"));
            let flyte_version = given.unwrap_or_else(|| self.flyte_version());
            Image::from_debian_base(Image::released_base(&tag, &flyte_version))
        } else {
            Image::from_plain_debian(&tag)
        };
        image.python_version = version;
        image.registry.clone_from(&settings.config.registry);
        if let Some(argument) =
            arguments.get("platform").filter(|argument| argument.value != Ok(Constant::None))
        {
            let letters = self.letters("platform", argument);
            image.platform = letters.unwrap_or_else(|| self.platforms(argument));
        }
        self.built.image = image;
        let layers = self.built.image.layers.iter();
        self.built.layers = layers.map(|_| LayerPlace { call: self.place, items: Vec::new() }).collect();
        let changes = Changes {
            name: self.shown(arguments.get("name")),
            registry: self.shown(arguments.get("registry")),
            ..Changes::default()
        };
        let is_given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        let registry_secret = self.registry_secret(arguments.get("registry_secret"));
        // The SDK drops a secret that comes alone; the validation says so.
        if is_given(&changes.name) || is_given(&changes.registry) {
            self.built.image.change(Changes { registry_secret, extendable: Some(true), ..changes });
        } else if let Some(argument) = arguments.get("registry_secret").filter(|_| registry_secret.is_some())
        {
            self.built.problems.push(Problem {
                rule: &SECRET_WITHOUT_REGISTRY,
                place: argument.place,
                message: "`registry_secret` is dropped without `registry` or `name`".to_owned(),
                help: "Name the registry that the secret is for".to_owned(),
                is_refused: false,
            });
        }
    }

    /// Notes what gives the image another registry than the configuration, if it is given none of its own.
    fn note_other_registry(&mut self, arguments: &Arguments<'a>) {
        let is_own = |argument: &Argument<'a>| argument.value.as_ref().map_or(true, Constant::is_true);
        if self.evaluator.settings.needs_uris && !arguments.get("registry").is_some_and(is_own) {
            let moment = self.evaluator.moment(self.scope, self.place.range.start());
            self.built.unknown.extend(self.evaluator.other_registry(moment));
        }
    }

    fn start_from_debian_base(&mut self, arguments: &Arguments<'a>) {
        self.note_other_registry(arguments);
        let argument = arguments.get("install_flyte");
        let is_none = argument.is_some_and(|argument| argument.value == Ok(Constant::None));
        let installs_flyte = !is_none && self.flag(argument).unwrap_or(true);
        self.debian(arguments, installs_flyte);
    }

    fn start_from_base(&mut self, arguments: &Arguments<'a>) {
        let uri = self.text(arguments.get("image_uri")).unwrap_or_default();
        if uri.is_empty() && self.built.problems.is_empty() {
            self.refuse_no_image("from_base", arguments.get("image_uri"));
        }
        self.built.image = Image::from_base(uri);
    }

    fn refuse_no_image(&mut self, constructor: &str, argument: Option<&Argument<'a>>) {
        let place = argument.map_or(self.place, |argument| argument.place);
        self.problem(
            &IMAGE_REFERENCE,
            place,
            format!("`{constructor}` is given no image"),
            "Pass a whole image reference such as `registry/name:tag`",
        );
    }

    fn start_from_dockerfile(&mut self, arguments: &Arguments<'a>) {
        let file = self.needed_path(arguments.get("file"));
        let (registry, name) = (self.shown(arguments.get("registry")), self.shown(arguments.get("name")));
        let platform = self.platform(arguments.get("platform"));
        self.built.image = Image::from_dockerfile(file, registry, name, platform);
    }

    fn start_from_uv_script(&mut self, arguments: &Arguments<'a>) {
        let script = self.needed_path(arguments.get("script"));
        let options = self.pip_options(arguments);
        self.note_other_registry(arguments);
        self.debian(arguments, false);
        self.add(Layer::UvScript { script, options }, Vec::new());
    }

    fn start_from_pixi_script(&mut self, arguments: &Arguments<'a>) {
        let script = self.needed_path(arguments.get("script"));
        let environment = match arguments.get("environment") {
            argument @ Some(_) => self.needed_text(argument).unwrap_or_default(),
            None => "default".to_owned(),
        };
        let extra_args = self.given_text(arguments.get("extra_args"));
        let secret_mounts = self.given_secrets(arguments.get("secret_mounts"));
        self.note_other_registry(arguments);
        self.debian(arguments, false);
        let given = self.built.image.platform.clone();
        let platforms = if given.is_empty() { DEFAULT_PLATFORMS.map(str::to_owned).to_vec() } else { given };
        let mut subdirs = Vec::new();
        for platform in platforms {
            match platform.as_str() {
                "linux/amd64" => subdirs.push("linux-64".to_owned()),
                "linux/arm64" => subdirs.push("linux-aarch64".to_owned()),
                _ => {
                    let place = arguments.get("platform").map_or(self.place, |argument| argument.place);
                    let message = format!("`{platform}` is no platform that pixi images can be built for");
                    self.problem(&IMAGE_ARGUMENT_TYPE, place, message, "Use `linux/amd64` or `linux/arm64`");
                }
            }
        }
        let layer = Layer::PixiScript { script, platforms: subdirs, environment, extra_args, secret_mounts };
        self.add(layer, Vec::new());
    }

    fn add(&mut self, layer: Layer, items: Vec<Place>) {
        self.built.layers.push(LayerPlace { call: self.place, items });
        self.built.image.add(layer);
    }

    fn check_extendable(&mut self) {
        let Some(refusal) = self.built.image.refusal() else { return };
        let (rule, message, help): (&'static Rule, _, _) = match refusal {
            Refusal::NotExtendable => (
                &NOT_EXTENDABLE,
                "adds a layer to an image that takes none",
                "Make it extendable first: `.clone(name=\"…\", extendable=True)`",
            ),
            Refusal::Dockerfile => (
                &NOT_EXTENDABLE,
                "adds a layer to an image that comes from a Dockerfile",
                "Write it into the Dockerfile",
            ),
            Refusal::NoName => (
                &IMAGE_WITHOUT_NAME,
                "adds a layer to an image without a name",
                "Name it: `.clone(name=\"…\", extendable=True)`",
            ),
        };
        // One word about each image is enough.
        if self.built.problems.iter().all(|problem| problem.rule != rule) {
            let method = self.evaluator.text(self.place).split('(').next().unwrap_or_default().trim();
            self.problem(rule, self.place, format!("`{method}` {message}"), help);
        }
    }

    fn method(&mut self, name: &str, arguments: &Arguments<'a>) {
        if name == "clone" {
            return self.clone_image(arguments);
        }
        self.check_extendable();
        match name {
            "with_pip_packages" => {
                let (packages, items) = self.row(&arguments.variadic);
                let options = self.pip_options(arguments);
                self.add(Layer::PipPackages { packages, options }, items);
            }
            "with_apt_packages" => {
                let (packages, items) = self.row(&arguments.variadic);
                let secret_mounts = self.given_secrets(arguments.get("secret_mounts"));
                self.add(Layer::AptPackages { packages, secret_mounts }, items);
            }
            "with_commands" => {
                let elements =
                    arguments.get("commands").map(|argument| self.listed(argument)).unwrap_or_default();
                let (commands, items) = self.row(&elements);
                let secret_mounts = self.given_secrets(arguments.get("secret_mounts"));
                self.add(Layer::Commands { commands, secret_mounts }, items);
            }
            "with_env_vars" => self.with_env_vars(arguments),
            "with_workdir" => {
                let workdir = self.needed_text(arguments.get("workdir")).unwrap_or_default();
                self.add(Layer::WorkDir { workdir }, Vec::new());
            }
            "with_requirements" => self.with_requirements(arguments),
            "with_source_file" => self.with_source_file(arguments),
            "with_source_folder" => self.with_source_folder(arguments),
            "with_dockerignore" => {
                let Some(argument) = arguments.get("path") else { return };
                let path = match &argument.value {
                    Ok(Constant::Path(text) | Constant::Str(text)) => text.clone(),
                    _ => self.item(argument, false).unwrap_or_default(),
                };
                self.add(Layer::DockerIgnore { path }, Vec::new());
            }
            "with_code_bundle" => {
                let copy_style =
                    self.text(arguments.get("copy_style")).unwrap_or_else(|| "loaded_modules".to_owned());
                let dst = self.text(arguments.get("dst")).unwrap_or_else(|| ".".to_owned());
                self.add(Layer::CodeBundle { copy_style, dst }, Vec::new());
            }
            "with_uv_project" => self.with_uv_project(arguments),
            "with_poetry_project" => self.with_poetry_project(arguments),
            _ => self.with_pixi_project(arguments),
        }
    }

    /// A method that adds wheels which stand beside the source of the SDK.
    fn developer_method(&mut self, name: &str, call: &'a ast::ExprCall) {
        if name == "with_local_v2_plugins" {
            let elements = match call.arguments.find_argument_value("plugins", 0) {
                Some(expr) => {
                    let value = self.evaluator.evaluate(self.scope, expr);
                    let is_text = matches!(value, Ok(Constant::Str(_)));
                    let argument =
                        Argument { place: self.scope.place(expr.range()), expr: Some(expr), value };
                    let is_given = is_text || argument.value.as_ref().map_or(true, Constant::is_true);
                    if is_given { self.listed(&argument) } else { Vec::new() }
                }
                None => Vec::new(),
            };
            // Without names the image stays as it is.
            if elements.is_empty() && call.arguments.keywords.iter().all(|keyword| keyword.arg.is_some()) {
                return;
            }
            for element in &elements {
                let Some(plugin) = self.item(element, true) else { continue };
                if element.value.is_ok() && !plugin.starts_with("flyteplugins-") {
                    let message = format!("`{plugin}` is no plugin, and the SDK takes no other name");
                    let help = "Write its name as that of the package: `flyteplugins-…`";
                    return self.problem(&IMAGE_ARGUMENT_TYPE, element.place, message, help);
                }
            }
        }
        self.check_extendable();
        self.unknown(self.place);
    }

    /// The texts of a row of arguments, and where each of them stands.
    fn row(&mut self, arguments: &[Argument<'a>]) -> (Vec<String>, Vec<Place>) {
        let texts =
            arguments.iter().filter_map(|argument| Some((self.item(argument, true)?, argument.place)));
        texts.unzip()
    }

    fn clone_image(&mut self, arguments: &Arguments<'a>) {
        if let Some(argument) =
            arguments.get("addl_layer").filter(|argument| argument.value != Ok(Constant::None))
        {
            self.unknown(argument.place);
        }
        let python_version = match arguments.get("python_version") {
            Some(argument) if argument.value.as_ref().map_or(true, Constant::is_true) => {
                self.python(Some(argument)).1
            }
            _ => None,
        };
        self.note_arguments(arguments);
        let base_image = self.given_text(arguments.get("base_image"));
        // Such an image has two bases at once: which one counts depends on who asks.
        if let (Some(_), Some(argument), Base::Dockerfile(_) | Base::RefName(_)) =
            (&base_image, arguments.get("base_image"), &self.built.image.base)
        {
            self.unknown(argument.place);
        }
        let changes = Changes {
            name: self.shown(arguments.get("name")),
            registry: self.shown(arguments.get("registry")),
            registry_secret: self.registry_secret(arguments.get("registry_secret")),
            base_image,
            python_version,
            platform: self.platform(arguments.get("platform")),
            extendable: self.flag(arguments.get("extendable")),
        };
        self.built.image.change(changes);
    }

    fn with_env_vars(&mut self, arguments: &Arguments<'a>) {
        let Some(argument) = arguments.get("env_vars") else { return };
        let mut variables = Vec::new();
        let mut items = Vec::new();
        if let Some(Expr::Dict(dict)) = argument.expr.filter(|_| argument.value.is_err()) {
            for item in &dict.items {
                let value = |expr: &'a Expr| Argument {
                    place: self.scope.place(expr.range()),
                    expr: Some(expr),
                    value: self.evaluator.evaluate(self.scope, expr),
                };
                let (key, value) = (item.key.as_ref().map(value), value(&item.value));
                match key {
                    Some(key) => {
                        items.push(value.place);
                        let key = self.item(&key, false).unwrap_or_default();
                        variables.push((key, self.item(&value, false).unwrap_or_default()));
                    }
                    None => drop(self.unknown(value.place)),
                }
            }
            return self.add(Layer::Env { variables }, items);
        }
        match &argument.value {
            Ok(Constant::Dict(entries)) => {
                let exprs = match argument.expr {
                    Some(Expr::Dict(dict)) if dict.items.len() == entries.len() => Some(&dict.items),
                    _ => None,
                };
                for (index, (key, value)) in entries.iter().enumerate() {
                    let place =
                        exprs.map_or(argument.place, |items| self.scope.place(items[index].value.range()));
                    let (Some(name), Some(text)) = (key.text(), value.text()) else {
                        self.unknown(place);
                        continue;
                    };
                    if !matches!(key, Constant::Str(_)) {
                        let message = format!("the name `{name}` is {}, not a string", key.type_name());
                        self.odd(place, message, "Write it as a string; remote builds take nothing else");
                    }
                    if !matches!(value, Constant::Str(_)) {
                        let message = format!("the value of `{name}` is {}, not a string", value.type_name());
                        self.odd(place, message, "Write it as a string; remote builds take nothing else");
                    }
                    variables.push((name, text));
                    items.push(place);
                }
            }
            Ok(value) => {
                let message = format!("`with_env_vars` is given {}, not a dict", value.type_name());
                self.problem(&IMAGE_ARGUMENT_TYPE, argument.place, message, "Pass a dict of strings");
            }
            Err(stuck) => drop(self.unknown_part(argument, *stuck)),
        }
        self.add(Layer::Env { variables }, items);
    }

    fn with_requirements(&mut self, arguments: &Arguments<'a>) {
        let argument = arguments.get("file");
        let file = self.needed_path(argument);
        let text = file.to_string_lossy().into_owned();
        if let Some(argument) = argument
            .filter(|argument| argument.value.is_ok() && !text.is_empty() && path::suffix(&text) != ".txt")
        {
            let message = format!("`{text}` is no `.txt` file, and the SDK takes no other for requirements");
            let help = match path::name(&text) {
                "poetry.lock" => "Use `with_poetry_project`",
                "uv.lock" | "pyproject.toml" => "Use `with_uv_project`",
                _ => "Rename the file",
            };
            self.problem(&REQUIREMENTS_SUFFIX, argument.place, message, help);
        }
        let options = self.pip_options(arguments);
        self.add(
            Layer::Requirements { file, options },
            argument.map(|argument| argument.place).into_iter().collect(),
        );
    }

    fn with_source_file(&mut self, arguments: &Arguments<'a>) {
        let Some(argument) = arguments.get("src") else { return };
        let dst = self.destination(arguments);
        let is_list = matches!(argument.value, Ok(Constant::List(_)))
            || matches!((argument.expr, &argument.value), (Some(Expr::List(_)), Err(_)));
        let elements = if is_list { self.listed(argument) } else { vec![argument.clone()] };
        let mut names: Vec<String> = Vec::new();
        for element in elements {
            if let Ok(Constant::Str(_)) = element.value
                && is_list
            {
                self.problem(
                    &IMAGE_ARGUMENT_TYPE,
                    element.place,
                    "`with_source_file` takes a list of paths, not of strings",
                    "Wrap it in `Path(…)`",
                );
            }
            let src = self.needed_path(Some(&element));
            let name = path::name(&src.to_string_lossy()).to_owned();
            if names.contains(&name) {
                let message = format!("`{name}` is the name of two files that go to the same place");
                self.problem(&FILES_OF_ONE_NAME, element.place, message, "Copy them to different folders");
            }
            names.push(name);
            self.add(Layer::CopyFile { src, dst: dst.clone() }, vec![element.place]);
        }
    }

    /// Where files go.
    fn destination(&mut self, arguments: &Arguments<'a>) -> String {
        let Some(argument) = arguments.get("dst") else { return ".".to_owned() };
        if argument.value == Ok(Constant::None) {
            self.odd(argument.place, "`dst` is None, not a string", "Leave it out, or name a folder");
        }
        self.given_text(Some(argument)).unwrap_or_default()
    }

    fn with_source_folder(&mut self, arguments: &Arguments<'a>) {
        let Some(argument) = arguments.get("src") else { return };
        let src = self.needed_path(Some(argument));
        let dst = self.destination(arguments);
        let is_contents = self.flag(arguments.get("copy_contents_only")).unwrap_or_default();
        let dst = if is_contents || dst != "." {
            dst
        } else {
            if let Ok(Constant::Str(_)) = argument.value {
                self.problem(
                    &IMAGE_ARGUMENT_TYPE,
                    argument.place,
                    "`with_source_folder` needs a path, not a string, if it is given no `dst`",
                    "Wrap it in `Path(…)`",
                );
            }
            format!("./{}", path::name(&src.to_string_lossy()))
        };
        self.add(Layer::CopyFolder { src, dst }, vec![argument.place]);
    }

    /// A file beside another that is taken if it is there.
    fn beside(&self, file: &Path, name: &str) -> Option<PathBuf> {
        let text = file.to_string_lossy();
        let beside = PathBuf::from(path::join(&path::parent(&text), name));
        self.evaluator.disk.exists(&beside).then_some(beside)
    }

    fn with_uv_project(&mut self, arguments: &Arguments<'a>) {
        let argument = arguments.get("pyproject_file");
        let pyproject = self.needed_path(argument);
        if let Some(argument) = arguments.get("extra_index_urls")
            && let Ok(Constant::List(_)) = argument.value
        {
            self.problem(
                &LIST_AS_ARGUMENT,
                argument.place,
                "`extra_index_urls` of `with_uv_project` is a list, which the SDK refuses here",
                "Write it as a tuple",
            );
        }
        let uvlock = self.lock(arguments.get("uvlock")).or_else(|| self.beside(&pyproject, "uv.lock"));
        let install = self.install_mode(arguments.get("project_install_mode"));
        let mut options = self.pip_options(arguments);
        if let Some(letters) =
            arguments.get("extra_index_urls").and_then(|urls| self.letters("extra_index_urls", urls))
        {
            options.extra_index_urls = letters;
        }
        let items = argument.map(|argument| argument.place).into_iter().collect();
        self.add(Layer::UvProject { pyproject, uvlock, install, options }, items);
    }

    fn with_poetry_project(&mut self, arguments: &Arguments<'a>) {
        let argument = arguments.get("pyproject_file");
        let pyproject = self.needed_path(argument);
        let poetry_lock = self.lock(arguments.get("poetry_lock")).unwrap_or_else(|| {
            PathBuf::from(path::join(&path::parent(&pyproject.to_string_lossy()), "poetry.lock"))
        });
        let install = self.install_mode(arguments.get("project_install_mode"));
        let extra_args = self.given_text(arguments.get("extra_args"));
        let secret_mounts = self.given_secrets(arguments.get("secret_mounts"));
        let items = argument.map(|argument| argument.place).into_iter().collect();
        self.add(Layer::PoetryProject { pyproject, poetry_lock, install, extra_args, secret_mounts }, items);
    }

    fn with_pixi_project(&mut self, arguments: &Arguments<'a>) {
        let argument = arguments.get("manifest_file");
        let mut manifest = self.needed_path(argument);
        if self.evaluator.disk.is_folder(&manifest) {
            let inside = |name: &str| PathBuf::from(path::join(&manifest.to_string_lossy(), name));
            let pixi = inside("pixi.toml");
            manifest = if self.evaluator.disk.exists(&pixi) { pixi } else { inside("pyproject.toml") };
        }
        let pixi_lock = self.lock(arguments.get("pixi_lock")).or_else(|| self.beside(&manifest, "pixi.lock"));
        let environment = match arguments.get("environment") {
            argument @ Some(_) => self.needed_text(argument).unwrap_or_default(),
            None => "default".to_owned(),
        };
        let install = self.install_mode(arguments.get("project_install_mode"));
        let extra_args = self.given_text(arguments.get("extra_args"));
        let secret_mounts = self.given_secrets(arguments.get("secret_mounts"));
        let items = argument.map(|argument| argument.place).into_iter().collect();
        self.add(
            Layer::PixiProject { manifest, pixi_lock, environment, install, extra_args, secret_mounts },
            items,
        );
    }
}
