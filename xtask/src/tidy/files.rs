//! Rules about single files: their length, first line, words and white space.

use super::{Fault, File};

/// Longest file of code; past it a file is split by idea.
const LINES_MAX: usize = 800;
/// What a person writes and reads as code.
const CODE: [&str; 5] = ["rs", "ts", "vue", "mjs", "css"];
/// Where white space has no meaning of its own.
const TEXT: [&str; 11] = ["rs", "ts", "vue", "mjs", "css", "toml", "md", "json", "html", "py", "jk"];
/// Made by programs, from other files that are judged.
const GENERATED: [&str; 4] =
    ["Cargo.lock", "web/package-lock.json", "web/openapi.json", "web/wallet/src/api/schema.d.ts"];

/// Words that no Rust file may hold, with the reason. They are written in two halves, for this file is judged too.
const UNFINISHED: [(&str, &str); 4] = [
    (concat!("todo", "!"), "is unfinished code"),
    (concat!("unimple", "mented!"), "is unfinished code"),
    (concat!("FIX", "ME"), "is unfinished code"),
    (concat!("#[igno", "re"), "is a test that nobody runs; a slow test checks an environment variable"),
];

/// Words that no file may hold but those that cargo writes.
const FOREIGN: [(&str, &str); 8] = [
    (
        concat!("registry.npm", "js.org"),
        "names a package registry's host; packages are named, not their hosts",
    ),
    (
        concat!("registry.yarn", "pkg.com"),
        "names a package registry's host; packages are named, not their hosts",
    ),
    (concat!("pypi", ".org"), "names a package registry's host; packages are named, not their hosts"),
    (concat!("python", "hosted.org"), "names a package registry's host; packages are named, not their hosts"),
    (concat!("deb.deb", "ian.org"), "names a package registry's host; packages are named, not their hosts"),
    (concat!("://crates", ".io"), "names a package registry's host; packages are named, not their hosts"),
    (concat!("static.crates", ".io"), "names a package registry's host; packages are named, not their hosts"),
    (concat!("index.crates", ".io"), "names a package registry's host; packages are named, not their hosts"),
];

/// Folders of somebody's machine: an absolute path that starts so works nowhere else.
const MACHINE_FOLDERS: [&str; 3] = [concat!("/wo", "rk/"), concat!("/sha", "red/"), concat!("/ro", "ot/")];

/// Checks every file.
pub(super) fn check(files: &[File]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in files {
        faults.extend(name(file));
        faults.extend(length(file));
        faults.extend(first_line(file));
        faults.extend(words(file));
        faults.extend(white_space(file));
    }
    faults
}

fn name(file: &File) -> Option<Fault> {
    let is_mod = file.path == "mod.rs" || file.path.ends_with("/mod.rs");
    is_mod.then(|| Fault::new(&file.path, 1, "a module is named by its file, foo.rs, and not mod.rs"))
}

fn length(file: &File) -> Option<Fault> {
    let is_judged = CODE.contains(&file.extension()) && !is_test(&file.path) && !is_generated(&file.path);
    let lines = file.lines().count();
    let message = || format!("has {lines} lines, more than {LINES_MAX}; split it by idea");
    (is_judged && lines > LINES_MAX).then(|| Fault::new(&file.path, LINES_MAX, message()))
}

/// A module says first what it is. The tests of a file say it by their name.
fn first_line(file: &File) -> Option<Fault> {
    let is_judged = file.extension() == "rs" && !file.path.ends_with("/tests.rs");
    let says = file.text.as_deref().is_some_and(|text| text.starts_with("//!"));
    (is_judged && !says).then(|| Fault::new(&file.path, 1, "does not begin with `//!` and what it is"))
}

fn words(file: &File) -> Vec<Fault> {
    let mut faults = Vec::new();
    if file.path == "Cargo.lock" {
        return faults;
    }
    for (number, line) in file.lines() {
        let unfinished = UNFINISHED.iter().filter(|_| CODE.contains(&file.extension()));
        for (word, reason) in unfinished.chain(&FOREIGN) {
            if line.contains(word) {
                faults.push(Fault::new(&file.path, number, format!("`{word}` {reason}")));
            }
        }
        for folder in MACHINE_FOLDERS {
            if starts_a_path(line, folder) {
                faults.push(Fault::new(
                    &file.path,
                    number,
                    format!("`{folder}` is a folder of somebody's machine"),
                ));
            }
        }
        if file.path.ends_with("package-lock.json") && line.trim_start().starts_with("\"resolved\": \"http") {
            let message = "holds a download address; web/.npmrc omits them, make the file again";
            faults.push(Fault::new(&file.path, number, message));
        }
    }
    faults
}

