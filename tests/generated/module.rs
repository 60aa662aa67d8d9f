//! A random Flyte 1 module that flytekit accepts: images with any fields in any shape, and tasks that use them.

use super::random::Random;

/// `name=value`, and what the value needs elsewhere.
#[derive(Debug, Clone, Default)]
pub(crate) struct Argument {
    name: &'static str,
    value: String,
    /// Lines above the call.
    above: Vec<String>,
    /// Files beside the module.
    files: Vec<(&'static str, &'static str)>,
}

impl Argument {
    fn new(name: &'static str, value: impl Into<String>) -> Self {
        Self { name, value: value.into(), ..Self::default() }
    }

    fn above(mut self, line: impl Into<String>) -> Self {
        self.above.push(line.into());
        self
    }

    fn file(mut self, name: &'static str, text: &'static str) -> Self {
        self.files.push((name, text));
        self
    }
}

/// How the module holds an `ImageSpec`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    /// `image = ImageSpec(…)`
    Variable,
    /// `image: ImageSpec = ImageSpec(…)`
    Annotated,
    /// `image = ImageSpec(…)`, and `image.field = value` below it for half of the fields.
    Filled,
    /// In the decorator of the one task that uses it.
    Decorator,
    /// `held = {"small": ImageSpec(…), "big": ImageSpec(…)}`
    Dict,
    /// `image = ImageSpec(…) if … else ImageSpec(…)`
    Choice,
}

/// Where an image starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// `ImageSpec(…)` from nothing.
    Nothing,
    /// `ImageSpec(base_image=other, …)`
    Base(usize),
    /// `ImageSpec(base_image=ImageSpec(…), …)`
    InlineBase,
    /// `other.with_packages(…)`
    Method(usize),
}

/// An `ImageSpec`.
#[derive(Debug, Clone)]
struct Image {
    number: usize,
    holder: Holder,
    start: Start,
    arguments: Vec<Argument>,
    methods: Vec<String>,
    alias: bool,
}

impl Image {
    /// The fields that are assigned below the call: those at the end that hold something.
    fn filled(&self) -> &[Argument] {
        let is_empty = |argument: &Argument| matches!(argument.value.as_str(), "None" | "[]" | "{}" | "\"\"");
        let last_empty = self.arguments.iter().rposition(is_empty).map_or(0, |position| position + 1);
        match self.holder {
            Holder::Filled => &self.arguments[last_empty.max(self.arguments.len() / 2)..],
            _ => &[],
        }
    }
}

/// A task, dynamic or workflow.
#[derive(Debug, Clone)]
struct Task {
    number: usize,
    decorator: &'static str,
    image: Option<usize>,
    keywords: Vec<Argument>,
    body: &'static str,
}

/// How the names of flytekit are imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Imports {
    /// `from flytekit import ImageSpec, task`
    Names,
    /// The same over several lines.
    Lines,
    /// `from flytekit import ImageSpec as IS, task as t`
    Aliases,
    /// `import flytekit`
    Module,
    /// `import flytekit as fl`
    ModuleAlias,
    /// `from flytekit.image_spec import ImageSpec`, `from flytekit.core.task import task`
    Submodules,
    /// `from union import ImageSpec, task`
    Union,
}

/// A module.
#[derive(Debug, Clone)]
pub(crate) struct Module {
    imports: Imports,
    images: Vec<Image>,
    tasks: Vec<Task>,
    has_workflow: bool,
    /// Imports that only flytekit's dependencies satisfy.
    brought: Vec<&'static str>,
    is_multiline: bool,
    single_quotes: bool,
}

