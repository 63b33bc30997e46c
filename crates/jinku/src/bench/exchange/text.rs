//! `--in`: the commands of a file, and everything that follows from them, in the form of exchange-core's recorded runs.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use anyhow::Context as _;
use exchange::book::transcript::Transcript;
use flate2::read::GzDecoder;

/// Takes the commands of a file and writes what follows to the standard output.
pub(super) fn replay(path: &Path) -> anyhow::Result<()> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let is_packed = path.extension().is_some_and(|extension| extension == "gz");
    let input: Box<dyn Read> = if is_packed { Box::new(GzDecoder::new(file)) } else { Box::new(file) };
    let output = BufWriter::new(std::io::stdout().lock());
    write(BufReader::new(input), output).with_context(|| path.display().to_string())
}

fn write(input: impl BufRead, mut output: impl Write) -> anyhow::Result<()> {
    let mut transcript = Transcript::default();
    let mut written = String::new();
    for line in input.lines() {
        transcript.line(&line?, &mut written)?;
        output.write_all(written.as_bytes())?;
        written.clear();
    }
    transcript.finish(&mut written);
    output.write_all(written.as_bytes())?;
    Ok(output.flush()?)
}
