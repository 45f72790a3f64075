//! A disk that can be full.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small disk of its own; unmounted when dropped.
pub(crate) struct Disk(PathBuf);

impl Disk {
    /// `None` where mounting is not permitted.
    pub(crate) fn mount(at: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir_all(&at).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "waggle-faults"]).arg(&at);
        mount.output().is_ok_and(|ended| ended.status.success()).then_some(Self(at))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Has something else take all the room there is.
    pub(crate) fn fill(&self) {
        let mut filler = File::create(self.filler()).unwrap();
        let piece = vec![0; 1 << 16];
        while filler.write_all(&piece).is_ok() {}
    }

    /// Takes that away.
    pub(crate) fn make_room(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    pub(crate) fn enlarge(&self, size: &str) {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,size={size}")]).arg(&self.0);
        assert!(mount.status().unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: the server may still be ending.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