impl Module {
    /// The module of a seed.
    pub(crate) fn random(seed: u64) -> Self {
        let random = &mut Random::new(seed);
        let mut images: Vec<Image> = Vec::new();
        for number in 0..random.pick(&[1, 1, 1, 2, 3]) {
            let image = image(random, number, &images);
            images.push(image);
        }
        let mut tasks: Vec<Task> = (0..random.pick(&[0, 1, 1, 2, 3]))
            .map(|number| {
                let held: Vec<usize> = held(&images).collect();
                let image = (!held.is_empty() && random.chance(85)).then(|| random.pick(&held));
                task(random, number, image)
            })
            .collect();
        for image in images.iter().filter(|image| image.holder == Holder::Decorator) {
            tasks.push(task(random, tasks.len(), Some(image.number)));
        }
        if tasks.is_empty() {
            tasks.push(task(random, 0, held(&images).next()));
        }
        Self {
            imports: random.pick(&[
                Imports::Names,
                Imports::Names,
                Imports::Names,
                Imports::Lines,
                Imports::Aliases,
                Imports::Module,
                Imports::ModuleAlias,
                Imports::Submodules,
                Imports::Union,
            ]),
            has_workflow: random.chance(30),
            brought: if random.chance(20) { random.some(&BROUGHT) } else { Vec::new() },
            is_multiline: random.chance(60),
            single_quotes: random.chance(25),
            images,
            tasks,
        }
    }

    /// The modules that lack one part of this one.
    pub(crate) fn smaller(&self) -> Vec<Self> {
        let mut modules = Vec::new();
        let mut with = |change: &dyn Fn(&mut Self)| {
            let mut module = self.clone();
            change(&mut module);
            modules.push(module);
        };
        for position in 0..self.tasks.len() {
            if self.tasks.len() > 1 {
                with(&|module| drop(module.tasks.remove(position)));
            }
            for keyword in 0..self.tasks[position].keywords.len() {
                with(&|module| drop(module.tasks[position].keywords.remove(keyword)));
            }
            if self.tasks[position].image.is_some() {
                with(&|module| module.tasks[position].image = None);
            }
            with(&|module| module.tasks[position].decorator = "task");
        }
        for position in 0..self.images.len() {
            let number = self.images[position].number;
            if !self.uses(number) {
                with(&|module| drop(module.images.remove(position)));
            }
            for argument in 0..self.images[position].arguments.len() {
                with(&|module| drop(module.images[position].arguments.remove(argument)));
            }
            for method in 0..self.images[position].methods.len() {
                with(&|module| drop(module.images[position].methods.remove(method)));
            }
            with(&|module| module.images[position].start = Start::Nothing);
            with(&|module| module.images[position].alias = false);
            with(&|module| module.images[position].holder = Holder::Variable);
        }
        with(&|module| module.imports = Imports::Names);
        with(&|module| module.has_workflow = false);
        with(&|module| module.is_multiline = false);
        with(&|module| module.single_quotes = false);
        for position in 0..self.brought.len() {
            with(&|module| _ = module.brought.remove(position));
        }
        let text = self.text();
        modules.retain(|module| module.text().len() < text.len());
        modules.sort_by_key(|module| module.text().len());
        modules
    }

    fn uses(&self, number: usize) -> bool {
        self.tasks.iter().any(|task| task.image == Some(number))
            || self
                .images
                .iter()
                .any(|image| matches!(image.start, Start::Base(base) | Start::Method(base) if base == number))
    }

    /// The name that flytekit's `name` has in this module.
    fn name(&self, name: &str) -> String {
        match self.imports {
            Imports::Names | Imports::Lines | Imports::Submodules | Imports::Union => name.to_owned(),
            Imports::Aliases => format!("fk_{name}"),
            Imports::Module => format!("flytekit.{name}"),
            Imports::ModuleAlias => format!("fl.{name}"),
        }
    }

    /// The text of the module.
    pub(crate) fn text(&self) -> String {
        let body = self.body();
        let mut text = String::from("import os\nimport sys\n");
        for module in &self.brought {
            text.push_str(&format!("import {module}\n"));
        }
        let names: Vec<&str> = ["ImageSpec", "Resources", "Cache", "dynamic", "task", "workflow"]
            .into_iter()
            .filter(|name| {
                body.contains(&format!("{}(", self.name(name)))
                    || body.contains(&format!("@{}", self.name(name)))
                    || body.contains(&format!(": {} =", self.name(name)))
            })
            .collect();
        text.push_str(&self.import_lines(&names));
        text.push_str(&body);
        if self.single_quotes && !text.contains('\'') { text.replace('"', "'") } else { text }
    }

