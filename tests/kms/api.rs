//! `docs/kms-api.md` shows what the program sends and accepts: each example is made again, and each table compared.
//!
//! After a change on purpose, `UPDATE_DOCS=1 cargo test --test kms api` writes the examples anew.

use crate::support::*;
use mikey_sakke::kms::{self, State, admin, certificates, open_store};
use mikey_sakke::kms_protocol::{
    ClientKeys, ErrorCode, KeyIds, KmsCertificate, KmsError, KmsRedirectResponse, KmsRequest, Limits, RedirectDocument,
    Role,
};
use mikey_sakke::xml_security::SigningOptions;
use std::path::Path;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const PAGE: &str = "docs/kms-api.md";

struct Maker {
    world: World,
    keys: ClientKeys,
    /// The date of the roll-over, once there was one.
    change: Option<String>,
    examples: Vec<(&'static str, String)>,
}

impl Maker {
    async fn new() -> Self {
        let world = World::with_config(|toml| toml.replace("# operation = \"lookup\"", "operation = \"lookup\"")).await;
        let state = State::open(world.folder.path(), &passphrase()).await.unwrap();
        let other = KmsCertificate {
            role: Some(Role::External),
            kms_uri: "kms.example.com".into(),
            domains: vec!["example.com".into()],
            ..state.authority.certificate_at(now())
        };
        let (config, store) = open_store(world.folder.path()).await.unwrap();
        let file = other.to_xml().into_bytes();
        let fingerprint = certificates::fingerprint(&file);
        certificates::add(&config, &*store, &file, &fingerprint, false, &act()).await.unwrap();
        let keys = admin::new_client_keys(&state, BOB, false, &act()).await.unwrap();
        Self { world, keys, change: None, examples: Vec::new() }
    }

    /// An exchange without a document.
    async fn empty(&mut self, name: &'static str, resource: &str) {
        let response = self.world.post(resource, &self.world.token(ALICE)).await;
        let head = request_head(resource, 0);
        self.exchange(name, head, response).await;
    }

    /// An exchange with a document of the user whose token it has.
    async fn document(&mut self, name: &'static str, request: &KmsRequest, resource: &str) {
        let token = self.world.token(&request.user_uri);
        let response = self.world.post_document(resource, &token, request).await;
        let xml = request.to_xml();
        self.exchange(name, format!("{}\n{}", request_head(resource, 1), indented(&xml)), response).await;
    }

    async fn signed(&mut self, name: &'static str, resource: &str) {
        let request = KmsRequest {
            key_ids: KeyIds {
                trk_id: Some(self.keys.transport.name().to_owned()),
                signature_id: Some(self.keys.signing_key().name().to_owned()),
            },
            ..self.world.request(BOB, resource)
        };
        let xml = request.to_signed_xml(self.keys.signing_key(), &SigningOptions::default()).unwrap().to_string();
        let post = self.world.client.post(self.world.url(resource)).bearer_auth(self.world.token(BOB));
        let response = post.header("content-type", "application/xml").body(xml.clone()).send().await.unwrap();
        self.exchange(name, format!("{}\n{}", request_head(resource, 1), indented(&xml)), response).await;
    }

    async fn exchange(&mut self, name: &'static str, request: String, response: reqwest::Response) {
        let status = response.status();
        let body = response.text().await.unwrap();
        let text = format!("{request}\n\nHTTP/1.1 {status}\nContent-Type: application/xml\n\n{}", indented(&body));
        let address = self.world.server.address().to_string();
        let text = steady(&text.replace(&address, "kms.example.org"), self.change.as_deref());
        self.examples.push((name, text));
    }

