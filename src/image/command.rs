//! What a command does to the shell that runs it, read without running it.
//!
//! ```python
//! image.with_commands(["cd /opt", "make"])    # two shells: the folder of the first is lost
//! ```
//!
//! A command is taken to be on its own only where it is known to be: each of its programs is one that a shell starts
//! as a process, or a builtin that leaves nothing behind. Whatever else it holds may reach the commands around it.

/// How far a command reaches when it shares a shell with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// It leaves nothing in the shell.
    Itself,
    /// It does nothing but change the shell, such as `cd /opt`.
    OnlyShell,
    /// What it leaves in the shell may matter to the commands behind it.
    Behind,
    /// It also takes something from the commands in front of it, or takes them along.
    Around,
}

/// Builtins of dash, bash, busybox, ksh and zsh that may change the shell, and reserved words.
///
/// What is not among them, and not in [`HARMLESS`], is a program of its own.
const CHANGING: &str = ". alias autoload bg bind bindkey break builtin bye caller case cd chdir compgen complete compopt \
    continue coproc declare dirs disable disown do done echotc echoti else elif emulate enable enum esac \
    eval exec exit export fc fg fi float for foreach function functions getln getopts hash hist history \
    if in integer jobs kill let limit local logout mapfile nameref newgrp nocorrect noglob popd print \
    private pushd pushln read readarray readonly redirect rehash repeat return sched select set setopt \
    shift shopt source suspend then time times trap ttyctl typeset ulimit umask unalias unfunction \
    unhash unlimit unset unsetopt until vared wait whence where while zcompile zle zmodload zstyle - {";

/// Builtins that leave nothing behind.
const HARMLESS: [&str; 10] = [":", "[", "command", "echo", "false", "printf", "pwd", "test", "true", "type"];

/// Programs that start others which go on running, or change what lasts only as long as the step of a build.
const STARTING: [&str; 14] = [
    "daemon",
    "dbus-launch",
    "gpg-agent",
    "hostname",
    "invoke-rc.d",
    "mount",
    "nohup",
    "pg_ctl",
    "pg_ctlcluster",
    "service",
    "setsid",
    "ssh-agent",
    "start-stop-daemon",
    "umount",
];