    fn import_lines(&self, names: &[&str]) -> String {
        let list = |separator: &str| names.join(separator);
        match self.imports {
            Imports::Names => format!("from flytekit import {}\n", list(", ")),
            Imports::Lines => format!("from flytekit import (\n    {},\n)\n", list(",\n    ")),
            Imports::Union => format!("from union import {}\n", list(", ")),
            Imports::Aliases => {
                let aliases: Vec<String> = names.iter().map(|name| format!("{name} as fk_{name}")).collect();
                format!("from flytekit import {}\n", aliases.join(", "))
            }
            Imports::Module => "import flytekit\n".to_owned(),
            Imports::ModuleAlias => "import flytekit as fl\n".to_owned(),
            Imports::Submodules => names
                .iter()
                .map(|name| match *name {
                    "ImageSpec" => "from flytekit.image_spec.image_spec import ImageSpec\n".to_owned(),
                    "task" => "from flytekit.core.task import task\n".to_owned(),
                    "dynamic" => "from flytekit.core.dynamic_workflow_task import dynamic\n".to_owned(),
                    "workflow" => "from flytekit.core.workflow import workflow\n".to_owned(),
                    name => format!("from flytekit import {name}\n"),
                })
                .collect(),
        }
    }

    fn body(&self) -> String {
        let mut text = String::new();
        for image in self.images.iter().filter(|image| image.holder != Holder::Decorator) {
            for line in image.arguments.iter().flat_map(|argument| &argument.above) {
                text.push_str(&format!("\n{line}\n"));
            }
            let annotation = match image.holder {
                Holder::Annotated => format!(": {}", self.name("ImageSpec")),
                _ => String::new(),
            };
            let spec = self.image(image);
            let value = match image.holder {
                Holder::Dict => {
                    let other = self.name("ImageSpec");
                    let spec = spec.replace('\n', "\n    ");
                    format!("{{\n    \"small\": {other}(packages=[\"tiny\"]),\n    \"big\": {spec},\n}}")
                }
                Holder::Choice => {
                    let other = self.name("ImageSpec");
                    let spec = spec.replace('\n', "\n    ");
                    format!(
                        "(\n    {spec}\n    if os.getenv(\"NO_SUCH\") is None\n    else {other}(packages=[\"tiny\"])\n)"
                    )
                }
                _ => spec,
            };
            text.push_str(&format!("\nimage{}{annotation} = {value}\n", image.number));
            for Argument { name, value, .. } in image.filled() {
                text.push_str(&format!("image{}.{name} = {value}\n", image.number));
            }
            if image.alias {
                text.push_str(&format!("same{0} = image{0}\n", image.number));
            }
        }
        for task in &self.tasks {
            text.push_str(&self.task(task));
        }
        if self.has_workflow {
            text.push_str(&format!("\n\n@{}\ndef flow(n: int = 1) -> int:\n", self.name("workflow")));
            for task in &self.tasks {
                text.push_str(&format!("    n = step{}(n=n)\n", task.number));
            }
            text.push_str("    return n\n");
        }
        text
    }

    fn image(&self, image: &Image) -> String {
        let given = &image.arguments[..image.arguments.len() - image.filled().len()];
        let mut arguments: Vec<String> =
            given.iter().map(|argument| format!("{}={}", argument.name, argument.value)).collect();
        let head = match image.start {
            Start::Nothing => String::new(),
            Start::Base(base) => format!("base_image=image{base}"),
            Start::InlineBase => {
                format!(
                    "base_image={}(packages=[\"base-package\"], registry=\"ghcr.io/acme\")",
                    self.name("ImageSpec")
                )
            }
            Start::Method(base) => {
                return format!("image{base}{}", image.methods.concat());
            }
        };
        if !head.is_empty() {
            arguments.insert(arguments.len() / 2, head);
        }
        let call = self.call(&self.name("ImageSpec"), &arguments);
        format!("{call}{}", image.methods.concat())
    }

    fn call(&self, callee: &str, arguments: &[String]) -> String {
        if self.is_multiline && arguments.len() > 1 {
            format!("{callee}(\n    {},\n)", arguments.join(",\n    "))
        } else {
            format!("{callee}({})", arguments.join(", "))
        }
    }

