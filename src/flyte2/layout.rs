//! Lays a [`Chain`] out on lines as black and ruff would leave it.
//!
//! What fits stands on one line. Otherwise:
//!
//! - A call alone, or with one method, breaks inside its brackets, the last ones first.
//! - With two methods or more, the chain stands in parentheses, each method on a line of its own unless the whole
//!   chain fits on the line inside them.
//! - A comment on the chain as a whole stands inside parentheses as well, so that code may follow the chain.
//! - A call with a comment inside, or with an argument over several lines, has a line for each argument. The comma
//!   behind the last one keeps formatters from joining them.

use super::chain::{Argument, Call, Chain};
use super::lines::{indent_code, is_bare_generator};

/// How comments for tools begin, apart from `noqa`: ruff does not count them as part of the line's length.
const PRAGMAS: [&str; 8] = ["type:", "ty:", "pyright:", "pylint:", "flake8:", "ruff:", "isort:", "nosec"];

/// Where a chain stands, and what its lines must look like.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The indentation of the line that the chain begins on.
    pub indent: &'a str,
    /// One level of indentation.
    pub indent_unit: &'a str,
    /// Characters on the chain's first line before it, indentation included: 8 for `image = `.
    pub before: usize,
    /// Characters that follow the chain on its last line: 1 for the comma behind an argument.
    pub after: usize,
    /// The longest line, in characters.
    pub line_length: usize,
    /// Whether the chain already stands inside brackets, so that it may break without parentheses of its own.
    pub is_bracketed: bool,
}

/// Writes `chain` as Python. Lines end in `\n`; the first line carries no indentation, the others all of it.
pub fn layout(chain: &Chain, place: Place<'_>) -> String {
    if needs_parentheses(chain, place) { in_parentheses(chain, place) } else { bare(chain, place) }
}

impl Place<'_> {
    /// Whether `text` fits between what comes before and after it.
    fn has_room_for(self, text: &str) -> bool {
        self.before + width(text) + self.after <= self.line_length
    }

    /// The indentation one level further in.
    fn deeper(self) -> String {
        format!("{}{}", self.indent, self.indent_unit)
    }
}

/// Whether parentheses have to be put around `chain`.
fn needs_parentheses(chain: &Chain, place: Place<'_>) -> bool {
    has_outer_comments(chain) || !place.is_bracketed && is_fluent(chain) && !fits_on_one_line(chain, place)
}

/// Whether there are comments before the first or behind the last call.
fn has_outer_comments(chain: &Chain) -> bool {
    comments_above(chain).next().is_some() || last_comment(chain).is_some() || !chain.dangling.is_empty()
}

/// Whether each method has a line of its own where the chain does not fit on one line. A single method does not,
/// unless a comment has to stand above it.
fn is_fluent(chain: &Chain) -> bool {
    chain.methods.len() > 1 || chain.methods.iter().any(|method| !method.leading.is_empty())
}

/// The comments above the head. Formatters leave no comment between a call and its only method, therefore the
/// comment behind the head goes above it in that case.
fn comments_above(chain: &Chain) -> impl Iterator<Item = &String> {
    let is_pair = !chain.methods.is_empty() && !is_fluent(chain);
    chain.head.leading.iter().chain(chain.head.trailing.iter().filter(move |_| is_pair))
}

/// The comment behind the last call.
fn last_comment(chain: &Chain) -> Option<&String> {
    chain.methods.last().unwrap_or(&chain.head).trailing.as_ref()
}

/// The chain in parentheses, with the comments on it as a whole.
fn in_parentheses(chain: &Chain, place: Place<'_>) -> String {
    let indent = place.deeper();
    let after = last_comment(chain).map_or(0, |comment| comment_width(comment));
    let inner = Place { indent: &indent, before: width(&indent), after, is_bracketed: true, ..place };
    let mut lines = vec!["(".to_owned()];
    lines.extend(comments_above(chain).map(|comment| format!("{indent}{comment}")));
    lines.push(with_comment(format!("{indent}{}", bare(chain, inner)), last_comment(chain)));
    lines.extend(chain.dangling.iter().map(|comment| format!("{indent}{comment}")));
    lines.push(format!("{})", place.indent));
    lines.join("\n")
}