    /// The same KMS after it has rolled over.
    async fn rolled_over(mut self) -> Self {
        let folder = self.world.folder.path();
        let done = kms::roll_over(folder, &passphrase(), kms::RollOverAt::default(), &act()).await.unwrap();
        self.change = Some(done.begins.format(&Rfc3339).unwrap());
        self.world = self.world.restart().await;
        self
    }
}

fn request_head(resource: &str, documents: usize) -> String {
    let content_type = if documents > 0 { "\nContent-Type: application/xml\n" } else { "" };
    format!("POST {ROOT}/{resource} HTTP/1.1\nHost: kms.example.org\nAuthorization: Bearer eyJ...{content_type}")
}

/// Elements on lines of their own, as people read them; the program writes none of this white space.
fn indented(xml: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut depth = 0_usize;
    let pieces = xml.split_inclusive('>').flat_map(|part| {
        let (text, tag) = part.split_at(part.find('<').unwrap_or(part.len()));
        [text.trim(), tag.trim()]
    });
    for piece in pieces.filter(|piece| !piece.is_empty()) {
        let closed = piece.strip_prefix("</");
        let is_text = !piece.starts_with('<');
        let opens = !is_text && closed.is_none() && !piece.ends_with("/>") && !piece.starts_with("<?");
        if closed.is_some() {
            depth -= 1;
        }
        // A text and an end tag stay on the line of the start tag, if nothing else is in the element.
        let is_leaf = |line: &String| closed.is_some_and(|name| is_open(line, name.trim_end_matches('>')));
        match lines.last_mut() {
            Some(line) if is_text || is_leaf(line) => line.push_str(piece),
            _ => lines.push(format!("{}{piece}", "  ".repeat(depth))),
        }
        depth += usize::from(opens);
    }
    lines.join("\n")
}

/// Whether a line is the start tag of an element, perhaps with its text.
fn is_open(line: &str, name: &str) -> bool {
    let after = line.trim_start().strip_prefix('<').and_then(|line| line.strip_prefix(name));
    !line.contains("</") && after.is_some_and(|rest| rest.starts_with([' ', '>']))
}

/// What differs from run to run, in a form that does not: times, key periods, keys, names that count, signatures.
fn steady(text: &str, change: Option<&str>) -> String {
    let lines = text.lines().map(|line| {
        let Some((element, rest)) = line.split_once('>') else { return line.to_owned() };
        let Some((value, end)) = rest.split_once("</") else { return line.to_owned() };
        let name = element.trim_start().trim_start_matches('<').split(' ').next().unwrap();
        let steady = match name {
            "ValidFrom" | "ValidTo" if Some(value) == change => "2026-03-03T00:00:11Z".to_owned(),
            "Time" => "2026-03-01T08:00:00Z".to_owned(),
            "ValidFrom" | "ValidTo" => format!("2026-03-0{}T00:00:11Z", if name == "ValidFrom" { 1 } else { 2 }),
            "KeyPeriodNo" => "46080".to_owned(),
            "PubEncKey" | "PubAuthKey" | "UserDecryptKey" | "UserSigningKeySSK" | "UserPubTokenPVT" | "UserID" => {
                format!("... {} octets in hex ...", value.len() / 2)
            }
            "CipherValue" | "DigestValue" | "SignatureValue" => "... base64 ...".to_owned(),
            _ => value.to_owned(),
        };
        format!("{element}>{steady}</{end}")
    });
    lines.collect::<Vec<_>>().join("\n")
}

async fn examples() -> Vec<(&'static str, String)> {
    let mut maker = Maker::new().await;
    let request = |maker: &Maker, resource: &str| maker.world.request(ALICE, resource);
    maker.empty("init", "init").await;
    let keyprov = "keyprov/sip%3Aalice%40example.org";
    let time = ((current_period() * PERIOD + 16) << 32).to_be_bytes();
    let time: String = time.iter().map(|octet| format!("{octet:02X}")).collect();
    let with_document = request(&maker, keyprov);
    maker.document("keyprov", &with_document, keyprov).await;
    maker.empty("keyprov-time", &format!("{keyprov}/{time}")).await;
    if let Some((_, text)) = maker.examples.last_mut() {
        *text = text.replace(&time, "ED4EF90F00000000");
    }
    maker.signed("keyprov-signed", "keyprov").await;
    maker.empty("certcache", "certcache").await;
    maker.empty("certcache-latest", "certcache/1").await;
    maker.empty("cert", "cert/kms.example.com").await;
    maker.empty("lookup", "lookup/sip%3Acarol%40example.com").await;
    let redirect = KmsRedirectResponse {
        processor_uri: Some("sip:processor@example.com".into()),
        time: Some(OffsetDateTime::UNIX_EPOCH),
        initiator_uri: Some(ALICE.into()),
        receiver_uri: Some("sip:carol@example.com".into()),
        rejected_kms_uri: Some("kms.example.com".into()),
        receiver_kms_uris: vec!["kms2.example.com".into()],
        ..KmsRedirectResponse::default()
    };
    let redirect = RedirectDocument::from_xml(redirect.to_xml().as_bytes(), &Limits::default()).unwrap();
    let upload = KmsRequest { krr_list: vec![redirect], ..request(&maker, "redirect") };
    maker.document("redirect", &upload, "redirect").await;
    let error = KmsError { code: 7, message: "the RSK is not valid".into() };
    let report = KmsRequest { client_error: Some(error), ..request(&maker, "certcache/1") };
    maker.document("report", &report, "certcache/1").await;
    maker.empty("refusal", "cert/kms.example.net").await;
    let mut maker = maker.rolled_over().await;
    maker.empty("certcache-roll-over", "certcache/1").await;
    maker.examples
}

#[tokio::test]
async fn the_examples_are_what_the_program_sends_and_accepts() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let mut page = std::fs::read_to_string(&path).unwrap();
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    let examples = examples().await;
    assert_eq!(page.matches("<!-- example: ").count(), examples.len(), "each example is shown once");
    for (name, text) in examples {
        let marker = format!("<!-- example: {name} -->\n```http\n");
        let start = page.find(&marker).unwrap_or_else(|| panic!("{name} is missing")) + marker.len();
        let end = start + page[start..].find("```\n").unwrap();
        if update {
            page.replace_range(start..end, &format!("{text}\n"));
        } else {
            assert_eq!(page[start..end], format!("{text}\n"), "{name}: run with UPDATE_DOCS=1");
        }
    }
    if update {
        std::fs::write(&path, page).unwrap();
    }
}

#[test]
fn the_table_of_refusals_is_whole() {
    let page = include_str!("../../docs/kms-api.md");
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| {
            line.starts_with("| 1") || line.starts_with("| 2") || line.starts_with("| 3") || line.starts_with("| 5")
        })
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    assert_eq!(rows.len(), ErrorCode::ALL.len());
    for (row, code) in rows.iter().zip(ErrorCode::ALL) {
        let [number, status, meaning, when] = row[..] else { panic!("{row:?}") };
        let expected = (code.number().to_string(), code.http_status().to_string(), code.meaning());
        assert_eq!((number.to_owned(), status.to_owned(), meaning), expected);
        assert!(!when.is_empty(), "{number}");
    }
}
