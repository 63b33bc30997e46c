//! Regular expressions of XML Schema, translated to the dialect of the `regex` crate.
//!
//! The differences that matter: XSD patterns are anchored, `^` and `$` are ordinary characters, `.` excludes both
//! line ends, `\i` and `\c` are XML name classes, `[a-z-[aeiou]]` subtracts, and there are neither lazy quantifiers
//! nor look-around. Unicode block escapes (`\p{IsGreek}`) are refused: no ISO 20022 schema uses them.

use regex::Regex;

const NAME_START: &str = r"_:A-Za-z\u{C0}-\u{D6}\u{D8}-\u{F6}\u{F8}-\u{2FF}\u{370}-\u{37D}\u{37F}-\u{1FFF}\u{200C}-\u{200D}\u{2070}-\u{218F}\u{2C00}-\u{2FEF}\u{3001}-\u{D7FF}\u{F900}-\u{FDCF}\u{FDF0}-\u{FFFD}\u{10000}-\u{EFFFF}";
const NAME_MORE: &str = r"\-.0-9\u{B7}\u{300}-\u{36F}\u{203F}-\u{2040}";

/// A compiled pattern with its source, which errors name.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    pub(crate) source: String,
    regex: Regex,
}

impl Pattern {
    /// Compiles an XSD pattern; the error says what is wrong with it.
    pub(crate) fn compile(source: &str) -> Result<Self, String> {
        let translated = translate(source)?;
        let regex = Regex::new(&translated).map_err(|e| e.to_string())?;
        Ok(Self { source: source.to_owned(), regex })
    }

    pub(crate) fn matches(&self, value: &str) -> bool {
        self.regex.is_match(value)
    }
}

