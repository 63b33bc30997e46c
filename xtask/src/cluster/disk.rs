//! Disks of a machine: a folder of this machine's disk, or a small file system of its own that can be filled up.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::run::run;

/// Size of a small disk: a database with its log and a journal's segments fit in it several times.
const SMALL_BYTES: u64 = 1 << 30;
/// The file that fills a disk.
const BALLAST: &str = "ballast";

/// A disk. Dropping it unmounts it.
#[derive(Debug)]
pub(super) struct Disk {
    path: PathBuf,
    is_mounted: bool,
}

impl Disk {
    pub(super) fn new(folder: &Path, name: &str, is_small: bool) -> anyhow::Result<Self> {
        let path = folder.join(name);
        std::fs::create_dir_all(&path).with_context(|| format!("make {}", path.display()))?;
        if is_small {
            let image = folder.join(format!("{name}.img"));
            std::fs::File::create(&image)?.set_len(SMALL_BYTES)?;
            let mut make = Command::new("mkfs.ext4");
            make.args(["-q", "-m", "0"]).arg(&image);
            run(make, "mkfs.ext4")?;
            let mut mount = Command::new("mount");
            mount.args(["-o", "loop"]).arg(&image).arg(&path);
            run(mount, "mount")?;
        }
        Ok(Self { path, is_mounted: is_small })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Fills the disk to the last block.
    pub(super) fn fill(&self) -> anyhow::Result<()> {
        use std::io::Write as _;
        let mut file = std::fs::File::create(self.path.join(BALLAST))?;
        let block = vec![1_u8; 1 << 20];
        for size in [1 << 20, 4096] {
            let piece = block.get(..size).unwrap_or_default();
            while file.write_all(piece).is_ok() {}
        }
        // Without room it is as full as it can be.
        let _ = file.sync_all();
        Ok(())
    }

    pub(super) fn empty(&self) -> anyhow::Result<()> {
        std::fs::remove_file(self.path.join(BALLAST)).context("remove the ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.is_mounted {
            let mut unmount = Command::new("umount");
            unmount.arg("-l").arg(&self.path);
            let _ = run(unmount, "umount");
        }
    }
}
