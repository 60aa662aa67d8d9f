//! Breaks the lines that edits make too long, where black and ruff would.
//!
//! ```python
//! return [result async for result in flyte.map.aio(join, names, [1, 2], concurrency=2, return_exceptions=False)]
//!
//! return [
//!     result
//!     async for result in flyte.map.aio(
//!         join, names, [1, 2], concurrency=2, return_exceptions=False
//!     )
//! ]
//! ```
//!
//! A line is split at its last bracket, as black's right-hand split does: what stands between the brackets goes on a line
//! of its own, or, if that is too long, one line for each item or each clause of a comprehension, and so on. What would
//! need new parentheses or a split at an operator is left as it is, and so is what its author had written too long already.

use std::ops::Range;

use crate::edit::Edit;
use crate::python::{Ranged, TokenKind, parse};
use crate::source::{TextRange, TextSize};

/// How lines look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Width<'a> {
    /// The longest line, in characters.
    pub(super) limit: usize,
    /// One level of indentation.
    pub(super) unit: &'a str,
}

/// The edits of each fix again, with those breaks that the lines of the new text need.
///
/// Where fixes meet on a line, it stays as it is: each may be applied without the other.
pub(super) fn wrap(text: &str, fixes: &[Vec<Edit>], width: Width<'_>) -> Option<Vec<Vec<Edit>>> {
    let new = New::of(text, fixes)?;
    let is_long = |line: &str| columns(line.trim_end_matches('\r')) > width.limit;
    if !new.text.split('\n').any(is_long) {
        return None;
    }
    let tokens = tokens_of(&new.text)?;
    let mut changes: Vec<Change> = Vec::new();
    for line in lines(&new.text, &tokens) {
        if !is_long(&new.text[line.range.clone()]) {
            continue;
        }
        let Some(fix) = new.fix_of(text, line.range.clone(), &is_long) else { continue };
        let indent = &new.text[line.range.start..tokens[line.tokens.start].range.start];
        let mut splitter = Splitter { text: &new.text, tokens: &tokens, indent, width, breaks: Vec::new() };
        if splitter.split_line(line.tokens).is_none() {
            continue;
        }
        for one in splitter.breaks {
            let end = tokens[one.after].range.end;
            let comma = if one.has_comma { "," } else { "" };
            let change = match one.level {
                Some(level) => {
                    let content = format!("{comma}\n{indent}{}", width.unit.repeat(level));
                    new.change(fix, end..tokens[one.after + 1].range.start, &content)
                }
                None => new.change(fix, end..end, comma),
            };
            changes.extend(change);
        }
    }
    (!changes.is_empty()).then(|| changed(fixes, &new, changes))
}

/// The text that the edits make, and where its parts come from.
struct New<'e> {
    text: String,
    pieces: Vec<Piece<'e>>,
}

/// A part of the new text.
struct Piece<'e> {
    range: Range<usize>,
    /// Where it begins in the old text.
    old: usize,
    /// The edit whose content it is, and the fix of that.
    edit: Option<(usize, &'e Edit)>,
}

/// What stands in place of a gap between two tokens, as far as it lies in one piece.
struct Change {
    piece: usize,
    /// The fix that it belongs to.
    fix: usize,
    /// From the start of the piece.
    range: Range<usize>,
    content: String,
}

impl<'e> New<'e> {
    fn of(text: &str, fixes: &'e [Vec<Edit>]) -> Option<Self> {
        let mut edits: Vec<(usize, &Edit)> = Vec::new();
        for (fix, edit) in
            fixes.iter().enumerate().flat_map(|(fix, edits)| edits.iter().map(move |edit| (fix, edit)))
        {
            if !edits.iter().any(|(_, known)| *known == edit) {
                edits.push((fix, edit));
            }
        }
        edits.sort_by_key(|(_, edit)| (edit.range.start(), edit.range.end()));
        let mut new = Self { text: String::new(), pieces: Vec::new() };
        let mut position = 0;
        for (fix, edit) in edits {
            new.push(text.get(position..edit.range.start().into())?, position, None);
            new.push(&edit.content, edit.range.start().into(), Some((fix, edit)));
            position = edit.range.end().into();
        }
        new.push(text.get(position..)?, position, None);
        Some(new)
    }

