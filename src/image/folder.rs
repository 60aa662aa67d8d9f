//! Whether a command does the same whatever folder it runs in.
//!
//! ```python
//! image.with_commands(["mkdir -p /models"])    # the same anywhere
//! image.with_commands(["mkdir -p models"])     # in the folder of the base image
//! ```
//!
//! A command is taken to depend on its folder unless it is known not to: each of its programs is one that leaves the
//! folder alone, or all paths that it is given are absolute.

use super::command::{Command, Simple, Word, is_assignment};

/// Programs that leave the folder alone, whatever their arguments are.
const FREE: &str = ": add-apt-repository addgroup adduser alias apt-mark arch chpasswd chsh date dpkg-reconfigure echo \
    exit export false getent getopts groupadd groupdel hash id ldconfig let locale-gen localedef lsb_release nproc \
    nvidia-smi passwd printenv printf read readonly return service set shopt sleep systemctl true type ulimit umask \
    uname unalias unset update-alternatives update-ca-certificates update-locale useradd userdel usermod which whoami";

/// Subcommands that leave the folder alone unless they are given a path in it.
const FREE_SUBCOMMANDS: [(&str, &str); 9] = [
    ("cargo", "install"),
    ("gem", "install"),
    ("go", "env install version"),
    ("hf", "auth download"),
    ("huggingface-cli", "download login"),
    ("jupyter", "kernelspec labextension nbextension serverextension"),
    ("playwright", "install install-deps"),
    ("rustup", "component default install target toolchain update"),
    ("spacy", "download"),
];

/// Words of the shell, and programs that run what follows them.
const LEADING: &str = "! ( { } do done elif else env exec fi if nohup sudo then time until while";

/// Programs that install packages: they leave the folder alone unless they are given a path in it.
const INSTALLERS: &str =
    "apk apt apt-get aptitude conda dnf dpkg mamba microdnf micromamba pip pip3 pipx uv yum zypper";

/// Subcommands of those that write to the folder, or read projects there.
const OF_THE_FOLDER: &str = "build download env export init lock project run source sync tree venv wheel";

/// Options whose value is a path: those of pip and uv, and those of conda and its kin.
const PATH_OPTIONS: [&str; 12] = [
    "-c",
    "-d",
    "-e",
    "-f",
    "-r",
    "-t",
    "--constraint",
    "--dest",
    "--editable",
    "--prefix",
    "--requirement",
    "--target",
];
const CONDA_OPTIONS: [&str; 4] = ["-f", "-p", "--file", "--prefix"];

/// Programs that work on the paths they are given, and on nothing else.
const ON_PATHS: &str = ". [ cat chgrp chmod chown cp dd du grep head install ln ls mkdir mv rm rmdir sed sort source \
    stat tail tee test touch wc";

/// Calls of Python code that keep what they download at a place of their own.
const DOWNLOADS: [&str; 4] = [".download(", "from_pretrained(", "load_dataset(", "hub.load("];

/// What in Python code may concern the folder.
const IN_CODE: [&str; 12] =
    ["./", "Path", "dir", "dump", "folder", "open(", "os.", "path", "retrieve", "save", "to_", "write"];

impl Command {
    /// Whether what it does may depend on the folder that it runs in.
    pub fn depends_on_folder(&self) -> bool {
        for (index, simple) in self.simple_commands().iter().enumerate() {
            let words = leading_dropped(&simple.words);
            if !matches!(words, [cd, ..] if matches!(&*cd.text, "cd" | "pushd")) {
                if depends(simple, words) {
                    return true;
                }
                continue;
            }
            if !words.get(1).is_some_and(|folder| is_absolute(&folder.text)) {
                return true;
            }
            // Further in, or in a shell of its own, it may not be for all that follows.
            if index == 0 && words.len() == simple.words.len() && !self.begins_a_subshell() {
                return false;
            }
        }
        false
    }
}

fn is_one_of(table: &str, name: &str) -> bool {
    table.split(' ').any(|entry| entry == name)
}

/// What is behind words of the shell, assignments, and programs that run others.
fn leading_dropped<'w, 'a>(words: &'w [&'a Word]) -> &'w [&'a Word] {
    let is_leading = |word: &&&Word| is_assignment(&word.text) || is_one_of(LEADING, &word.text);
    &words[words.iter().take_while(is_leading).count()..]
}

