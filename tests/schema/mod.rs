//! Validates documents against the published schema with `xmllint` (Debian packages libxml2-utils and
//! xmltooling-schemas). The 3GPP schema comes from `$MIKEY_SAKKE_SHARED/spec`.

#![allow(clippy::expect_used, clippy::panic, reason = "a test ends at what it did not expect")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs, io::Write as _};

/// Whether a foreign program is there that a test talks to.
#[allow(dead_code, reason = "not every test talks to one")]
pub fn peer(program: &str) -> bool {
    or_leave_out(runs(program)).is_some()
}

/// What a test needs beside this repository may be missing, with a note; in continuous integration that is a failure.
fn or_leave_out<T>(needed: Result<T, String>) -> Option<T> {
    match needed {
        Ok(needed) => Some(needed),
        Err(reason) if env::var_os("CI").is_some() => panic!("this test cannot run: {reason}"),
        Err(reason) => {
            eprintln!("left out: {reason}");
            None
        }
    }
}

fn runs(program: &str) -> Result<(), String> {
    let answers = |argument: &str| {
        let status = Command::new(program).arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    // OpenSSL has the second form alone.
    match answers("--version") || answers("version") {
        true => Ok(()),
        false => Err(format!("{program} does not run (tests/run installs it)")),
    }
}

#[allow(dead_code, reason = "not every test validates")]
/// A folder with all schemas; without one the caller has nothing to test.
pub struct Schema {
    folder: tempfile::TempDir,
}

#[allow(dead_code, reason = "not every test validates")]
impl Schema {
    /// `None`, with a note, where the schemas or `xmllint` are missing; in continuous integration that is a failure.
    pub fn open() -> Option<Schema> {
        or_leave_out(Self::collect())
    }

    /// What `xmllint` has against the document; nothing if it is valid.
    pub fn faults(&self, document: &str) -> Option<String> {
        let mut child = Command::new("xmllint")
            .args(["--nonet", "--noout", "--schema", "kms-interface.xsd", "-"])
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("xmllint starts");
        child.stdin.take().expect("a pipe").write_all(document.as_bytes()).expect("xmllint reads");
        let output = child.wait_with_output().expect("xmllint ends");
        (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn collect() -> Result<Schema, String> {
        let shared = env::var_os("MIKEY_SAKKE_SHARED").ok_or("MIKEY_SAKKE_SHARED is not set")?;
        runs("xmllint")?;
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schema");
        let installed = Path::new("/usr/share/xml/xmltooling");
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        for source in [
            own.join("kms-interface.xsd"),
            own.join("krr-stub.xsd"),
            installed.join("xmldsig-core-schema.xsd"),
            installed.join("xenc-schema.xsd"),
            Path::new(&shared).join("spec/mcsecKMSInterface-1.0.xsd"),
        ] {
            let name = source.file_name().ok_or("a schema has a name")?;
            fs::copy(&source, folder.path().join(name))
                .map_err(|error| format!("{}: {error} (apt-get install xmltooling-schemas)", source.display()))?;
        }
        Ok(Schema { folder })
    }
}