    fn push(&mut self, text: &str, old: usize, edit: Option<(usize, &'e Edit)>) {
        let start = self.text.len();
        self.text.push_str(text);
        self.pieces.push(Piece { range: start..self.text.len(), old, edit });
    }

    /// The one fix whose edits made a line; `None` if there are several, or if the line was too long before.
    fn fix_of(&self, old: &str, line: Range<usize>, is_long: &impl Fn(&str) -> bool) -> Option<usize> {
        let on_line = |piece: &&Piece<'e>| piece.range.start <= line.end && piece.range.end >= line.start;
        let mut edits = self.pieces.iter().filter(on_line).filter_map(|piece| piece.edit);
        let (fix, first) = edits.next()?;
        let was_long = |edit: &Edit| {
            let start = old[..usize::from(edit.range.start())].rfind('\n').map_or(0, |at| at + 1);
            let end = usize::from(edit.range.end());
            let end = old[end..].find('\n').map_or(old.len(), |at| end + at);
            old[start..end].split('\n').any(is_long)
        };
        (!was_long(first) && edits.all(|(other, edit)| other == fix && !was_long(edit))).then_some(fix)
    }

    /// Replaces the space of a gap by `content`, piece by piece.
    fn change(&self, fix: usize, gap: Range<usize>, content: &str) -> Vec<Change> {
        let touches = |piece: &Piece<'_>| piece.range.start <= gap.start && gap.start <= piece.range.end;
        let touching = || self.pieces.iter().enumerate().filter(|(_, piece)| touches(piece));
        // An edit at the same place would not be told from an insertion beside it.
        let home = touching().find(|(_, piece)| piece.edit.is_some()).or_else(|| touching().next());
        let Some((home, _)) = home else { return Vec::new() };
        let parts = self.pieces.iter().enumerate().filter_map(|(piece, Piece { range, .. })| {
            let (start, end) = (gap.start.max(range.start), gap.end.min(range.end));
            let content = if piece == home { content.to_owned() } else { String::new() };
            let range = start.checked_sub(range.start)?..end.checked_sub(range.start)?;
            let is_part = range.start < range.end || piece == home;
            is_part.then_some(Change { piece, fix, range, content })
        });
        parts.collect()
    }
}

/// The edits of the fixes with the changes in their contents, and beside them for the old text between them.
fn changed(fixes: &[Vec<Edit>], new: &New<'_>, mut changes: Vec<Change>) -> Vec<Vec<Edit>> {
    // From the end, so that places stay right.
    changes.sort_by_key(|change| std::cmp::Reverse((change.piece, change.range.start)));
    let mut fixes = fixes.to_vec();
    for (index, piece) in new.pieces.iter().enumerate() {
        let own = || changes.iter().filter(|change| change.piece == index);
        match piece.edit {
            Some((_, edit)) => {
                let mut content = edit.content.clone();
                own().for_each(|change| content.replace_range(change.range.clone(), &change.content));
                // Several fixes may have the same edit.
                let same = fixes.iter_mut().flatten().filter(|other| *other == edit);
                same.for_each(|other| other.content.clone_from(&content));
            }
            None => {
                for change in own() {
                    let place = |at: usize| TextSize::try_from(piece.old + at).unwrap_or_default();
                    let range = TextRange::new(place(change.range.start), place(change.range.end));
                    let edit = Edit::replacement(range, change.content.clone());
                    if let Some(fix) = fixes.get_mut(change.fix) {
                        fix.push(edit);
                    }
                }
            }
        }
    }
    fixes
}

/// A token that is neither space nor comment; a formatted string is one.
struct Token {
    kind: TokenKind,
    range: Range<usize>,
    /// How many brackets are open around it.
    depth: usize,
    /// Whether a statement begins with it.
    begins: bool,
    /// Whether a statement ends with it.
    ends: bool,
}

fn tokens_of(text: &str) -> Option<Vec<Token>> {
    let parsed = parse(text).ok()?;
    let mut tokens: Vec<Token> = Vec::new();
    let (mut depth, mut strings, mut begins) = (0_usize, 0_usize, true);
    for token in parsed.tokens() {
        let range = usize::from(token.start())..usize::from(token.end());
        match token.kind() {
            TokenKind::NonLogicalNewline | TokenKind::Comment | TokenKind::Indent | TokenKind::Dedent => {
                continue;
            }
            TokenKind::Newline => {
                begins = true;
                tokens.iter_mut().last().into_iter().for_each(|last| last.ends = true);
                continue;
            }
            TokenKind::FStringStart | TokenKind::TStringStart => strings += 1,
            TokenKind::FStringEnd | TokenKind::TStringEnd => strings -= 1,
            _ => {}
        }
        let is_end = matches!(token.kind(), TokenKind::FStringEnd | TokenKind::TStringEnd);
        let is_start =
            matches!(token.kind(), TokenKind::FStringStart | TokenKind::TStringStart) && strings == 1;
        if (strings > 0 || is_end) && !is_start {
            tokens.last_mut()?.range.end = range.end;
            continue;
        }
        depth = depth.checked_sub(usize::from(closes(token.kind())))?;
        tokens.push(Token { kind: token.kind(), range, depth, begins, ends: false });
        depth += usize::from(opens(token.kind()));
        begins = false;
    }
    Some(tokens)
}

fn opens(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace)
}