fn depends(simple: &Simple<'_>, words: &[&Word]) -> bool {
    let is_elsewhere = |file: &&Word| is_absolute(&file.text) || is_descriptor(&file.text);
    let names_folder = |word: &&&Word| word.text.contains("$PWD") || word.text.contains("${PWD}");
    if !simple.files.iter().all(is_elsewhere)
        || simple.words.iter().any(|word| substitutes(word))
        || simple.words.iter().find(names_folder).is_some()
    {
        return true;
    }
    let [program, arguments @ ..] = words else { return false };
    let arguments: Vec<&str> = arguments.iter().map(|word| word.text.as_str()).collect();
    if !program.is_literal || program.text.contains('/') && !is_absolute(&program.text) {
        return true;
    }
    let name = program.text.rsplit('/').next().unwrap_or(&program.text);
    let is_question = |word: &&str| matches!(*word, "--version" | "--help" | "-V" | "-h");
    if is_one_of(FREE, name) || matches!(&arguments[..], [only] if is_question(only)) {
        return false;
    }
    let subcommands = FREE_SUBCOMMANDS.iter().find(|(program, _)| *program == name);
    if let Some((_, free)) = subcommands {
        return !arguments.first().is_some_and(|first| is_one_of(free, first))
            || arguments.iter().any(|word| is_in_folder(word) || word.contains("--path"))
            || given(&arguments, &["--local-dir"]).any(|folder| !is_absolute(folder));
    }
    match name {
        _ if is_one_of(INSTALLERS, name) => installs_from_folder(name, &arguments),
        _ if is_one_of(ON_PATHS, name) => !operands(name, &arguments).all(is_absolute),
        "apt-key" => {
            arguments.first() == Some(&"add")
                && !arguments[1..].iter().all(|key| is_absolute(key) || *key == "-")
        }
        "command" => !matches!(arguments.first(), Some(&("-v" | "-V"))),
        "curl" => curl_writes(&arguments),
        "debconf-set-selections" => !arguments.is_empty(),
        "find" => !arguments.first().is_some_and(|folder| is_absolute(folder)),
        "git" => git_works_here(&arguments),
        "npm" | "pnpm" | "yarn" => {
            !arguments.iter().any(|word| matches!(*word, "-g" | "--global" | "global" | "config"))
                || arguments.iter().any(|word| is_in_folder(word))
        }
        "Rscript" => arguments.first() != Some(&"-e") || arguments.iter().any(|word| concerns_folder(word)),
        "tar" => {
            let bundled = usize::from(arguments.first().is_some_and(|first| !first.starts_with('-')));
            !goes_elsewhere(&arguments, bundled, &["-C", "--directory"])
        }
        "unzip" => !goes_elsewhere(&arguments, 0, &["-d"]),
        "wget" => wget_writes(&arguments),
        _ if name.starts_with("python") => python_depends(&arguments),
        "bash" | "dash" | "sh" | "zsh" => shell_depends(&arguments),
        _ => true,
    }
}

/// `/opt`, `~/x`, `$HOME/x`
fn is_absolute(path: &str) -> bool {
    path.starts_with(['/', '~']) || path.starts_with("$HOME") || path.starts_with("${HOME}")
}

/// `1` of `2>&1`, and the `-` that stands for the standard streams.
fn is_descriptor(file: &str) -> bool {
    file == "-" || !file.is_empty() && file.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a command inside a word depends on the folder.
fn substitutes(word: &Word) -> bool {
    let text = word.text.as_str();
    if !word.has_substitution {
        return false;
    }
    let inside = |open: &str, close: char| {
        let (_, rest) = text.split_once(open)?;
        Some(rest.rsplit_once(close).map_or(rest, |(inside, _)| inside))
    };
    inside("$(", ')')
        .or_else(|| inside("`", '`'))
        .is_none_or(|inside| Command::read(inside).depends_on_folder())
}

/// The values of options, as the next word or behind `=`.
fn given<'a>(arguments: &'a [&'a str], options: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    let next = arguments.windows(2).filter(|pair| options.contains(&pair[0])).map(|pair| pair[1]);
    let joined = arguments.iter().filter_map(|word| {
        let (option, value) = word.split_once('=')?;
        options.contains(&option).then_some(value)
    });
    next.chain(joined)
}

/// What may be a path: no option, no number, and not the mode, owner or pattern in front of the paths.
fn operands<'a>(name: &str, arguments: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    let has_option = arguments.iter().any(|word| matches!(*word, "-e" | "--expression" | "--reference"));
    let has_pattern = matches!(name, "chmod" | "chown" | "chgrp" | "sed" | "grep") && !has_option;
    let is_path =
        |word: &&str| !matches!(*word, "]" | "=" | "!=") && !word.bytes().all(|byte| byte.is_ascii_digit());
    let plain = arguments.iter().copied().filter(|word| !word.starts_with('-'));
    plain.skip(usize::from(has_pattern)).filter(is_path)
}