/// Files that engines make anew for each step.
const OF_THE_STEP: [&str; 6] =
    ["/dev/shm", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/proc/", "/sys/"];

/// Builtins that do nothing but change the shell.
const ONLY_SHELL: [&str; 14] = [
    ".", "alias", "cd", "declare", "export", "popd", "pushd", "readonly", "set", "shopt", "source",
    "typeset", "umask", "unset",
];

/// A word of a command, without its quotes.
#[derive(Debug, Default)]
pub(super) struct Word {
    pub(super) text: String,
    /// Whether every character is written out.
    pub(super) is_literal: bool,
    /// Whether a command stands in it.
    pub(super) has_substitution: bool,
    /// Whether no character is quoted.
    is_bare: bool,
}

#[derive(Debug)]
enum Token {
    Word(Word),
    /// `>`, `<` and their like; the word behind it is a file.
    Redirection,
    /// What ends a simple command.
    Operator(&'static str),
}

/// A simple command: its words, and the files that it is redirected to.
#[derive(Debug, Default)]
pub(super) struct Simple<'a> {
    pub(super) words: Vec<&'a Word>,
    pub(super) files: Vec<&'a Word>,
}

/// A command as a shell reads it.
#[derive(Debug)]
pub struct Command {
    tokens: Vec<Token>,
    /// The furthest reach of what is no simple command.
    reach: Reach,
    ends_in_backslash: bool,
    ends_in_comment: bool,
    has_here_document: bool,
    has_line_break: bool,
    only_bash: Option<&'static str>,
}

impl Command {
    /// Reads a command. Lines that end in `\` go on in the next, as in a Dockerfile.
    pub fn read(text: &str) -> Self {
        let is_ended = text.ends_with('\n');
        let trimmed = text.trim_end_matches([' ', '\t']);
        let ends_in_backslash = trimmed.ends_with('\\') && !trimmed.ends_with("\\\\");
        let text = super::shell::joined_lines(text);
        let mut scanner = Scanner {
            rest: text.trim_matches([' ', '\t']),
            word: None,
            command: Self {
                tokens: Vec::new(),
                reach: if ends_in_backslash { Reach::Behind } else { Reach::Itself },
                ends_in_backslash,
                ends_in_comment: false,
                has_here_document: false,
                has_line_break: is_ended || text.contains('\n'),
                only_bash: None,
            },
        };
        scanner.scan();
        scanner.command
    }

    /// How far it reaches.
    pub fn reach(&self) -> Reach {
        let commands = self.simple_commands();
        let mut reach = if self.cannot_follow() { Reach::Around } else { self.reach };
        let mut open = 0_usize;
        for command in &commands {
            let words = &command.words;
            let mut at = 0;
            while let Some(word) = words.get(at).filter(|word| word.is_bare) {
                match word.text.as_str() {
                    "!" => {}
                    "if" => open += 1,
                    "then" | "elif" | "else" if open > 0 => {}
                    "fi" if open > 0 => {
                        open -= 1;
                        if at + 1 < words.len() {
                            return reach.max(Reach::Behind);
                        }
                    }
                    _ => break,
                }
                at += 1;
            }
            reach = reach.max(simple_reach(&words[at..], &command.files));
        }
        if open > 0 {
            return reach.max(Reach::Behind);
        }
        let is_only = commands.len() == 1 && commands[0].files.is_empty() && self.reach == Reach::Itself;
        if reach == Reach::Behind && is_only && changes_only_the_shell(&commands[0].words) {
            return Reach::OnlyShell;
        }
        reach
    }

    /// Whether the next line of a Dockerfile belongs to it.
    pub fn ends_in_backslash(&self) -> bool {
        self.ends_in_backslash
    }

    /// Whether a comment takes in what is written behind it on the line.
    pub fn ends_in_comment(&self) -> bool {
        self.ends_in_comment
    }

    /// Why no shell reads it with ` && ` and another command behind it.
    pub fn cannot_be_followed(&self) -> Option<&'static str> {
        if self.has_here_document {
            return Some("it holds a here-document");
        }
        if self.has_line_break {
            return Some("it holds a line break");
        }
        match self.tokens.last() {
            _ if self.ends_in_comment => None,
            None => Some("it is empty"),
            Some(Token::Operator(operator)) if *operator != ")" => Some("it ends in an operator"),
            Some(_) => None,
        }
    }

    /// Whether it cannot stand behind ` && `.
    pub fn cannot_follow(&self) -> bool {
        match self.tokens.first() {
            None => true,
            Some(Token::Operator(operator)) => *operator != "(",
            Some(_) => false,
        }
    }

    /// What in it means something else to bash than to a shell such as dash.
    pub fn differs_in_bash(&self) -> Option<&'static str> {
        let echoes = self.simple_commands().iter().any(|command| {
            let words = command.words.iter().skip_while(|word| word.text != "echo");
            let mut arguments = words.skip(1);
            let is_option = |word: &&&Word| {
                word.text.len() > 1
                    && word
                        .text
                        .strip_prefix('-')
                        .is_some_and(|flags| flags.chars().all(|flag| "neE".contains(flag)) && flags != "n")
            };
            arguments.clone().next().as_ref().is_some_and(is_option)
                || arguments.any(|word| has_escape(&word.text))
        });
        if echoes { Some("`echo` with an escape") } else { self.only_bash }
    }

    /// Whether it begins in a shell of its own.
    pub(super) fn begins_a_subshell(&self) -> bool {
        matches!(self.tokens.first(), Some(Token::Operator(_)))
    }

    pub(super) fn simple_commands(&self) -> Vec<Simple<'_>> {
        let mut commands = vec![Simple::default()];
        let mut is_file = false;
        for token in &self.tokens {
            let last = commands.len() - 1;
            match token {
                Token::Operator(_) => commands.push(Simple::default()),
                Token::Redirection => is_file = true,
                Token::Word(word) if std::mem::take(&mut is_file) => commands[last].files.push(word),
                Token::Word(word) => commands[last].words.push(word),
            }
        }
        commands.retain(|command| !(command.words.is_empty() && command.files.is_empty()));
        commands
    }
}