fn closes(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace)
}

/// A line that holds a whole statement, or a whole item between brackets.
struct Line {
    range: Range<usize>,
    tokens: Range<usize>,
}

fn lines(text: &str, tokens: &[Token]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut first = 0;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        let count = tokens[first..].iter().take_while(|token| token.range.start < end).count();
        let own = first..first + count;
        if is_whole(tokens, &own, end) {
            lines.push(Line { range: start..end - usize::from(line.ends_with('\n')), tokens: own });
        }
        first += count;
        start = end;
    }
    lines
}

fn is_whole(tokens: &[Token], own: &Range<usize>, end: usize) -> bool {
    let ([head, ..], [.., last]) = (&tokens[own.clone()], &tokens[own.clone()]) else { return false };
    let before = own.start.checked_sub(1).map(|before| tokens[before].kind);
    let behind = tokens.get(own.end).map(|behind| behind.kind);
    let begins = head.begins || before.is_some_and(|kind| opens(kind) || kind == TokenKind::Comma);
    let ends = last.ends || last.kind == TokenKind::Comma || behind.is_some_and(closes);
    let is_header = matches!(
        head.kind,
        TokenKind::Def
            | TokenKind::Class
            | TokenKind::If
            | TokenKind::Elif
            | TokenKind::For
            | TokenKind::While
            | TokenKind::With
    ) || head.kind == TokenKind::Async && head.begins;
    let is_alone = !tokens[own.clone()].iter().any(|token| token.kind == TokenKind::Semi);
    begins
        && ends
        && is_alone
        && last.range.end <= end
        && (last.kind == TokenKind::Colon || !(is_header && head.begins))
        && tokens[own.clone()].iter().all(|token| token.depth >= head.depth)
        && last.depth == head.depth
        && !opens(last.kind)
}

/// What comes between two tokens.
struct Break {
    /// The token before it.
    after: usize,
    has_comma: bool,
    /// How many levels further in than the line the next one stands; `None` if no line ends here.
    level: Option<usize>,
}

struct Splitter<'a> {
    text: &'a str,
    tokens: &'a [Token],
    /// Of the whole line.
    indent: &'a str,
    width: Width<'a>,
    breaks: Vec<Break>,
}