fn translate(source: &str) -> Result<String, String> {
    let mut out = String::from(r"\A(?:");
    let mut chars = source.chars().peekable();
    let mut after_quantifier = false;
    while let Some(c) = chars.next() {
        let quantifier = matches!(c, '?' | '*' | '+' | '{');
        if quantifier && after_quantifier {
            return Err(format!("quantifier {c:?} after a quantifier"));
        }
        match c {
            '\\' => escape(&mut chars, false, &mut out)?,
            '[' => class(&mut chars, &mut out, 0)?,
            '.' => out.push_str(r"[^\n\r]"),
            '^' => out.push_str(r"\^"),
            '$' => out.push_str(r"\$"),
            '(' if chars.peek() == Some(&'?') => return Err("group extension".to_owned()),
            '(' => out.push_str("(?:"),
            '{' => {
                out.push('{');
                for c in chars.by_ref() {
                    out.push(c);
                    if c == '}' {
                        break;
                    }
                }
            }
            ']' | '}' => return Err(format!("unescaped {c:?}")),
            other => out.push(other),
        }
        after_quantifier = quantifier;
    }
    out.push_str(r")\z");
    Ok(out)
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Translates what follows a backslash; inside a class the brackets of a set stay nested, which `regex` allows.
fn escape(chars: &mut Chars<'_>, in_class: bool, out: &mut String) -> Result<(), String> {
    let c = chars.next().ok_or("trailing backslash")?;
    match c {
        'i' => push_set(out, "", NAME_START, ""),
        'I' => push_set(out, "^", NAME_START, ""),
        'c' => push_set(out, "", NAME_START, NAME_MORE),
        'C' => push_set(out, "^", NAME_START, NAME_MORE),
        's' => out.push_str(r"[ \t\n\r]"),
        'S' => out.push_str(r"[^ \t\n\r]"),
        'd' => out.push_str(r"\p{Nd}"),
        'D' => out.push_str(r"\P{Nd}"),
        'w' => out.push_str(r"[^\p{P}\p{Z}\p{C}]"),
        'W' => out.push_str(r"[\p{P}\p{Z}\p{C}]"),
        'n' | 'r' | 't' => {
            out.push('\\');
            out.push(c);
        }
        'p' | 'P' => {
            let rest: String = chars.by_ref().take_while(|&c| c != '}').collect();
            let name = rest.strip_prefix('{').ok_or("category without braces")?;
            if name.starts_with("Is") {
                return Err(format!("unicode block {name}"));
            }
            out.push('\\');
            out.push(c);
            out.push('{');
            out.push_str(name);
            out.push('}');
        }
        '\\' | '|' | '.' | '-' | '^' | '?' | '*' | '+' | '{' | '}' | '(' | ')' | '[' | ']' => {
            out.push('\\');
            out.push(c);
        }
        other => return Err(format!("escape \\{other}{}", if in_class { " in a class" } else { "" })),
    }
    Ok(())
}

fn push_set(out: &mut String, negation: &str, first: &str, second: &str) {
    for part in ["[", negation, first, second, "]"] {
        out.push_str(part);
    }
}

/// Translates a character class whose opening bracket has been read.
fn class(chars: &mut Chars<'_>, out: &mut String, depth: u32) -> Result<(), String> {
    if depth > 4 {
        return Err("classes nested too deeply".to_owned());
    }
    out.push('[');
    if chars.peek() == Some(&'^') {
        chars.next();
        out.push('^');
    }
    let mut empty = true;
    while let Some(c) = chars.next() {
        match c {
            ']' if empty => return Err("empty class".to_owned()),
            ']' => {
                out.push(']');
                return Ok(());
            }
            '-' if chars.peek() == Some(&'[') => {
                chars.next();
                out.push_str("--");
                class(chars, out, depth.saturating_add(1))?;
            }
            '-' if empty || chars.peek() == Some(&']') => out.push_str(r"\-"),
            '-' => out.push('-'),
            '\\' => escape(chars, true, out)?,
            '[' => return Err("unescaped [ in a class".to_owned()),
            '&' | '~' | '^' | '#' | ' ' => {
                out.push('\\');
                out.push(c);
            }
            other => out.push(other),
        }
        empty = false;
    }
    Err("class not closed".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::Pattern;

    fn check(pattern: &str, yes: &[&str], no: &[&str]) {
        let p = Pattern::compile(pattern).unwrap();
        for v in yes {
            assert!(p.matches(v), "{pattern} should match {v:?}");
        }
        for v in no {
            assert!(!p.matches(v), "{pattern} should not match {v:?}");
        }
    }

    #[test]
    fn patterns_are_anchored_and_speak_the_schema_dialect() {
        check("[A-Z]{3,3}", &["CNY"], &["CNYX", "xCNY", "cny", "", "CNY\n"]);
        check(r"\+[0-9]{1,3}-[0-9()+\-]{1,30}", &["+86-(10)1-2"], &["86-1", "+86-"]);
        check("a|bc", &["a", "bc"], &["ac", "abc"]);
        check("^a$", &["^a$"], &["a"]);
        check("[a-z-[aeiou]]+", &["xyz"], &["xaz"]);
        check(r"\i\c*", &["a1-b", "银行"], &["1a", "-a"]);
        check(r"\d+", &["12"], &["1a"]);
        check(r"[\d&&x]+", &["1&x"], &["y"]);
        check(r"\p{Lu}+", &["ABC"], &["abc"]);
        check(r"[^\s]+", &["ab"], &["a b"]);
        check("a.b", &["axb"], &["a\nb", "a\rb"]);
        check("[\\-+]{0,1}[0-9]", &["-1", "+1", "1"], &["--1"]);
    }

    #[test]
    fn what_the_schema_dialect_has_not_is_refused() {
        for bad in ["a+?", "(?i)a", r"\p{IsGreek}", r"\bword", "[a", "[]", "a\\", "(a", "a)", "a{2"] {
            assert!(Pattern::compile(bad).is_err(), "{bad} should be refused");
        }
    }
}
