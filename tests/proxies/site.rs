//! Where a proxy is, and the proxies that are there.

use crate::PROXY;
use crate::peers::process::{Process, command, free_port};
use crate::snippet::{replaced, snippet};
use mikey_sakke::kms::development::SelfSigned;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A port, a folder and a TLS certificate for a proxy.
pub struct Site {
    folder: TempDir,
    pub port: u16,
}

/// A proxy that runs until it is dropped.
pub struct Proxy {
    pub site: Site,
    process: Process,
}

impl Site {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Squid gives up root's rights before it writes.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let SelfSigned { certificate, key } = SelfSigned::new(&["kms.example.org"]).unwrap();
        fs::write(folder.path().join("kms.crt"), &certificate).unwrap();
        fs::write(folder.path().join("kms.key"), &*key).unwrap();
        fs::write(folder.path().join("kms.pem"), certificate + &key).unwrap();
        Self { folder, port: free_port() }
    }

    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// What vouches for its TLS certificate.
    pub fn ca(&self) -> PathBuf {
        self.path("kms.crt")
    }

    /// The fingerprint of its TLS certificate.
    pub fn sha256(&self) -> String {
        let certificate = CertificateDer::from_pem_file(self.ca()).unwrap();
        Sha256::digest(&certificate).iter().map(|octet| format!("{octet:02x}")).collect()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The text with this site's port, certificate and key, and what is behind it: a URL, and what vouches for that.
    pub fn filled_in(&self, name: &str, upstream: &str, ca: &Path) -> String {
        let authority = upstream.strip_prefix("https://").unwrap();
        match name {
            "haproxy" => snippet(
                name,
                &[
                    ("bind :443", &format!("bind 127.0.0.1:{}", self.port)),
                    ("/etc/haproxy/kms.pem", self.path("kms.pem").to_str().unwrap()),
                    ("/etc/haproxy/kms-ca.pem", ca.to_str().unwrap()),
                    ("192.0.2.10:8443", &format!("{authority} source {PROXY}")),
                ],
            ),
            _ => snippet(
                name,
                &[
                    ("listen 443", &format!("listen 127.0.0.1:{}", self.port)),
                    ("/etc/nginx/kms.crt", self.path("kms.crt").to_str().unwrap()),
                    ("/etc/nginx/kms.key", self.path("kms.key").to_str().unwrap()),
                    ("/etc/nginx/kms-ca.pem", ca.to_str().unwrap()),
                    ("192.0.2.10:8443", authority),
                    ("proxy_ssl_verify on;", &format!("proxy_ssl_verify on; proxy_bind {PROXY};")),
                ],
            ),
        }
    }

    /// nginx with these servers.
    pub fn nginx(self, servers: &str) -> Proxy {
        let folder = self.folder.path().display();
        let user = if is_root() { "user root;" } else { "" };
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("    {name}_temp_path {folder}/{name};\n"))
            .concat();
        let config = format!(
            "daemon off;\nmaster_process off;\n{user}\npid {folder}/nginx.pid;\nerror_log stderr info;\nevents {{}}\n\
             http {{\n    access_log off;\n{temporary}{servers}\n}}\n"
        );
        let file = self.path("nginx.conf");
        fs::write(&file, config).unwrap();
        let mut nginx = command("nginx");
        nginx.args(["-e", "stderr", "-p"]).arg(self.folder.path()).arg("-c").arg(file);
        self.start(&mut nginx)
    }

    /// nginx by a snippet, before this KMS or proxy.
    pub fn nginx_before(self, name: &str, upstream: &str, ca: &Path) -> Proxy {
        let servers = self.filled_in(name, upstream, ca);
        self.nginx(&servers)
    }

    /// HAProxy with this configuration.
    pub fn haproxy(self, config: &str) -> Proxy {
        let file = self.path("haproxy.cfg");
        fs::write(&file, format!("global\n    tune.bufsize 65536\n\n{config}")).unwrap();
        let mut haproxy = command("haproxy");
        haproxy.arg("-db").arg("-f").arg(file);
        self.start(&mut haproxy)
    }

    /// HAProxy that writes the version of HTTP before and behind it, every request and every answer to its log.
    pub fn reading_haproxy(self, upstream: &str, ca: &Path) -> Proxy {
        let config = self.filled_in("haproxy", upstream, ca);
        let reading = "option forwardfor\n    \
            log stdout len 65535 format raw local0\n    \
            http-request wait-for-body time 5s\n    \
            http-request set-var(txn.request) req.body\n    \
            http-response wait-for-body time 5s\n    \
            http-response set-var(txn.answer) res.body\n    \
            http-response set-var(txn.behind) bc_http_major\n    \
            log-format \"%HV to %[var(txn.behind)]: %HU %[var(txn.request)] %[var(txn.answer)]\"";
        self.haproxy(&replaced(&config, "option forwardfor", reading))
    }

    /// Squid as a tunnel to a port of localhost, with further lines before its rules.
    pub fn squid(self, port: u16, more: &str) -> Proxy {
        let folder = self.folder.path().display();
        let rules = snippet(
            "squid",
            &[
                ("http_port 3128", &format!("http_port 127.0.0.1:{}\n{more}", self.port)),
                ("dstdomain kms.example.org", "dstdomain localhost"),
                ("port 443", &format!("port {port}")),
            ],
        );
        let config = format!(
            "{rules}\npid_filename {folder}/squid.pid\naccess_log stdio:{folder}/access.log\ncache_log {folder}/cache.log\n\
             coredump_dir {folder}\nshutdown_lifetime 0 seconds\npinger_enable off\nvisible_hostname localhost\n\
             netdb_filename none\n"
        );
        let file = self.path("squid.conf");
        fs::write(&file, config).unwrap();
        let mut squid = command("squid");
        squid.args(["-N", "-f"]).arg(file);
        self.start(&mut squid)
    }

    fn start(self, command: &mut Command) -> Proxy {
        let process = Process::start(command, &self.path("log"), false).listening(self.port);
        Proxy { site: self, process }
    }
}

impl Proxy {
    pub fn url(&self) -> String {
        self.site.url()
    }

    pub fn ca(&self) -> PathBuf {
        self.site.ca()
    }

    /// Its site, for another proxy.
    pub fn stop(self) -> Site {
        self.site
    }

    pub fn log(&self) -> String {
        self.process.log()
    }

    /// A tunnel's log: who asked for what, and how it ended.
    pub fn accesses(&self) -> String {
        fs::read_to_string(self.site.path("access.log")).unwrap_or_default()
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}