/// A part of a line cannot be split.
type Split = Option<()>;

impl Splitter<'_> {
    /// Splits a line: several items, which are all between their brackets, go on one line each.
    fn split_line(&mut self, line: Range<usize>) -> Split {
        let commas = self.positions(&line, TokenKind::Comma);
        let has_several = commas.first().is_some_and(|&first| first + 1 < line.end);
        if self.tokens[line.start].begins || !has_several {
            return self.split_at_bracket(line, 0);
        }
        let [before, last] = [line.start - 1, line.end - 1].map(|at| &self.tokens[at]);
        let is_all =
            opens(before.kind) && self.tokens.get(line.end).is_some_and(|behind| closes(behind.kind));
        let has_clauses = !self.positions(&line, TokenKind::For).is_empty();
        if !is_all || has_clauses || !self.positions(&line, TokenKind::Lambda).is_empty() {
            return None;
        }
        let has_comma = last.kind != TokenKind::Comma;
        self.split_parts(&line, commas.iter().map(|comma| comma + 1), 0, has_comma)?;
        self.breaks.push(Break { after: line.end - 1, has_comma, level: None });
        Some(())
    }

    /// Splits a part of a line until each of its lines is short enough.
    fn split(&mut self, part: Range<usize>, level: usize, has_comma: bool) -> Split {
        if self.fits(&part, level, usize::from(has_comma)) {
            Some(())
        } else {
            self.split_at_bracket(part, level)
        }
    }

    /// Splits a part at its last brackets that leave a short line before them; a definition at those of its parameters.
    fn split_at_bracket(&mut self, part: Range<usize>, level: usize) -> Split {
        if self.has_operator(&part) {
            return None;
        }
        let is_definition =
            self.tokens[part.clone()].iter().take(2).any(|token| token.kind == TokenKind::Def);
        let depth = self.tokens[part.start].depth;
        let mut pairs =
            part.clone().filter(|&at| self.tokens[at].depth == depth && opens(self.tokens[at].kind));
        let is_fit = |&open: &usize| {
            self.tokens[open + 1].depth > depth && self.fits(&(part.start..open + 1), level, 0)
        };
        let open = if is_definition { pairs.next().filter(is_fit) } else { pairs.rfind(is_fit) }?;
        let inner = self.tokens[open + 1..].iter().take_while(|token| token.depth > depth).count();
        let (body, close) = (open + 1..open + 1 + inner, open + 1 + inner);
        if !self.fits(&(close..part.end), level, 0) {
            return None;
        }
        self.break_after(open, level + 1, false);
        let is_display = open == part.start || !ends_value(self.tokens[open - 1].kind);
        let has_comma = self.split_body(body, level + 1, is_definition, is_display)?;
        self.break_after(close - 1, level, has_comma);
        Some(())
    }

    /// Splits what stands between brackets; whether a comma is to come behind it.
    ///
    /// The items of a list, tuple, set or dict that does not fit on a line stand on one each.
    fn split_body(
        &mut self,
        body: Range<usize>,
        level: usize,
        is_definition: bool,
        is_display: bool,
    ) -> Option<bool> {
        let loops = self.positions(&body, TokenKind::For);
        // The targets of a comprehension have commas too.
        let commas = if loops.is_empty() { self.positions(&body, TokenKind::Comma) } else { Vec::new() };
        let has_comma = commas.last().is_some_and(|&last| last + 1 == body.end);
        let may_join = !has_comma && (commas.is_empty() || !is_display);
        if !self.positions(&body, TokenKind::Lambda).is_empty() {
            return None;
        }
        if may_join && self.fits(&body, level, 0) {
            Some(is_definition && commas.is_empty())
        } else if !loops.is_empty() {
            let is_async = |at: usize| self.tokens[at - 1].kind == TokenKind::Async;
            let mut starts: Vec<usize> = loops.iter().map(|&at| at - usize::from(is_async(at))).collect();
            starts.extend(self.positions(&body, TokenKind::If));
            starts.sort_unstable();
            self.split_parts(&body, starts.into_iter(), level, false)?;
            Some(false)
        } else if !commas.is_empty() {
            self.split_parts(&body, commas.iter().map(|comma| comma + 1), level, !has_comma)?;
            Some(!has_comma)
        } else {
            self.split(body, level, false)?;
            Some(is_definition)
        }
    }

    /// Where tokens of a kind stand in a part, outside its brackets.
    fn positions(&self, part: &Range<usize>, kind: TokenKind) -> Vec<usize> {
        let depth = self.tokens[part.start].depth;
        part.clone().filter(|&at| self.tokens[at].depth == depth && self.tokens[at].kind == kind).collect()
    }

    /// Puts the parts of a body, of which all but the first begin at `starts`, on lines of their own.
    fn split_parts(
        &mut self,
        body: &Range<usize>,
        starts: impl Iterator<Item = usize>,
        level: usize,
        has_comma: bool,
    ) -> Split {
        let mut start = body.start;
        for next in starts.filter(|&start| start < body.end) {
            self.split(start..next, level, false)?;
            self.break_after(next - 1, level, false);
            start = next;
        }
        self.split(start..body.end, level, has_comma)
    }

    fn break_after(&mut self, after: usize, level: usize, has_comma: bool) {
        self.breaks.push(Break { after, has_comma, level: Some(level) });
    }

    /// Whether a part can stand on one line, with so many characters behind it.
    fn fits(&self, part: &Range<usize>, level: usize, behind: usize) -> bool {
        let text = &self.text[self.tokens[part.start].range.start..self.tokens[part.end - 1].range.end];
        let indent = columns(self.indent) + level * columns(self.width.unit);
        indent + columns(text) + behind <= self.width.limit
    }

    /// Whether there is an operator, at which black would split, outside all brackets of a part.
    fn has_operator(&self, part: &Range<usize>) -> bool {
        let depth = self.tokens[part.start].depth;
        let mut kinds = self.tokens[part.clone()].iter().skip(1).filter(|token| token.depth == depth);
        kinds.any(|token| is_operator(token.kind))
    }
}