/// The chain without the comments before its first and behind its last call.
fn bare(chain: &Chain, place: Place<'_>) -> String {
    match chain.methods.as_slice() {
        _ if fits_on_one_line(chain, place) => chain_on_one_line(chain),
        _ if is_fluent(chain) => fluent(chain, place),
        [] => call(&chain.head, place),
        [method, ..] => pair(&chain.head, method, place),
    }
}

/// Whether `chain`, apart from the comments before its first and behind its last call, can stand on one line.
fn fits_on_one_line(chain: &Chain, place: Place<'_>) -> bool {
    let may_join = !has_comments_between(chain) && !calls(chain).any(must_explode);
    may_join && place.has_room_for(&chain_on_one_line(chain))
}

/// Whether there are comments that only a chain with a line for each method has a place for.
fn has_comments_between(chain: &Chain) -> bool {
    let is_behind_any = calls(chain).take(chain.methods.len()).any(|call| call.trailing.is_some());
    is_fluent(chain) && (is_behind_any || chain.methods.iter().any(|method| !method.leading.is_empty()))
}

/// The head and the methods.
fn calls(chain: &Chain) -> impl Iterator<Item = &Call> {
    std::iter::once(&chain.head).chain(&chain.methods)
}

fn chain_on_one_line(chain: &Chain) -> String {
    calls(chain).map(on_one_line).collect::<Vec<_>>().join(".")
}

/// The chain with a line for each method.
fn fluent(chain: &Chain, place: Place<'_>) -> String {
    let last = chain.methods.len();
    let mut lines = Vec::new();
    for (position, part) in calls(chain).enumerate() {
        let is_head = position == 0;
        let comment = part.trailing.as_ref().filter(|_| position < last);
        let own = Place {
            // A method stands behind the indentation and its dot.
            before: if is_head { place.before } else { width(place.indent) + 1 },
            after: if position < last { comment.map_or(0, |text| comment_width(text)) } else { place.after },
            ..place
        };
        let text = call(part, own);
        if is_head {
            lines.push(with_comment(text, comment));
        } else {
            lines.extend(part.leading.iter().map(|above| format!("{}{above}", place.indent)));
            lines.push(with_comment(format!("{}.{text}", place.indent), comment));
        }
    }
    lines.join("\n")
}

/// A call with its only method. The brackets of the method break, unless the head does not fit in front of them.
fn pair(head: &Call, method: &Call, place: Place<'_>) -> String {
    let opening = format!("{}.{}(", on_one_line(head), method.callee);
    let may_stay = is_breakable(method) && Place { after: 0, ..place }.has_room_for(&opening);
    if !is_breakable(head) || may_stay && !must_explode(head) {
        let before = place.before + width(&on_one_line(head)) + 1;
        format!("{}.{}", on_one_line(head), call(method, Place { before, ..place }))
    } else {
        let before = width(place.indent) + width(").");
        format!("{}.{}", broken(head, place), call(method, Place { before, ..place }))
    }
}

/// A call without the comments around it, on one line where possible.
fn call(call: &Call, place: Place<'_>) -> String {
    let line = on_one_line(call);
    if !must_explode(call) && (place.has_room_for(&line) || !is_breakable(call)) {
        line
    } else {
        broken(call, place)
    }
}

/// Whether there is anything between the brackets of `call`.
fn is_breakable(call: &Call) -> bool {
    !call.arguments.is_empty() || !call.dangling.is_empty()
}