    fn task(&self, task: &Task) -> String {
        let mut text = String::new();
        let image = task.image.and_then(|number| self.images.iter().find(|image| image.number == number));
        let inline = image.filter(|image| image.holder == Holder::Decorator);
        let above = inline.into_iter().flat_map(|image| &image.arguments).chain(&task.keywords);
        for line in above.flat_map(|argument| &argument.above) {
            text.push_str(&format!("\n{line}\n"));
        }
        let mut arguments: Vec<String> = task
            .keywords
            .iter()
            .map(|keyword| {
                let value = keyword.value.replace("Resources(", &self.name("Resources("));
                format!("{}={}", keyword.name, value.replace("Cache(", &self.name("Cache(")))
            })
            .collect();
        if let Some(image) = image {
            let value = match image.holder {
                Holder::Decorator => self.image(image).replace('\n', "\n    "),
                Holder::Dict => format!("image{}[\"big\"]", image.number),
                _ if image.alias => format!("same{}", image.number),
                _ => format!("image{}", image.number),
            };
            arguments.insert(arguments.len() / 2, format!("container_image={value}"));
        }
        let decorator = self.name(task.decorator);
        let decorator = if arguments.is_empty() { decorator } else { self.call(&decorator, &arguments) };
        text.push_str(&format!(
            "\n\n@{decorator}\ndef step{}(n: int) -> int:\n    {}\n",
            task.number, task.body
        ));
        text
    }

    /// Whether an image is made by methods of a name, which add layers in the order of the calls.
    pub(crate) fn calls_methods_of_names(&self) -> bool {
        self.images.iter().any(|image| matches!(image.start, Start::Method(_)))
    }

    /// The files beside the module.
    pub(crate) fn files(&self) -> Vec<(&'static str, &'static str)> {
        let images = self.images.iter().flat_map(|image| &image.arguments);
        images.flat_map(|argument| argument.files.iter().copied()).collect()
    }
}

/// Modules that are there because flytekit depends on them.
const BROUGHT: [&str; 4] = ["requests", "joblib", "yaml", "croniter"];

/// Images that a name means.
fn named(images: &[Image]) -> impl Iterator<Item = usize> {
    let is_named =
        |image: &&Image| matches!(image.holder, Holder::Variable | Holder::Annotated | Holder::Filled);
    images.iter().filter(is_named).map(|image| image.number)
}

/// Images that tasks can take from somewhere.
fn held(images: &[Image]) -> impl Iterator<Item = usize> {
    images.iter().filter(|image| image.holder != Holder::Decorator).map(|image| image.number)
}

fn image(random: &mut Random, number: usize, others: &[Image]) -> Image {
    let bases: Vec<usize> = named(others).collect();
    let start = match random.below(10) {
        0 | 1 if !bases.is_empty() => Start::Base(random.pick(&bases)),
        2 | 3 if !bases.is_empty() => Start::Method(random.pick(&bases)),
        4 => Start::InlineBase,
        _ => Start::Nothing,
    };
    let mut methods = Vec::new();
    while random.chance(20) || (methods.is_empty() && matches!(start, Start::Method(_))) {
        methods.push(method(random));
    }
    let holder = match random.below(12) {
        0 => Holder::Decorator,
        1 => Holder::Annotated,
        2 if !matches!(start, Start::Method(_)) => Holder::Dict,
        3 if !matches!(start, Start::Method(_)) => Holder::Choice,
        4 if !matches!(start, Start::Method(_)) && methods.is_empty() => Holder::Filled,
        _ => Holder::Variable,
    };
    let arguments =
        if matches!(start, Start::Method(_)) { Vec::new() } else { arguments(random, number, start) };
    let alias = holder == Holder::Variable && random.chance(8);
    Image { number, holder, start, arguments, methods, alias }
}

fn method(random: &mut Random) -> String {
    let calls = [
        ".with_packages(\"attrs\")",
        ".with_packages([\"rich\", \"httpx>=0.27\"])",
        ".with_apt_packages(\"tree\")",
        ".with_apt_packages([\"tree\", \"jq\"])",
        ".with_commands([\"echo done\"])",
        ".force_push()",
    ];
    random.pick(&calls).to_owned()
}