/// Whether the folder stands where a path begins, and not in the middle of a longer one.
fn starts_a_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        before.is_none_or(|c| !(c.is_alphanumeric() || "./_-*}~$<>".contains(c)))
    })
}

fn white_space(file: &File) -> Vec<Fault> {
    if !TEXT.contains(&file.extension()) {
        return Vec::new();
    }
    let mut faults = Vec::new();
    for (number, line) in file.lines() {
        if line.contains('\t') {
            faults.push(Fault::new(&file.path, number, "holds a tab"));
        }
        if line.ends_with(' ') || line.ends_with('\r') {
            faults.push(Fault::new(&file.path, number, "ends with white space"));
        }
    }
    let last = file.lines().count();
    if file.text.as_deref().is_some_and(|text| !text.is_empty() && !text.ends_with('\n')) {
        faults.push(Fault::new(&file.path, last, "does not end with a line break"));
    }
    faults
}

fn is_test(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "tests.rs" || part.contains(".test."))
}

fn is_generated(path: &str) -> bool {
    GENERATED.contains(&path)
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::testing::{self, file};

    fn verdict(path: &str, text: &str, expect: &[&str]) {
        testing::check(check(&[file(path, text)]), expect);
    }

    #[test]
    fn names_and_first_lines() {
        verdict("crates/a/src/b.rs", "//! What it is.\n", &[]);
        verdict("crates/a/src/b/tests.rs", "use super::*;\n", &[]);
        verdict(
            "crates/a/src/b/mod.rs",
            "//! What it is.\n",
            &["crates/a/src/b/mod.rs:1: a module is named"],
        );
        verdict("crates/a/src/b.rs", "use c;\n", &["crates/a/src/b.rs:1: does not begin"]);
    }

    #[test]
    fn lengths() {
        let long = format!("//! A.\n{}", "// B.\n".repeat(800));
        verdict("crates/a/src/b.rs", &long, &["crates/a/src/b.rs:800: has 801 lines"]);
        verdict("crates/a/tests/it/b.rs", &long, &[]);
        verdict("crates/a/src/tests.rs", &long, &[]);
        verdict("web/wallet/src/api/schema.d.ts", &long, &[]);
    }

    #[test]
    fn words_of_unfinished_code() {
        for word in [
            concat!("todo", "!()"),
            concat!("unimple", "mented!()"),
            concat!("// FIX", "ME"),
            concat!("#[igno", "re]"),
        ] {
            verdict("a.rs", &format!("//! A.\n{word}\n"), &["a.rs:2: `"]);
            verdict("a.md", &format!("{word}\n"), &[]);
        }
    }

    #[test]
    fn words_of_other_places() {
        for word in [concat!("https://registry.npm", "js.org/a"), concat!("pypi", ".org")] {
            verdict("README.md", &format!("{word}\n"), &["README.md:1: `"]);
            verdict("Cargo.lock", &format!("{word}\n"), &[]);
        }
        verdict("a.md", concat!("see `/wo", "rk/main`\n"), &["a.md:1: `"]);
        verdict("a.md", concat!("/sha", "red/data\n"), &["a.md:1: `"]);
        verdict("a.md", concat!("../sha", "red/data, home/wo", "rk/x\n"), &[]);
        let resolved = "{\n  \"resolved\": \"https://host/a.tgz\"\n}\n";
        verdict("web/package-lock.json", resolved, &["web/package-lock.json:2: holds a download address"]);
    }

    #[test]
    fn white_space() {
        verdict("a.md", "one\n\ttwo\nthree \n", &["a.md:2: holds a tab", "a.md:3: ends with white space"]);
        verdict("a.toml", "one = 1\r\n", &["a.toml:1: ends with white space"]);
        verdict("a.json", "{}", &["a.json:1: does not end with a line break"]);
        verdict("a.txt", "\t \n", &[]);
    }
}