/// Whether the arguments of `call` need lines of their own even where there is room.
fn must_explode(call: &Call) -> bool {
    let must_stand_alone = |argument: &Argument| {
        !argument.leading.is_empty() || argument.trailing.is_some() || argument.text.contains('\n')
    };
    let is_exploded = call.is_exploded && !call.arguments.is_empty();
    is_exploded || !call.dangling.is_empty() || call.arguments.iter().any(must_stand_alone)
}

fn on_one_line(call: &Call) -> String {
    format!("{}({})", call.callee, joined(&call.arguments))
}

fn joined(arguments: &[Argument]) -> String {
    arguments.iter().map(|argument| argument.text.as_str()).collect::<Vec<_>>().join(", ")
}

/// A call with its arguments on the lines below it: on one if they fit, else on one each.
fn broken(call: &Call, place: Place<'_>) -> String {
    let indent = place.deeper();
    let arguments = format!("{indent}{}", joined(&call.arguments));
    let lines = if must_explode(call) || width(&arguments) > place.line_length {
        exploded(call, &indent).join("\n")
    } else {
        arguments
    };
    format!("{}(\n{lines}\n{})", call.callee, place.indent)
}

/// What stands between the brackets of `call`, with a line for each argument.
fn exploded(call: &Call, indent: &str) -> Vec<String> {
    let comma = match call.arguments.as_slice() {
        [only] if is_bare_generator(&only.text) => "",
        _ => ",",
    };
    let mut lines = Vec::new();
    for argument in &call.arguments {
        lines.extend(argument.leading.iter().map(|comment| format!("{indent}{comment}")));
        let text = format!("{indent}{}{comma}", indent_code(&argument.text, indent));
        lines.push(with_comment(text, argument.trailing.as_ref()));
    }
    lines.extend(call.dangling.iter().map(|comment| format!("{indent}{comment}")));
    lines
}

fn with_comment(line: String, comment: Option<&String>) -> String {
    match comment {
        Some(comment) => format!("{line}  {comment}"),
        None => line,
    }
}