fn installs_from_folder(name: &str, arguments: &[&str]) -> bool {
    let is_conda = matches!(name, "conda" | "mamba" | "micromamba");
    let is_pip = matches!(name, "pip" | "pip3" | "pipx" | "uv");
    let own = arguments.first() == Some(&"pip");
    let mut plain = arguments.iter().skip(usize::from(own)).filter(|word| !word.starts_with('-'));
    let options: &[&str] = if is_conda { &CONDA_OPTIONS } else { &PATH_OPTIONS };
    let is_path = |word: &str| {
        is_in_folder(word) || is_pip && word.contains('/') && !word.contains("://") && !is_absolute(word)
    };
    plain.clone().next().is_some_and(|subcommand| is_one_of(OF_THE_FOLDER, subcommand))
        || plain.any(|word| is_path(word))
        || (is_conda || is_pip)
            && given(arguments, options).any(|path| !is_absolute(path) && !path.contains("://"))
}

/// Whether what may be a package or a path is a path that is not absolute.
fn is_in_folder(word: &str) -> bool {
    const FILES: [&str; 8] = [".deb", ".gem", ".gz", ".rpm", ".tgz", ".txt", ".whl", ".zip"];
    let is_file = FILES.iter().any(|suffix| word.ends_with(suffix));
    !is_absolute(word) && !word.contains("://") && (word.starts_with('.') || is_file)
}

fn curl_writes(arguments: &[&str]) -> bool {
    const LONG: [&str; 5] = ["--output", "--output-dir", "--cookie-jar", "--dump-header", "--config"];
    let is_there = |file: &str| is_absolute(file) || file == "-";
    let short = arguments.iter().filter(|word| word.starts_with('-') && !word.starts_with("--"));
    // Short flags may stand together, and the value of the last one behind it: `-sSLo file`, `-ofile`.
    let by_their_names = short.clone().any(|word| word.contains(['O', 'J', 'T', 'K', 'D', 'c']));
    let joined =
        short.filter_map(|word| word.split_once('o')).map(|(_, file)| file).filter(|file| !file.is_empty());
    let next = arguments
        .windows(2)
        .filter(|pair| !pair[0].starts_with("--") && pair[0].starts_with('-') && pair[0].ends_with('o'));
    by_their_names
        || arguments.iter().any(|word| word.starts_with("--remote") || word.starts_with('@'))
        || joined.chain(next.map(|pair| pair[1])).chain(given(arguments, &LONG)).any(|file| !is_there(file))
}

fn wget_writes(arguments: &[&str]) -> bool {
    let is_short = |word: &str| word.starts_with('-') && !word.starts_with("--");
    let to = arguments
        .windows(2)
        .filter(|pair| is_short(pair[0]) && pair[0].ends_with(['O', 'P']))
        .map(|pair| pair[1]);
    let long = given(arguments, &["--output-document", "--directory-prefix"]);
    let is_known = |file: &str| is_absolute(file) || file == "-";
    let is_stream = arguments.iter().any(|word| is_short(word) && word.ends_with("O-"));
    !is_stream && !to.chain(long).any(is_known)
}

fn git_works_here(arguments: &[&str]) -> bool {
    match arguments {
        ["config", "--global" | "--system", ..] | ["lfs", "install", ..] => false,
        ["-C", folder, ..] => !is_absolute(folder),
        // An address, and behind it where it goes.
        ["clone", rest @ .., folder] => !is_absolute(folder) || !rest.iter().any(|word| word.contains(':')),
        _ => true,
    }
}

/// Whether what is unpacked goes to an absolute folder, from an absolute file or from the stream.
fn goes_elsewhere(arguments: &[&str], skipped: usize, options: &[&str]) -> bool {
    let mut files = arguments.iter().skip(skipped).filter(|word| !word.starts_with('-'));
    given(arguments, options).any(is_absolute) && files.all(|file| is_absolute(file))
}

fn python_depends(arguments: &[&str]) -> bool {
    match arguments {
        ["-m", "pip", rest @ ..] => installs_from_folder("pip", rest),
        ["-m", "ensurepip", ..] | ["-m", "spacy", "download", ..] | ["-m", "playwright", "install", ..] => {
            false
        }
        ["-m", "nltk.downloader", rest @ ..] => rest.contains(&"-d"),
        ["-m", "venv", rest @ ..] => !operands("venv", rest).all(is_absolute),
        ["-c", code] => code.split([';', '\n']).any(concerns_folder),
        [module, rest @ ..] if module.starts_with("-m") && module.len() > 2 => {
            python_depends(&[&["-m", &module[2..]], rest].concat())
        }
        _ => true,
    }
}

/// Whether a statement of Python or R is none of those that are known to leave the folder alone.
fn concerns_folder(statement: &str) -> bool {
    let statement = statement.trim();
    let is_import = ["import ", "from "].iter().any(|word| statement.starts_with(word));
    let is_harmless = ["-e", "install.packages(", "print("].iter().any(|word| statement.starts_with(word))
        || DOWNLOADS.iter().any(|call| statement.contains(call));
    !is_import
        && !statement.is_empty()
        && (!is_harmless || IN_CODE.iter().any(|word| statement.contains(word)))
}

