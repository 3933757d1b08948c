//! Validates documents against the published schema with `xmllint` (Debian packages libxml2-utils and
//! xmltooling-schemas). The 3GPP schema comes from `$MIKEY_SAKKE_SHARED/spec`.

use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs, io::Write as _};

/// A folder with all schemas; without one the caller has nothing to test.
pub struct Schema {
    folder: tempfile::TempDir,
}

impl Schema {
    /// `None`, with a note, where the schemas or `xmllint` are missing; in continuous integration that is a failure.
    pub fn open() -> Option<Schema> {
        match Self::collect() {
            Ok(schema) => Some(schema),
            Err(reason) if env::var_os("CI").is_some() => panic!("schema validation cannot run: {reason}"),
            Err(reason) => {
                eprintln!("schema validation left out: {reason}");
                None
            }
        }
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
        let xmllint = Command::new("xmllint").arg("--version").stderr(Stdio::null()).status();
        if !xmllint.is_ok_and(|status| status.success()) {
            return Err("xmllint does not run: apt-get install libxml2-utils".to_owned());
        }
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