/// The fields of an image, each in a random shape.
fn arguments(random: &mut Random, number: usize, start: Start) -> Vec<Argument> {
    let mut arguments = Vec::new();
    let mut add = |random: &mut Random, percent: usize, make: &dyn Fn(&mut Random, usize) -> Argument| {
        if random.chance(percent) {
            arguments.push(make(random, number));
        }
    };
    add(random, 70, &name);
    add(random, 65, &registry);
    add(random, 75, &packages);
    add(random, 25, &apt_packages);
    add(random, 20, &env);
    add(random, 15, &commands);
    add(random, 12, &platform);
    add(random, 15, &builder);
    add(random, 8, &pip_index);
    add(random, 8, &pip_extra_index_url);
    add(random, 4, &pip_extra_args);
    add(random, 10, &requirements);
    add(random, 8, &copy);
    add(random, 6, &nothing);
    add(random, 6, &rare);
    if start == Start::Nothing {
        add(random, 35, &python_version);
        add(random, 20, &base_image);
    }
    // Any order; a field is given once.
    for position in (1..arguments.len()).rev() {
        arguments.swap(position, random.below(position + 1));
    }
    let mut seen = Vec::new();
    arguments.retain(|argument: &Argument| {
        let is_new = !seen.contains(&argument.name);
        seen.push(argument.name);
        is_new
    });
    arguments
}

fn name(random: &mut Random, number: usize) -> Argument {
    match random.below(8) {
        0 => Argument::new("name", format!("\"Trainer-{number}-GPU\"")),
        1 => Argument::new("name", format!("NAME{number}"))
            .above(format!("NAME{number} = \"by-name-{number}\"")),
        2 => Argument::new("name", format!("f\"{{PREFIX{number}}}-image\""))
            .above(format!("PREFIX{number} = \"acme{number}\"")),
        3 => Argument::new("name", format!("os.getenv(\"IMAGE_NAME\", \"fallback-{number}\")")),
        4 => Argument::new("name", format!("\"a\" + \"-b{number}\"")),
        _ => Argument::new("name", format!("\"trainer-{number}\"")),
    }
}

fn registry(random: &mut Random, number: usize) -> Argument {
    match random.below(9) {
        0 => Argument::new("registry", "os.getenv(\"REGISTRY\", \"ghcr.io/from-env\")"),
        1 => Argument::new("registry", "os.environ.get(\"REGISTRY\", \"ghcr.io/other\")"),
        2 => Argument::new("registry", "\"localhost:30000\""),
        3 => Argument::new("registry", format!("REGISTRY{number}"))
            .above(format!("REGISTRY{number} = \"ghcr.io/named\"")),
        4 => Argument::new("registry", format!("f\"{{HOST{number}}}/team\""))
            .above(format!("HOST{number} = \"ghcr.io\"")),
        5 => Argument::new("registry", "\"GHCR.io/Upper\""),
        6 => Argument::new("registry", "\"ghcr.io\" + \"/concat\""),
        7 => Argument::new("registry", "os.getenv(\"NO_SUCH_REGISTRY\")"),
        _ => Argument::new("registry", "\"ghcr.io/acme\""),
    }
}

/// A list of strings in a random shape.
fn strings(random: &mut Random, field: &'static str, number: usize, choices: &[&'static str]) -> Argument {
    let list = |items: &[&str]| {
        let quoted: Vec<String> = items.iter().map(|item| format!("\"{item}\"")).collect();
        format!("[{}]", quoted.join(", "))
    };
    // What several of these shapes make cannot be read: then it holds nothing that matters.
    let is_plain =
        |item: &&&str| !["flytekit", "pip", "./", "cd", "export"].iter().any(|word| item.contains(word));
    let plain: Vec<&str> = choices.iter().filter(is_plain).copied().collect();
    let shape = random.below(14);
    let is_read = shape >= 7 || (field != "commands" && !matches!(shape, 4 | 5));
    let choices = if is_read { choices } else { plain.as_slice() };
    let items = random.some(choices);
    let more = random.some(choices);
    let constant = format!("{}{number}", field.to_uppercase());
    let defined = format!("{constant} = {}", list(&items));
    match shape {
        0 => Argument::new(field, constant).above(defined),
        1 => Argument::new(field, format!("[*{constant}, \"extra\"]")).above(defined),
        2 => Argument::new(field, format!("{constant} + {}", list(&more))).above(defined),
        3 => Argument::new(field, format!("{} + {constant}", list(&more))).above(defined),
        4 => Argument::new(field, format!("list({constant})")).above(defined),
        5 => Argument::new(field, format!("[item for item in {constant}]")).above(defined),
        6 => Argument::new(field, format!("{} + {}", list(&items), list(&more))),
        7 => Argument::new(field, "[]"),
        8 => Argument::new(field, format!("[f\"pinned{{VERSION{number}}}\", \"last\"]"))
            .above(format!("VERSION{number} = \"\"")),
        _ => Argument::new(field, list(&items)),
    }
}