/// What `echo` of dash replaces, and that of bash does not.
fn has_escape(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        rest = &rest[at + 1..];
        if rest.starts_with(|next: char| "abcefnrtv\\01234567".contains(next)) {
            return true;
        }
    }
    false
}

fn simple_reach(words: &[&Word], files: &[&Word]) -> Reach {
    let assignments = words.iter().take_while(|word| is_assignment(&word.text)).count();
    let (program, arguments) = match &words[assignments..] {
        [] if assignments == 0 => return Reach::Itself,
        [] => return Reach::Behind,
        [program, arguments @ ..] => (program, arguments),
    };
    let name = program.text.as_str();
    // What a name with other characters stands for is not known before the shell has looked.
    let is_name = program.is_literal
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._/-+:[@~".contains(&byte));
    let of_the_step = |word: &&Word| OF_THE_STEP.iter().any(|path| word.text.contains(path));
    let is_changing = CHANGING.split(' ').any(|builtin| builtin == name)
        || STARTING.contains(&name)
        || name.starts_with("[[");
    if !is_name || is_changing || words.iter().chain(files).any(of_the_step) {
        return Reach::Behind;
    }
    let first = arguments.first();
    let is_own = match name {
        _ if !HARMLESS.contains(&name) => true,
        // A value in front of a builtin may stay.
        _ if assignments > 0 => false,
        "command" => first.is_some_and(|word| word.is_literal && matches!(&*word.text, "-v" | "-V")),
        // `-v` and `%n` of bash set a variable.
        "printf" => {
            first.is_none_or(|word| word.is_literal && !word.text.starts_with('-') && !has_count(&word.text))
        }
        _ => true,
    };
    if is_own { Reach::Itself } else { Reach::Behind }
}

/// Whether a format of `printf` holds `%n`.
fn has_count(format: &str) -> bool {
    format
        .split('%')
        .skip(1)
        .any(|rest| rest.trim_start_matches(|c: char| !c.is_ascii_alphabetic()).starts_with('n'))
}

fn changes_only_the_shell(words: &[&Word]) -> bool {
    let is_change = words.first().is_some_and(|word| ONLY_SHELL.contains(&word.text.as_str()))
        || words.iter().all(|word| is_assignment(&word.text));
    is_change && !words.iter().any(|word| word.has_substitution)
}

/// `A=1`, `A+=1`, `A[0]=1`.
pub(super) fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        let name = name.strip_suffix('+').unwrap_or(name);
        let name =
            name.strip_suffix(']').and_then(|name| name.split_once('[')).map_or(name, |(name, _)| name);
        name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
            && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
    })
}

struct Scanner<'a> {
    rest: &'a str,
    word: Option<Word>,
    command: Command,
}