/// Whether brackets behind it belong to a call or a subscript.
fn ends_value(kind: TokenKind) -> bool {
    kind == TokenKind::Name || kind == TokenKind::String || closes(kind)
}

/// Whether it is an operator between two values.
fn is_operator(kind: TokenKind) -> bool {
    kind.as_binary_operator().is_some()
        || kind.as_bool_operator().is_some()
        || matches!(
            kind,
            TokenKind::If
                | TokenKind::Lambda
                | TokenKind::EqEqual
                | TokenKind::NotEqual
                | TokenKind::Less
                | TokenKind::LessEqual
                | TokenKind::Greater
                | TokenKind::GreaterEqual
        )
}

fn columns(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::apply;

    /// The text in which `short` gives way to `long`, in lines of 40 characters.
    fn wrapped(text: &str, edits: &[(&str, &str)]) -> String {
        let edit = |(short, long): &(&str, &str)| {
            let start = TextSize::of(&text[..text.find(short).unwrap()]);
            Edit::replacement(TextRange::at(start, TextSize::of(*short)), *long)
        };
        let fixes: Vec<Vec<Edit>> = edits.iter().map(|pair| vec![edit(pair)]).collect();
        let fixes = wrap(text, &fixes, Width { limit: 40, unit: "    " }).unwrap_or(fixes);
        let new = apply(text, &fixes.concat()).unwrap();
        assert!(parse(&new).is_ok(), "{new}");
        new
    }

    #[test]
    fn arguments_go_on_a_line_of_their_own_or_on_one_each() {
        assert_eq!(
            wrapped("x = f(a, b)\n", &[("f", "await function_of_a_module.aio")]),
            "x = await function_of_a_module.aio(a, b)\n"
        );
        assert_eq!(
            wrapped("x = f(a, bc)\n", &[("f", "await function_of_a_module.aio")]),
            "x = await function_of_a_module.aio(\n    a, bc\n)\n"
        );
        assert_eq!(
            wrapped("f(alpha, beta)  # why it is\n", &[("alpha", "first(one, two, three)")]),
            "f(\n    first(one, two, three), beta\n)  # why it is\n"
        );
        assert_eq!(
            wrapped("f(alpha, beta)\n", &[("alpha", "first_of_all(one, two, three, four)")]),
            "f(\n    first_of_all(one, two, three, four),\n    beta,\n)\n"
        );
    }

    #[test]
    fn clauses_of_comprehensions_go_on_lines_of_their_own() {
        assert_eq!(
            wrapped("x = list(m)\n", &[("list(m)", "[y async for y, z in module.map(xs) if z]")]),
            "x = [\n    y\n    async for y, z in module.map(xs)\n    if z\n]\n"
        );
    }

    #[test]
    fn items_of_displays_go_on_one_line_each() {
        assert_eq!(
            wrapped("x = [one, two]\n", &[("two", "function_of(\"a string\")")]),
            "x = [one, function_of(\"a string\")]\n"
        );
        assert_eq!(
            wrapped("x = [one, two, three]\n", &[("two", "function_of(\"a string\")")]),
            "x = [\n    one,\n    function_of(\"a string\"),\n    three,\n]\n"
        );
    }

    #[test]
    fn a_definition_breaks_at_its_parameters() {
        assert_eq!(
            wrapped("def f(a: A = 1) -> Tuple[A, B]:\n    return a\n", &[("1", "module.made(1, 2)")]),
            "def f(\n    a: A = module.made(1, 2),\n) -> Tuple[A, B]:\n    return a\n"
        );
    }

    #[test]
    fn an_item_between_brackets_breaks_alone() {
        assert_eq!(
            wrapped(
                "x = f(\n    first(a),  # one\n    b,\n)\n",
                &[("first", "await function_of_a_module.aio")]
            ),
            "x = f(\n    await function_of_a_module.aio(\n        a\n    ),  # one\n    b,\n)\n"
        );
    }

    #[test]
    fn several_items_on_a_line_go_on_one_each() {
        assert_eq!(
            wrapped("x = f(\n    first, second\n)\n", &[("first", "await function_of_a_module.aio()")]),
            "x = f(\n    await function_of_a_module.aio(),\n    second,\n)\n"
        );
    }

    #[test]
    fn brackets_without_content_give_way_to_those_before() {
        assert_eq!(
            wrapped("x = f(a).wait()\n", &[("f(a)", "(await function_of_a_module.aio(a))")]),
            "x = (\n    await function_of_a_module.aio(a)\n).wait()\n"
        );
    }

    #[test]
    fn some_lines_stay_as_they_are() {
        // An operator, a name without brackets, a lambda, two statements.
        for (text, edit) in [
            ("x = a + f(b)\n", ("f", "await function_of_a_module_here.aio")),
            ("x = f\n", ("f", "a_name_that_is_longer_than_the_whole_line")),
            ("x = f(lambda a, b: c)\n", ("c", "function_of_a_module(a, b)")),
            ("x = a; y = f(x)\n", ("f", "await function_of_a_module.aio")),
        ] {
            let new = wrapped(text, &[edit]);
            assert_eq!(new.lines().count(), 1, "{new}");
        }
        // Its author had written it too long already.
        let long = "x = f(alpha, beta, gamma, delta, epsilon, zeta)\n";
        assert_eq!(wrapped(long, &[("f", "f.aio")]), long.replace('f', "f.aio"));
        // Either fix may be applied without the other.
        let new = wrapped("x = f(a, b)\n", &[("f", "function_of_a_module"), ("b", "name_of_something")]);
        assert_eq!(new, "x = function_of_a_module(a, name_of_something)\n");
    }
}
