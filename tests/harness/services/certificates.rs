//! Certificates of one authority for all servers and their clients, made once in a test process.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::{daemon, script};
use crate::harness::keeper;

/// The files that `tests/services/certificates.sh` makes.
#[derive(Debug)]
pub struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    /// Those of this test process.
    pub fn shared() -> &'static Certificates {
        static CERTIFICATES: OnceLock<Certificates> = OnceLock::new();
        CERTIFICATES.get_or_init(Certificates::make)
    }

    fn make() -> Certificates {
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        keeper::keep_folder(&folder);
        let made = Command::new(script("certificates.sh")).arg(&folder).output();
        let made = made.expect("bash is there");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        // Servers that run as other users look into it.
        daemon::open_to_all(&folder);
        Certificates { folder }
    }

    /// The authority that has signed what servers show.
    pub fn authority(&self) -> String {
        self.file("ca.crt")
    }

    /// An authority that has signed nothing.
    pub fn other_authority(&self) -> String {
        self.file("other-ca.crt")
    }

    /// A client's certificate and its key.
    pub fn client(&self) -> (String, String) {
        (self.file("client.crt"), self.file("client.key"))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).to_str().expect("temporary folders have names in UTF-8").to_owned()
    }
}