fn packages(random: &mut Random, number: usize) -> Argument {
    strings(
        random,
        "packages",
        number,
        &[
            "pandas",
            "numpy==1.26.4",
            "scikit-learn>=1.4,<2",
            "torch>=2; python_version >= '3.10'",
            "dask[dataframe]==2024.1.0",
            "flytekit",
            "flytekit>=1.10",
            "flytekitplugins-spark",
            "flytekitplugins-ray==1.10.0",
            "requests",
            "PyYAML",
            "uvicorn[standard]",
            "pip",
        ],
    )
}

fn apt_packages(random: &mut Random, number: usize) -> Argument {
    strings(random, "apt_packages", number, &["git", "curl", "build-essential", "ffmpeg", "libgl1"])
}

fn commands(random: &mut Random, number: usize) -> Argument {
    strings(
        random,
        "commands",
        number,
        &[
            "mkdir -p /opt/data",
            "cd /opt",
            "export MODE=fast",
            "touch marker",
            "echo $MODE > /opt/mode",
            "pip install uv",
            "apt-get update && apt-get install -y tree",
            "./configure",
        ],
    )
}

fn env(random: &mut Random, number: usize) -> Argument {
    match random.below(8) {
        0 => Argument::new("env", format!("ENV{number}")).above(format!("ENV{number} = {{\"A\": \"1\"}}")),
        1 => Argument::new("env", format!("{{**ENV{number}, \"B\": \"2\"}}"))
            .above(format!("ENV{number} = {{\"A\": \"1\"}}")),
        2 => Argument::new("env", "{\"A\": os.getenv(\"A\", \"x\")}"),
        3 => Argument::new("env", "{\"A\": 1, \"B\": 2.5}"),
        4 => Argument::new("env", "{}"),
        5 => Argument::new("env", "dict(A=\"1\")"),
        _ => Argument::new("env", "{\"LOG_LEVEL\": \"info\", \"WORKERS\": \"4\"}"),
    }
}

fn platform(random: &mut Random, _: usize) -> Argument {
    let values =
        ["\"linux/amd64\"", "\"linux/arm64\"", "\"linux/amd64,linux/arm64\"", "\"linux/amd64, linux/arm64\""];
    Argument::new("platform", random.pick(&values))
}

fn builder(random: &mut Random, _: usize) -> Argument {
    Argument::new("builder", random.pick(&["\"default\"", "\"union\"", "\"envd\"", "\"docker\""]))
}

fn pip_index(random: &mut Random, number: usize) -> Argument {
    match random.below(3) {
        0 => Argument::new("pip_index", format!("INDEX{number}"))
            .above(format!("INDEX{number} = \"https://index.example.com/simple\"")),
        _ => Argument::new("pip_index", "\"https://index.example.com/simple\""),
    }
}

fn pip_extra_index_url(random: &mut Random, number: usize) -> Argument {
    match random.below(3) {
        0 => Argument::new("pip_extra_index_url", format!("EXTRA{number}"))
            .above(format!("EXTRA{number} = [\"https://extra.example.com/simple\"]")),
        _ => Argument::new(
            "pip_extra_index_url",
            "[\"https://extra.example.com/simple\", \"https://other.example.com/simple\"]",
        ),
    }
}

fn pip_extra_args(_: &mut Random, _: usize) -> Argument {
    Argument::new("pip_extra_args", "\"--no-deps\"")
}

fn requirements(_: &mut Random, _: usize) -> Argument {
    Argument::new("requirements", "\"requirements.txt\"").file("requirements.txt", "polars==1.0\n")
}

fn copy(random: &mut Random, _: usize) -> Argument {
    match random.below(3) {
        0 => Argument::new("copy", "[\"data\"]").file("data/values.csv", "1\n"),
        1 => Argument::new("copy", "[\"settings.yaml\", \"data/values.csv\"]")
            .file("settings.yaml", "a: 1\n")
            .file("data/values.csv", "1\n"),
        _ => Argument::new("copy", "[\"settings.yaml\"]").file("settings.yaml", "a: 1\n"),
    }
}