/// What comes from a pipe was downloaded, and is not known to use the folder.
fn shell_depends(arguments: &[&str]) -> bool {
    let code = arguments
        .iter()
        .position(|word| word.starts_with('-') && !word.starts_with("--") && word.ends_with('c'));
    match code.map(|at| arguments.get(at + 1)) {
        Some(text) => text.is_none_or(|text| Command::read(text).depends_on_folder()),
        None => !arguments.contains(&"-s") && arguments.iter().any(|word| !word.starts_with('-')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_to_leave_the_folder_alone() {
        for text in [
            "pip install pandas 'numpy<2' torch --index-url https://x/y",
            "pip install {}=={}",
            "python -m pip install -U pip",
            "uv pip install --system pandas",
            "apt-get update && apt-get install -y git curl && rm -rf /var/lib/apt/lists/*",
            "DEBIAN_FRONTEND=noninteractive apt-get install -y tzdata",
            "curl -sSL https://x/install.sh | sh",
            "curl -LsSf https://x/install.sh | bash -s -- -y",
            "curl -fsSL -o /usr/local/bin/tool https://x/tool && chmod +x /usr/local/bin/tool",
            "wget -qO- https://x/key.asc | apt-key add -",
            "wget -O /opt/model.bin https://x/model.bin",
            "python -m spacy download en_core_web_sm",
            "python -c 'import nltk; nltk.download(\"punkt\")'",
            "mkdir -p /models && touch /models/ready",
            "git clone https://x/y /opt/y",
            "git config --global safe.directory '*'",
            "tar -xzf /tmp/x.tgz -C /opt",
            "echo \"deb [arch=$(dpkg --print-architecture)] https://x/y\" > /etc/apt/sources.list.d/x.list",
            "cd /opt && make",
            "useradd -m worker",
            "npm install -g yarn",
            "ln -sf /usr/bin/python3 /usr/bin/python",
            "sed -i 's/a/b/' /etc/x.conf",
            "bash -c 'pip install z'",
            "huggingface-cli download gpt2",
            "if ! id -u acme; then useradd acme; fi",
            "id -u flyte >/dev/null 2>&1 || useradd --create-home --shell /bin/bash flyte",
            "psql --version",
            "export X=1",
            "conda install -y -c conda-forge gdal",
            "apt-get install -y -t bookworm-backports git",
            "unzip /tmp/x.zip -d /opt",
            "Rscript -e 'install.packages(\"dplyr\")'",
            "go install example.org/tool@latest",
            "command -v git",
        ] {
            assert!(!Command::read(text).depends_on_folder(), "{text}");
        }
    }

    #[test]
    fn what_may_use_the_folder() {
        for text in [
            "mkdir -p {}",
            "touch ready",
            "mkdir -p $DIR",
            "python -c 'open(\"ready\", \"w\")'",
            "python -c 'import nltk; nltk.download(\"punkt\", download_dir=\"data\")'",
            "pip download requests",
            "pip wheel requests",
            "pip install --target vendor requests",
            "pip install -t deps requests",
            "pip install -r requirements.txt",
            "pip install -e .",
            "pip install ./pkg",
            "huggingface-cli download gpt2 --local-dir gpt2",
            "uv venv",
            "uv sync",
            "python -m venv myvenv",
            "python setup.py install",
            "echo x | tee z",
            "echo x > y",
            "bash -c 'echo x > w'",
            "sh -c \"mkdir foo\"",
            "sh install.sh",
            "./install.sh",
            "curl -O https://x/y.tgz",
            "curl -fsSLO https://x/y.tgz",
            "curl -o y.tgz https://x/y.tgz",
            "wget https://x/y.tgz",
            "tar xzf /tmp/y.tgz",
            "unzip /tmp/y.zip",
            "git clone https://x/y",
            "make install",
            "cd src && make",
            "some-tool",
            "echo $(cat VERSION)",
            "npm ci",
            "unzip x.zip -d /opt",
            "tar -xzf x.tgz -C /opt",
            "(cd /opt && make); touch x",
            "if true; then cd /opt; fi; touch x",
            "Rscript install.R",
            "jupyter nbconvert x.ipynb",
            "gem build x.gemspec",
            "go build ./...",
            "apt-key add key.asc",
            "command mkdir foo",
            "[[ -f x ]]",
            "echo $PWD > /x",
            "echo $(pwd) > /x",
            "pip install pkg/",
            "git clone /opt/repo",
            "git config user.name x",
            "curl -omodel.bin https://x/y",
            "python -c 'from urllib.request import urlretrieve; urlretrieve(\"https://x\", \"y\")'",
            "python -m spacy train config.cfg",
        ] {
            assert!(Command::read(text).depends_on_folder(), "{text}");
        }
    }
}
