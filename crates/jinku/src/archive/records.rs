//! The records of a bank from the first on, those released from its journal out of the archive.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use journal::{Head, Reader};
use receipts::VerifierKey;

use super::BUFFER_BYTES;
use super::base::Kept;
use super::form::Reading;

/// Released records in order, each file checked to its end.
pub(crate) struct Released {
    folder: PathBuf,
    files: std::vec::IntoIter<Kept>,
    reading: Option<(Kept, Reading<BufReader<File>>)>,
    key: VerifierKey,
    /// The last record released.
    last: Head,
    head: Head,
}

impl Released {
    /// Those up to `last`, in `files` of the folder.
    pub(crate) fn new(folder: &Path, files: Vec<Kept>, last: Head, key: &VerifierKey) -> Self {
        let files = files.into_iter();
        Self {
            folder: folder.to_owned(),
            files,
            reading: None,
            key: key.clone(),
            last,
            head: Head::default(),
        }
    }

    /// The next record; `None` after the last, when every file has been read to its end and is what it was when its records were released.
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<(Head, Vec<u8>)>> {
        loop {
            if let Some((file, reading)) = &mut self.reading {
                let record = reading.next().with_context(|| file.file.clone())?;
                if let Some((head, bytes)) = record.filter(|(head, _)| head.seq <= self.last.seq) {
                    self.head = head;
                    return Ok(Some((head, bytes)));
                }
                self.close()?;
            }
            let Some(next) = self.files.next() else {
                ensure!(
                    self.head == self.last,
                    "the archive's records do not lead to where the journal begins"
                );
                return Ok(None);
            };
            let path = self.folder.join(&next.file);
            let file = File::open(&path).with_context(|| {
                format!("open {}: it has records that the journal has no more", path.display())
            })?;
            let reading = Reading::begin(BufReader::with_capacity(BUFFER_BYTES, file));
            let reading = reading.with_context(|| path.display().to_string())?;
            ensure!(reading.before() == self.head, "{} does not follow the file before", path.display());
            self.reading = Some((next, reading));
        }
    }

    fn close(&mut self) -> anyhow::Result<()> {
        let Some((file, reading)) = self.reading.take() else { return Ok(()) };
        let title = reading.finish(&self.key).with_context(|| file.file.clone())?;
        ensure!(file.is(&title), "{} is not the file that its records were released to", file.file);
        Ok(())
    }
}

/// All records, from the archive and then from the journal.
pub(crate) struct Records {
    released: Option<Released>,
    journal: PathBuf,
    from: u64,
    reader: Option<Reader>,
}

impl Records {
    /// Of the journal in this folder, from the record `from` on; it begins after the last of `released`.
    pub(crate) fn new(journal: &Path, released: Option<Released>, from: u64) -> Self {
        let from = released.as_ref().map_or(from, |released| released.last.seq.saturating_add(1));
        Self { released, journal: journal.to_owned(), from, reader: None }
    }

    /// The next record with where it is, for messages.
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<(Head, Vec<u8>, String)>> {
        if let Some(released) = &mut self.released {
            if let Some((head, bytes)) = released.next()? {
                let file = released.reading.as_ref().map(|(file, _)| file.file.clone());
                return Ok(Some((head, bytes, file.unwrap_or_default())));
            }
            self.released = None;
        }
        let reader = match &mut self.reader {
            Some(reader) => reader,
            None => self.reader.insert(Reader::open(&self.journal, self.from)?),
        };
        let record = reader.next()?;
        Ok(record
            .map(|record| (Head { seq: record.seq, hash: record.hash }, record.bytes, record.at.to_string())))
    }
}
