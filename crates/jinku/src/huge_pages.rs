//! Large pages for programs with large tables: a book of a million orders and a ledger of millions of entries do not fit what the processor keeps of ordinary pages' addresses.
//!
//! The C library's allocator asks the kernel for them where it is told so before the program begins (`glibc.malloc.hugetlb`, since glibc 2.35), so the program starts itself again
//! with that setting: the same process, the same arguments. Where the setting is there already, whatever it says, or the system has no such pages, nothing happens.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// The C library's settings.
const TUNABLES: &str = "GLIBC_TUNABLES";
/// Ask for large pages where the kernel gives them to who asks.
const ASK: &str = "glibc.malloc.hugetlb=1";
/// Says when the kernel gives them.
const WHEN: &str = "/sys/kernel/mm/transparent_hugepage/enabled";

/// Starts this program again with the setting, where that is of use.
pub fn ask() {
    let set = std::env::var_os(TUNABLES).unwrap_or_default();
    let is_set = set.to_string_lossy().contains("glibc.malloc.hugetlb");
    let gives = std::fs::read_to_string(WHEN).is_ok_and(|when| when.contains("[madvise]"));
    if is_set || !gives {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut tunables = OsString::from(ASK);
    if !set.is_empty() {
        tunables.push(":");
        tunables.push(set);
    }
    // It comes back only when it could not be started; then this one goes on as it is.
    let error = Command::new(program).args(std::env::args_os().skip(1)).env(TUNABLES, tunables).exec();
    tracing::debug!(%error, "the program could not start itself again with large pages");
}