fn nothing(random: &mut Random, _: usize) -> Argument {
    let fields = [
        "packages",
        "apt_packages",
        "conda_packages",
        "env",
        "commands",
        "cuda",
        "registry_config",
        "requirements",
    ];
    Argument::new(random.pick(&fields), "None")
}

fn rare(random: &mut Random, _: usize) -> Argument {
    let (name, value) = random.pick(&[
        ("conda_packages", "[\"gdal\"]"),
        ("conda_channels", "[\"conda-forge\"]"),
        ("cuda", "\"12.1\""),
        ("cudnn", "\"8\""),
        ("tag_format", "\"{spec_hash}\""),
        ("source_root", "\".\""),
        ("pip_secret_mounts", "[(\"secret.txt\", \"/run/secret\")]"),
        ("builder_options", "{\"a\": 1}"),
    ]);
    Argument::new(name, value)
}

fn python_version(random: &mut Random, number: usize) -> Argument {
    match random.below(8) {
        0 => Argument::new("python_version", format!("PYTHON{number}"))
            .above(format!("PYTHON{number} = \"3.11\"")),
        1 => Argument::new("python_version", "f\"{sys.version_info.major}.{sys.version_info.minor}\""),
        2 => Argument::new("python_version", "\"3.11.9\""),
        3 => Argument::new("python_version", "os.getenv(\"PYTHON\", \"3.12\")"),
        4 => Argument::new("python_version", "\"3.9\""),
        5 => Argument::new("python_version", "\"3.12\""),
        _ => Argument::new("python_version", "\"3.11\""),
    }
}

fn base_image(random: &mut Random, number: usize) -> Argument {
    match random.below(6) {
        0 => Argument::new("base_image", "\"ghcr.io/flyteorg/flytekit:py3.11-1.13.5\""),
        1 => Argument::new("base_image", "\"cr.flyte.org/flyteorg/flytekit:py3.10-1.10.2\""),
        2 => Argument::new("base_image", format!("f\"python:{{TAG{number}}}\""))
            .above(format!("TAG{number} = \"3.11-slim\"")),
        3 => Argument::new("base_image", format!("BASE{number}"))
            .above(format!("BASE{number} = \"ghcr.io/acme/base:1\"")),
        _ => Argument::new("base_image", "\"python:3.11-slim\""),
    }
}

fn task(random: &mut Random, number: usize, image: Option<usize>) -> Task {
    let mut keywords = Vec::new();
    let mut add = |random: &mut Random, percent: usize, choices: &[(&'static str, &'static str)]| {
        if random.chance(percent) {
            let (name, value) = random.pick(choices);
            keywords.push(Argument::new(name, value));
        }
    };
    add(
        random,
        25,
        &[
            ("requests", "Resources(cpu=\"1\", mem=\"2Gi\")"),
            ("requests", "Resources(cpu=2, mem=\"500Mi\", gpu=\"1\")"),
            ("requests", "Resources(mem=\"1Gi\", ephemeral_storage=\"10Gi\")"),
        ],
    );
    add(random, 12, &[("limits", "Resources(cpu=\"2\", mem=\"4Gi\")"), ("limits", "Resources(gpu=\"1\")")]);
    add(
        random,
        15,
        &[
            ("cache", "Cache(version=\"1\")"),
            ("cache", "Cache(version=\"1\", serialize=True)"),
            ("cache", "False"),
        ],
    );
    add(random, 15, &[("retries", "3"), ("retries", "0")]);
    add(
        random,
        12,
        &[("environment", "{\"A\": \"b\"}"), ("environment", "{\"N\": 1}"), ("environment", "{}")],
    );
    add(random, 8, &[("interruptible", "True"), ("interruptible", "False")]);
    add(random, 8, &[("timeout", "60")]);
    add(random, 8, &[("enable_deck", "True"), ("enable_deck", "False"), ("disable_deck", "True")]);
    add(random, 3, &[("pod_template_name", "\"small\""), ("task_config", "None")]);
    let body =
        if random.chance(8) { "os.system(\"pip install late\")\n    return n" } else { "return n + 1" };
    Task {
        number,
        decorator: random.pick(&["task", "task", "task", "task", "dynamic"]),
        image,
        keywords,
        body,
    }
}
