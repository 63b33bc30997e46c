//! A thread that works beside the servers until it is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::Context;

/// A thread with its end: dropping this says so to the work, wakes it where it is parked, and waits for it.
#[derive(Debug)]
pub(crate) struct Worker {
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts `work`, which ends soon after what it is given becomes true.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(crate) fn start(
        name: String,
        work: impl FnOnce(&AtomicBool) + Send + 'static,
    ) -> anyhow::Result<Self> {
        let stopping = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stopping);
        let thread = std::thread::Builder::new().name(name).spawn(move || work(&flag));
        Ok(Self { stopping, thread: Some(thread.context("start a thread")?) })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}
