//! What an audit reads: the whole history, or what a journal has left after its first records were released.

use std::path::{Path, PathBuf};

use anyhow::Context;
use bank::Bank;
use journal::{Base, Head};
use receipts::VerifierKey;

use super::Findings;
use crate::archive::{Kept, Records, Released, released_to};
use crate::config::Installation;
use crate::serve;

/// Where the records are.
pub(super) struct Source {
    journal: PathBuf,
    /// What was released, and to which files.
    released: Option<(Base, Vec<Kept>)>,
    /// The folder with those files, where it is known.
    archive: Option<PathBuf>,
    key: VerifierKey,
}

impl Source {
    /// Looks at where the journal begins; `None` where that does not hold.
    pub(super) fn of(
        installation: &Installation,
        begins: Head,
        archive: Option<&Path>,
        findings: &mut Findings,
    ) -> anyhow::Result<Option<Self>> {
        let journal = installation.folder.join("journal");
        let key = serve::log_signer(installation)?.verifier().clone();
        let mut released = None;
        if let Some(base) = journal::base(&journal)?.filter(|base| base.before == begins) {
            let files = match released_to(&base, &installation.config.number, &key) {
                Ok(files) => files,
                Err(error) => {
                    findings.failed.push(format!("base: what was released cannot be relied on: {error:#}"));
                    return Ok(None);
                }
            };
            findings.passed.push(format!(
                "base: the records 1 to {} were released to {} files of the archive, as the bank has signed",
                base.before.seq,
                files.len()
            ));
            released = Some((base, files));
        }
        Ok(Some(Self { journal, released, archive: archive.map(Path::to_owned), key }))
    }

    /// Whether every record can be read.
    pub(super) const fn is_whole(&self) -> bool {
        self.released.is_none() || self.archive.is_some()
    }

    /// The record before the first that can be read.
    pub(super) fn before(&self) -> u64 {
        let released = self.released.as_ref().map_or(0, |(base, _)| base.before.seq);
        if self.is_whole() { 0 } else { released }
    }

    /// All records, or those that are within reach.
    pub(super) fn records(&self) -> Records {
        let released =
            self.released.as_ref().zip(self.archive.as_ref()).map(|((base, files), archive)| {
                Released::new(archive, files.clone(), base.before, &self.key)
            });
        Records::new(&self.journal, released, self.before().saturating_add(1))
    }

    /// The state that the replay begins with: nothing, or the oldest good snapshot where the first records are out of reach.
    pub(super) fn state(
        &self,
        installation: &Installation,
        findings: &mut Findings,
    ) -> anyhow::Result<Option<Bank>> {
        if self.is_whole() {
            return Ok(Some(Bank::default()));
        }
        let oldest = node::good_snapshots(&installation.folder)?.into_iter().next();
        if oldest.is_none() {
            findings.failed.push(
                "replay: no snapshot is good, and the first records are in the archive: --archive names its folder".to_owned(),
            );
        }
        Ok(oldest.map(|found| found.bank))
    }

    /// The ends of the files that records were released to: what is known of them without the files.
    pub(super) fn marks(&self) -> anyhow::Result<Vec<Head>> {
        let files = self.released.iter().flat_map(|(_, files)| files);
        files.map(|file| file.head().context("the base")).collect()
    }
}

/// The heads after the records read, and what is known of those before.
pub(super) struct Heads {
    pub(super) before: Vec<Head>,
    /// The record before the first of the list.
    pub(super) from: u64,
    pub(super) list: Vec<Head>,
}

impl Heads {
    /// Whether the record `seq` is known to have this hash.
    pub(super) fn has(&self, seq: u64, hash: &[u8; 32]) -> bool {
        let index = seq.checked_sub(self.from).and_then(|index| index.checked_sub(1));
        let index = index.and_then(|index| usize::try_from(index).ok());
        let replayed = index.and_then(|index| self.list.get(index));
        let mut known = replayed.into_iter().chain(&self.before);
        known.any(|head| head.seq == seq && head.hash.as_bytes() == hash)
    }
}