/// The room that a comment at the end of a line takes, as ruff measures it.
fn comment_width(comment: &str) -> usize {
    let content = comment.trim_start_matches('#').trim_start();
    let is_noqa = content.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("noqa"));
    let is_pragma = is_noqa || PRAGMAS.iter().any(|pragma| content.starts_with(pragma));
    if is_pragma { 0 } else { width(comment) + 2 }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Behind `image = `, on lines of 60 characters.
    const ASSIGNMENT: Place<'_> =
        Place { indent: "", indent_unit: "    ", before: 8, after: 0, line_length: 60, is_bracketed: false };

    /// Behind `image=` as an argument, with a comma to follow.
    const KEYWORD: Place<'_> =
        Place { indent: "    ", before: 10, after: 1, is_bracketed: true, ..ASSIGNMENT };

    fn call(callee: &str, arguments: &[&str]) -> Call {
        let arguments = arguments.iter().copied().map(Argument::new).collect();
        Call { callee: callee.to_owned(), arguments, ..Call::default() }
    }

    fn image(arguments: &[&str]) -> Call {
        call("Image.from_debian_base", arguments)
    }

    fn chain(head: Call, methods: &[Call]) -> Chain {
        Chain { head, methods: methods.to_vec(), ..Chain::default() }
    }

    fn pandas() -> Call {
        call("with_pip_packages", &["\"pandas\"", "\"numpy\""])
    }

    fn curl() -> Call {
        call("with_apt_packages", &["\"curl\""])
    }

    fn comments(text: &str) -> Vec<String> {
        vec![text.to_owned()]
    }

    fn assert_lines(chain: &Chain, place: Place<'_>, lines: &[&str]) {
        let text = layout(chain, place);
        assert_eq!(text.lines().collect::<Vec<_>>(), lines, "{text}");
    }

    #[test]
    fn what_fits_stands_on_one_line() {
        let chain = chain(image(&[]), &[call("with_a", &["1", "b=2"]), call("with_c", &[])]);
        assert_lines(&chain, ASSIGNMENT, &["Image.from_debian_base().with_a(1, b=2).with_c()"]);
    }

    #[test]
    fn a_line_may_be_as_long_as_allowed_and_no_longer() {
        let chain = chain(call("f", &["\"a\""]), &[]);
        let place = Place { before: 52, after: 2, ..ASSIGNMENT };
        assert_lines(&chain, place, &["f(\"a\")"]);
        assert_lines(&chain, Place { after: 3, ..place }, &["f(", "    \"a\"", ")"]);
    }

    #[test]
    fn width_is_counted_in_characters() {
        let chain = chain(call("f", &["\"é\""]), &[]);
        assert_lines(&chain, Place { before: 54, ..ASSIGNMENT }, &["f(\"é\")"]);
    }

    #[test]
    fn arguments_of_a_long_call_share_a_line_if_they_fit() {
        let chain = chain(call("TaskEnvironment", &["name=\"training\"", "image=image", "retries=3"]), &[]);
        assert_lines(
            &chain,
            ASSIGNMENT,
            &["TaskEnvironment(", "    name=\"training\", image=image, retries=3", ")"],
        );
    }

    #[test]
    fn arguments_that_do_not_fit_on_a_line_have_one_each() {
        let name = "name=\"a-name-of-some-thirty-letters\"";
        let chain = chain(call("env.task", &[name, "image=image", "retries=3"]), &[]);
        assert_lines(
            &chain,
            Place { before: 1, line_length: 50, ..ASSIGNMENT },
            &["env.task(", &format!("    {name},"), "    image=image,", "    retries=3,", ")"],
        );
    }

    #[test]
    fn an_exploded_call_has_a_line_for_each_argument_even_where_there_is_room() {
        let head = Call { is_exploded: true, ..call("f", &["1", "*b"]) };
        assert_lines(&chain(head, &[]), ASSIGNMENT, &["f(", "    1,", "    *b,", ")"]);
    }

    #[test]
    fn an_exploded_call_without_arguments_stays_closed() {
        let head = Call { is_exploded: true, ..call("f", &[]) };
        assert_lines(&chain(head, &[]), ASSIGNMENT, &["f()"]);
    }

    #[test]
    fn a_call_that_cannot_break_stays_whole() {
        assert_lines(
            &chain(image(&[]), &[]),
            Place { line_length: 10, ..ASSIGNMENT },
            &["Image.from_debian_base()"],
        );
    }

    #[test]
    fn a_single_method_breaks_first() {
        assert_lines(
            &chain(image(&[]), &[call("with_pip_packages", &["\"pandas\"", "pre=True"])]),
            ASSIGNMENT,
            &["Image.from_debian_base().with_pip_packages(", "    \"pandas\", pre=True", ")"],
        );
    }

    #[test]
    fn the_head_breaks_where_it_does_not_fit_before_a_single_method() {
        assert_lines(
            &chain(image(&["name=\"my-image\"", "registry=\"here\""]), &[pandas()]),
            ASSIGNMENT,
            &[
                "Image.from_debian_base(",
                "    name=\"my-image\", registry=\"here\"",
                ").with_pip_packages(\"pandas\", \"numpy\")",
            ],
        );
    }

    #[test]
    fn the_head_breaks_where_a_single_method_cannot() {
        assert_lines(
            &chain(image(&["name=\"my-image\""]), &[call("with_local_v2", &[])]),
            ASSIGNMENT,
            &["Image.from_debian_base(", "    name=\"my-image\"", ").with_local_v2()"],
        );
    }

    #[test]
    fn head_and_single_method_both_break_where_they_must() {
        let method = Call { is_exploded: true, ..pandas() };
        let head = Call { is_exploded: true, ..image(&["name=\"a\""]) };
        assert_lines(
            &chain(head, &[method]),
            ASSIGNMENT,
            &[
                "Image.from_debian_base(",
                "    name=\"a\",",
                ").with_pip_packages(",
                "    \"pandas\",",
                "    \"numpy\",",
                ")",
            ],
        );
    }

    #[test]
    fn two_methods_stand_on_lines_of_their_own_in_parentheses() {
        assert_lines(
            &chain(image(&["name=\"a\""]), &[pandas(), curl()]),
            ASSIGNMENT,
            &[
                "(",
                "    Image.from_debian_base(name=\"a\")",
                "    .with_pip_packages(\"pandas\", \"numpy\")",
                "    .with_apt_packages(\"curl\")",
                ")",
            ],
        );
    }

    #[test]
    fn a_chain_that_fits_on_the_line_inside_the_parentheses_is_not_broken_further() {
        let chain = chain(call("Image", &["1"]), &[call("a", &[]), call("b", &[])]);
        assert_lines(&chain, Place { before: 50, ..ASSIGNMENT }, &["(", "    Image(1).a().b()", ")"]);
    }

    #[test]
    fn an_exploded_head_gives_each_method_a_line() {
        let head = Call { is_exploded: true, ..image(&["name=\"a\"", "python_version=(3, 11)"]) };
        assert_lines(
            &chain(head, &[curl(), call("with_x", &[])]),
            ASSIGNMENT,
            &[
                "(",
                "    Image.from_debian_base(",
                "        name=\"a\",",
                "        python_version=(3, 11),",
                "    )",
                "    .with_apt_packages(\"curl\")",
                "    .with_x()",
                ")",
            ],
        );
    }

    #[test]
    fn no_parentheses_are_put_around_a_chain_inside_brackets() {
        assert_lines(
            &chain(image(&["name=\"a\""]), &[pandas(), curl()]),
            KEYWORD,
            &[
                "Image.from_debian_base(name=\"a\")",
                "    .with_pip_packages(\"pandas\", \"numpy\")",
                "    .with_apt_packages(\"curl\")",
            ],
        );
    }

    #[test]
    fn what_follows_a_chain_counts_on_its_last_line() {
        let chain = chain(image(&["name=\"a\""]), &[pandas(), pandas()]);
        let place = Place { line_length: 42, after: 1, ..KEYWORD };
        let broken = ["    .with_pip_packages(", "        \"pandas\", \"numpy\"", "    )"];
        let joined = "    .with_pip_packages(\"pandas\", \"numpy\")";
        let head = "Image.from_debian_base(name=\"a\")";
        assert_lines(&chain, place, &[head, joined, joined]);
        assert_lines(&chain, Place { after: 2, ..place }, &[head, joined, broken[0], broken[1], broken[2]]);
    }

    #[test]
    fn a_method_that_is_too_long_breaks_on_its_own_line() {
        let place = Place { line_length: 38, indent: "\t", indent_unit: "\t", before: 9, ..ASSIGNMENT };
        assert_lines(
            &chain(image(&[]), &[pandas(), curl()]),
            place,
            &[
                "(",
                "\t\tImage.from_debian_base()",
                "\t\t.with_pip_packages(",
                "\t\t\t\"pandas\", \"numpy\"",
                "\t\t)",
                "\t\t.with_apt_packages(\"curl\")",
                "\t)",
            ],
        );
    }

    #[test]
    fn comments_on_arguments_stay_with_them() {
        let mut head = call("f", &["1", "b=2"]);
        head.arguments[0].leading = comments("# above");
        head.arguments[1].trailing = Some("# behind".to_owned());
        head.dangling = comments("# last");
        assert_lines(
            &chain(head, &[]),
            ASSIGNMENT,
            &["f(", "    # above", "    1,", "    b=2,  # behind", "    # last", ")"],
        );
    }

    #[test]
    fn a_comment_may_be_all_there_is_in_a_call() {
        let head = Call { dangling: comments("# none"), ..call("f", &[]) };
        assert_lines(
            &chain(head, &[curl()]),
            ASSIGNMENT,
            &["f(", "    # none", ").with_apt_packages(\"curl\")"],
        );
    }

    #[test]
    fn comments_on_methods_stand_above_and_behind_them() {
        let mut head = image(&["name=\"a\""]);
        head.trailing = Some("# head".to_owned());
        let above = Call { leading: comments("# above"), trailing: Some("# behind".to_owned()), ..curl() };
        let mut chain = chain(head, &[above, call("with_x", &[])]);
        chain.dangling = comments("# end");
        assert_lines(
            &chain,
            ASSIGNMENT,
            &[
                "(",
                "    Image.from_debian_base(name=\"a\")  # head",
                "    # above",
                "    .with_apt_packages(\"curl\")  # behind",
                "    .with_x()",
                "    # end",
                ")",
            ],
        );
    }

    #[test]
    fn a_comment_above_a_single_method_gives_it_a_line_of_its_own() {
        let method = Call { leading: comments("# above"), ..curl() };
        let lines = ["Image.from_debian_base()", "    # above", "    .with_apt_packages(\"curl\")"];
        let chain = chain(image(&[]), &[method]);
        assert_lines(&chain, KEYWORD, &lines);
        assert_lines(&chain, ASSIGNMENT, &["(", &format!("    {}", lines[0]), lines[1], lines[2], ")"]);
    }

    #[test]
    fn a_comment_above_the_head_needs_parentheses_even_inside_brackets() {
        let head = Call { leading: comments("# above"), ..image(&[]) };
        assert_lines(
            &chain(head, &[curl()]),
            KEYWORD,
            &[
                "(",
                "        # above",
                "        Image.from_debian_base().with_apt_packages(\"curl\")",
                "    )",
            ],
        );
    }

    #[test]
    fn a_comment_behind_the_head_of_a_single_method_goes_above() {
        let head = Call { trailing: Some("# head".to_owned()), ..image(&[]) };
        assert_lines(
            &chain(head, &[curl()]),
            ASSIGNMENT,
            &["(", "    # head", "    Image.from_debian_base().with_apt_packages(\"curl\")", ")"],
        );
    }

    #[test]
    fn a_comment_behind_the_last_call_does_not_swallow_what_follows() {
        let head = Call { trailing: Some("# head".to_owned()), ..image(&[]) };
        assert_lines(&chain(head, &[]), KEYWORD, &["(", "        Image.from_debian_base()  # head", "    )"]);
    }

    #[test]
    fn a_comment_counts_as_part_of_its_line_unless_it_is_for_a_tool() {
        let with = |comment: &str| {
            let head = Call { trailing: Some(comment.to_owned()), ..call("f", &["1"]) };
            layout(&chain(head, &[]), Place { line_length: 20, ..ASSIGNMENT })
        };
        assert_eq!(with("# four words"), "(\n    f(\n        1\n    )  # four words\n)");
        assert_eq!(with("# NOQA: E501"), "(\n    f(1)  # NOQA: E501\n)");
        assert_eq!(with("# type: bool"), "(\n    f(1)  # type: bool\n)");
    }

    #[test]
    fn an_argument_over_several_lines_is_indented_as_a_whole() {
        let method = call("with_env_vars", &["{\n    \"A\": \"1\",\n}"]);
        assert_lines(
            &chain(call("Image", &[]), &[method]),
            ASSIGNMENT,
            &["Image().with_env_vars(", "    {", "        \"A\": \"1\",", "    },", ")"],
        );
    }

    #[test]
    fn the_lines_of_a_string_are_not_indented() {
        let head = call("f", &["a=\"\"\"\nb\n\"\"\""]);
        assert_lines(&chain(head, &[]), ASSIGNMENT, &["f(", "    a=\"\"\"", "b", "\"\"\",", ")"]);
    }

    #[test]
    fn no_comma_follows_a_bare_generator() {
        let head = Call { is_exploded: true, ..call("f", &["p for p in q"]) };
        assert_lines(&chain(head, &[]), ASSIGNMENT, &["f(", "    p for p in q", ")"]);
    }
}
