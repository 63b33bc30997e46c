//! A bank with a past, in a folder of its own.

use std::path::Path;
use std::sync::Arc;

use jinku::config::{BankConfig, Installation, ListedBank};
use jinku::process::Scratch;
use jinku::{demo, serve};
use node::{Node, SystemClock};
use projections::{Config, Projections};

/// 2026-11-24T02:00:00Z: the same past on every run.
pub(crate) const NOW: money::Timestamp = money::Timestamp::from_ms(1_795_485_600_000);

pub(crate) struct Bank {
    pub(crate) scratch: Scratch,
    pub(crate) installation: Installation,
}

impl Bank {
    /// A bank with a month of history.
    pub(crate) fn with_history(name: &str) -> Self {
        let scratch = Scratch::new(None, name).unwrap();
        let listed = |number: &str, name: &str| ListedBank {
            number: number.to_owned(),
            name_zh: name.to_owned(),
            name_en: name.to_owned(),
        };
        let config = BankConfig {
            banks: vec![listed("102100000099", "Jiangnan"), listed("103100000026", "Haihe")],
            ..BankConfig::local(7460)
        };
        let installation = Installation::create(&scratch.path().join("bank"), config).unwrap();
        demo::give_history(&installation, &[7; 32], NOW).unwrap();
        Self { scratch, installation }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.installation.folder
    }

    /// A path beside the bank's folder.
    pub(crate) fn beside(&self, name: &str) -> std::path::PathBuf {
        self.scratch.path().join(name)
    }

    /// Runs the bank until its read models have everything.
    pub(crate) fn project(&self) {
        let (node, projections) = self.start();
        let head = node.handle().status().durable;
        assert!(projections.reader().wait_for(head.seq, std::time::Duration::from_secs(20)));
    }

    pub(crate) fn start(&self) -> (Node, Projections) {
        let node = serve::start_node(&self.installation, Arc::new(SystemClock)).unwrap();
        let signer = serve::log_signer(&self.installation).unwrap();
        let config = Config { data: self.folder().to_owned(), signer };
        let projections = Projections::start(config, node.handle()).unwrap();
        (node, projections)
    }
}