impl Scanner<'_> {
    fn scan(&mut self) {
        while let Some(next) = self.rest.chars().next() {
            match next {
                ' ' | '\t' => {
                    self.end_word();
                    self.skip(1);
                }
                '#' if self.word.is_none() => {
                    self.command.ends_in_comment = true;
                    self.reaches(Reach::Behind);
                    return;
                }
                '\n' | '\r' => {
                    self.reaches(Reach::Behind);
                    self.operator("\n", 1);
                }
                ';' | '&' | '|' | '(' | ')' => self.operators(),
                '<' | '>' => self.redirection(),
                '\\' => self.escaped(),
                '\'' => self.single_quoted(),
                '"' => self.double_quoted(),
                '$' | '`' => self.expansion(false),
                '{' => {
                    self.braces();
                    self.push(next);
                }
                other => self.push(other),
            }
        }
        self.end_word();
    }

    fn skip(&mut self, length: usize) {
        self.rest = self.rest.get(length..).unwrap_or_default();
    }

    fn reaches(&mut self, reach: Reach) {
        self.command.reach = self.command.reach.max(reach);
    }

    fn word(&mut self) -> &mut Word {
        self.word.get_or_insert_with(|| Word { is_literal: true, is_bare: true, ..Word::default() })
    }

    fn push(&mut self, character: char) {
        self.word().text.push(character);
        self.skip(character.len_utf8());
    }

    fn end_word(&mut self) {
        if let Some(word) = self.word.take() {
            if word.is_bare && matches!(&*word.text, "[[" | "==" | "function") {
                self.only_bash("`[[`, `==` or `function`");
            }
            self.command.tokens.push(Token::Word(word));
        }
    }

    fn operator(&mut self, operator: &'static str, length: usize) {
        self.end_word();
        self.command.tokens.push(Token::Operator(operator));
        self.skip(length);
    }

    fn only_bash(&mut self, what: &'static str) {
        self.command.only_bash.get_or_insert(what);
    }

    fn operators(&mut self) {
        for operator in ["&&", "||", "|", ";"] {
            let is_more = |rest: &str| rest.starts_with([';', '&']) && matches!(operator, ";" | "|");
            if let Some(rest) = self.rest.strip_prefix(operator)
                && !is_more(rest)
            {
                return self.operator(operator, operator.len());
            }
        }
        if self.rest.starts_with("&>") || self.rest.starts_with("|&") {
            self.only_bash("`&>` or `|&`");
        }
        if self.rest.starts_with("((") {
            self.only_bash("`((`");
        }
        match self.rest.as_bytes().first() {
            // What it is behind goes to the background with it.
            Some(b'&') => {
                self.reaches(Reach::Around);
                self.operator("&", 1);
            }
            Some(b'(') => {
                self.reaches(Reach::Behind);
                self.operator("(", 1);
            }
            Some(b')') => {
                self.reaches(Reach::Behind);
                self.operator(")", 1);
            }
            _ => {
                self.reaches(Reach::Behind);
                self.operator(";", 1);
            }
        }
    }

    fn redirection(&mut self) {
        if self.rest.starts_with("<<") {
            if self.rest.starts_with("<<<") {
                self.only_bash("`<<<`");
            } else {
                self.command.has_here_document = true;
            }
            self.reaches(Reach::Behind);
        }
        if self.rest.starts_with("<(") || self.rest.starts_with(">(") {
            self.only_bash("`<(` or `>(`");
        }
        match self.word.take() {
            // The number of what is redirected.
            Some(word) if word.is_bare && word.text.bytes().all(|byte| byte.is_ascii_digit()) => {}
            Some(word) if word.text.ends_with('}') => {
                self.reaches(Reach::Behind);
                self.command.tokens.push(Token::Word(word));
            }
            Some(word) => self.command.tokens.push(Token::Word(word)),
            None => {}
        }
        let length = self.rest.len() - self.rest.trim_start_matches(['<', '>', '&', '|']).len();
        self.command.tokens.push(Token::Redirection);
        self.skip(length);
    }

    fn escaped(&mut self) {
        self.skip(1);
        self.word().is_bare = false;
        match self.rest.chars().next() {
            Some(next) => self.push(next),
            None => self.reaches(Reach::Behind),
        }
    }

    fn single_quoted(&mut self) {
        self.word().is_bare = false;
        let Some((inside, rest)) = self.rest[1..].split_once('\'') else { return self.unclosed() };
        self.word().text.push_str(inside);
        self.rest = rest;
        if inside.contains('\n') {
            self.reaches(Reach::Behind);
        }
    }

    fn double_quoted(&mut self) {
        self.word().is_bare = false;
        self.skip(1);
        while let Some(next) = self.rest.chars().next() {
            match next {
                '"' => return self.skip(1),
                '\\' => {
                    let after = self.rest[1..].chars().next();
                    if after.is_some_and(|after| "$`\"\\".contains(after)) {
                        self.skip(1);
                    } else {
                        self.push('\\');
                    }
                    if let Some(after) = after {
                        self.push(after);
                    }
                }
                '$' | '`' => self.expansion(true),
                '\n' => {
                    self.reaches(Reach::Behind);
                    self.push(next);
                }
                other => self.push(other),
            }
        }
        self.unclosed();
    }

    /// A string that ends in another command, if anywhere.
    fn unclosed(&mut self) {
        self.reaches(Reach::Behind);
        self.rest = "";
    }

    /// What begins with `$` or a backtick.
    fn expansion(&mut self, is_quoted: bool) {
        let rest = self.rest;
        let word = self.word();
        let after = rest[1..].chars().next();
        let is_name = |c: char| c == '_' || c.is_ascii_alphanumeric();
        if rest.starts_with('`') || rest.starts_with("$(") {
            word.is_literal = false;
            word.has_substitution = true;
            return self.substitution();
        }
        match after {
            Some('{') => {
                word.is_literal = false;
                let inside = rest[2..].split_once('}').map(|(inside, _)| inside);
                if !inside.is_some_and(only_reads) {
                    self.reaches(Reach::Behind);
                }
                let length = inside.map_or(rest.len(), |inside| inside.len() + 3);
                self.word().text.push_str(&rest[..length]);
                self.skip(length);
            }
            Some(c) if is_name(c) => {
                word.is_literal = false;
                let name = &rest[1..];
                let name = &name[..name.find(|c| !is_name(c)).unwrap_or(name.len())];
                let length = name.len() + 1;
                word.text.push_str(&rest[..length]);
                self.parameter(name);
                self.skip(length);
            }
            Some(special) if "!$?#@*-".contains(special) => {
                word.is_literal = false;
                word.text.push_str(&rest[..2]);
                if matches!(special, '!' | '$') {
                    self.reaches(Reach::Around);
                }
                self.skip(2);
            }
            Some('\'' | '"') if !is_quoted => {
                self.only_bash("`$'…'`");
                self.reaches(Reach::Behind);
                self.push('$');
            }
            Some('[') => {
                self.reaches(Reach::Behind);
                self.push('$');
            }
            _ => self.push('$'),
        }
    }

    fn parameter(&mut self, name: &str) {
        // The last word of the command in front.
        if name == "_" {
            self.reaches(Reach::Around);
        }
        let is_of_bash = name.starts_with("BASH")
            || matches!(
                name,
                "RANDOM" | "UID" | "EUID" | "HOSTNAME" | "OSTYPE" | "HOSTTYPE" | "MACHTYPE" | "SECONDS"
            );
        if is_of_bash {
            self.only_bash("a variable of bash");
        }
    }

    /// A command inside a word. Its shell is its own, but it reads what the shell around it holds.
    fn substitution(&mut self) {
        let text = self.rest;
        let end = match text.strip_prefix('`') {
            Some(inside) => inside.find('`').map(|end| end + 2),
            None => closing(&text[1..]).map(|end| end + 1),
        };
        let Some(end) = end.filter(|_| !text.starts_with("$((")) else {
            self.reaches(Reach::Behind);
            self.word().text.push_str(&text[..1]);
            return self.skip(1);
        };
        let inside = &text[..end];
        if ["$$", "$!", "$_"].iter().any(|parameter| inside.contains(parameter)) {
            self.reaches(Reach::Around);
        }
        if inside.contains(['#', '\n']) {
            self.reaches(Reach::Behind);
        }
        self.word().text.push_str(inside);
        self.skip(end);
    }

    /// `{a,b}` and `{1..3}`, which only bash expands.
    fn braces(&mut self) {
        let inside = self.rest[1..].split([' ', '\t']).next().and_then(|word| word.split_once('}'));
        if inside.is_some_and(|(inside, _)| inside.contains(',') || inside.contains("..")) {
            self.only_bash("braces");
        }
    }
}

/// Where the bracket that a text begins with is closed.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut characters = text.char_indices();
    let mut quote = None;
    while let Some((at, character)) = characters.next() {
        match (quote, character) {
            (Some('\''), c) if c != '\'' => {}
            (_, '\\') => drop(characters.next()),
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(character),
            (Some(_), _) => {}
            (None, '(') => depth += 1,
            (None, ')') => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            (None, _) => {}
        }
    }
    None
}

/// Whether `${…}` sets nothing: `NAME`, `NAME:-word`, `NAME%word`.
fn only_reads(inside: &str) -> bool {
    let name = inside.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(inside.len());
    let (name, operation) = inside.split_at(name);
    !name.is_empty()
        && name != "_"
        && !operation.starts_with(['=', '[', '@', '/', '^', ','])
        && !operation.starts_with(":=")
        && !operation.contains(['$', '`', '"', '\'', '\\', '{'])
}
