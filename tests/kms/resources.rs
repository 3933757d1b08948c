//! What a KMS answers beside `init` and `keyprov`: certificates of other KMSs, lookups, uploads; and which deviations of
//! deployed clients it forgives.

use crate::schema::Schema;
use crate::support::*;
use mikey_sakke::kms::certificates::{self, CertificateError};
use mikey_sakke::kms::store::{MAX_REDIRECT_OCTETS, StoreError};
use mikey_sakke::kms::{Error, State, open_store};
use mikey_sakke::kms_protocol::{
    ErrorCode, KmsCertCache, KmsCertificate, KmsError, KmsRedirectResponse, KmsRequest, Limits, RedirectDocument, Role,
};
use reqwest::{Response, StatusCode};
use std::time::Duration;
use time::OffsetDateTime;
use time::macros::datetime;

const OTHER_KMS: &str = "kms.example.com";

/// The certificate of a KMS that has the public keys of this one: these are good, and whose they are nobody can tell.
async fn other_certificate(world: &World, kms_uri: &str, domains: &[&str]) -> KmsCertificate {
    let state = State::open(world.folder.path(), &passphrase()).await.unwrap();
    KmsCertificate {
        role: Some(Role::External),
        kms_uri: kms_uri.into(),
        domains: domains.iter().map(|domain| (*domain).to_owned()).collect(),
        ..state.authority.certificate_at(now())
    }
}

async fn add(world: &World, file: &[u8], replace: bool) -> Result<u64, Error> {
    let (config, store) = open_store(world.folder.path()).await.unwrap();
    let fingerprint = certificates::fingerprint(file);
    let added = certificates::add(&config, &*store, file, &fingerprint, replace, &act()).await;
    added.map(|(_, number)| number)
}

async fn cache(world: &World, resource: &str) -> KmsCertCache {
    let (_, message) = answer(world.post(resource, &world.token(ALICE)).await).await;
    message.into_cert_cache().unwrap()
}

#[tokio::test]
async fn certcache_gives_what_is_new_to_the_client() {
    let world = World::new().await;
    assert_eq!(cache(&world, "certcache").await, KmsCertCache { cache_num: Some(0), certificates: Vec::new() });
    let first = other_certificate(&world, OTHER_KMS, &["example.com"]).await;
    assert_eq!(add(&world, first.to_xml().as_bytes(), false).await.unwrap(), 1);
    let gateway = KmsCertificate {
        is_security_gateway: true,
        cert_uri: Some("cert.gateway.example.net".into()),
        ..other_certificate(&world, "gateway.example.net", &[]).await
    };
    assert_eq!(add(&world, gateway.to_xml().as_bytes(), false).await.unwrap(), 2);

    let both = KmsCertCache { cache_num: Some(2), certificates: vec![gateway.clone(), first] };
    for resource in ["certcache", "certcache/0", "certcache/1", "certcache/3"] {
        assert_eq!(cache(&world, resource).await, both, "{resource}");
    }
    let nothing_new = KmsCertCache { cache_num: Some(2), certificates: Vec::new() };
    assert_eq!(cache(&world, "certcache/2").await, nothing_new);

    let revoked = KmsCertificate { revoked: true, ..gateway };
    assert_eq!(add(&world, revoked.to_xml().as_bytes(), true).await.unwrap(), 3);
    assert!(cache(&world, "certcache/2").await.certificates[0].revoked);
}

#[tokio::test]
async fn cert_gives_the_certificate_of_one_kms() {
    let world = World::new().await;
    let other = other_certificate(&world, "https://kms.example.com:8443", &["example.com"]).await;
    add(&world, other.to_xml().as_bytes(), false).await.unwrap();
    let only = |certificate| KmsCertCache { cache_num: None, certificates: vec![certificate] };
    assert_eq!(cache(&world, "cert/https%3A%2F%2Fkms.example.com%3A8443").await, only(other));
    let own = cache(&world, "cert/kms.example.org").await.certificates.remove(0);
    assert_eq!((own.role, own.kms_uri.as_str()), (Some(Role::Root), KMS_URI));

    let token = world.token(ALICE);
    for resource in ["cert/kms.example.net", "cert/KMS.example.org"] {
        refused(world.post(resource, &token).await, ErrorCode::UnknownCertificate).await;
    }
    for resource in ["cert", "cert/", "cert/a/b", "cert/%zz"] {
        refused(world.post(resource, &token).await, ErrorCode::UnknownResource).await;
    }
    refused(world.post("cert/kms.example.org", &world.token(REVOKED)).await, ErrorCode::RevokedUser).await;
}

#[tokio::test]
async fn certificates_that_are_not_to_be_trusted_are_refused() {
    let world = World::new().await;
    let good = other_certificate(&world, OTHER_KMS, &["example.com"]).await;
    type Expected = fn(&CertificateError) -> bool;
    let cases: [(KmsCertificate, Expected); 12] = [
        (KmsCertificate { role: Some(Role::Root), ..good.clone() }, |e| matches!(e, CertificateError::Role)),
        (KmsCertificate { kms_uri: KMS_URI.into(), ..good.clone() }, |e| matches!(e, CertificateError::OwnKms(_))),
        (KmsCertificate { kms_uri: "k\u{e9}".into(), ..good.clone() }, |e| matches!(e, CertificateError::KmsUri(_))),
        (KmsCertificate { kms_uri: "k".repeat(256), ..good.clone() }, |e| matches!(e, CertificateError::KmsUri(_))),
        (KmsCertificate { user_id_format: "1".into(), ..good.clone() }, |e| {
            matches!(e, CertificateError::Unsupported { field: "UserIdFormat", .. })
        }),
        (KmsCertificate { parameter_set: Some(2), ..good.clone() }, |e| {
            matches!(e, CertificateError::Unsupported { field: "ParameterSet", .. })
        }),
        (KmsCertificate { user_key_period: 0, ..good.clone() }, |e| {
            matches!(e, CertificateError::Unsupported { field: "UserKeyPeriod", .. })
        }),
        (KmsCertificate { pub_enc_key: vec![4; 257], ..good.clone() }, |e| {
            matches!(e, CertificateError::PublicKey { field: "PubEncKey", .. })
        }),
        (KmsCertificate { pub_auth_key: vec![4; 65], ..good.clone() }, |e| {
            matches!(e, CertificateError::PublicKey { field: "PubAuthKey", .. })
        }),
        (KmsCertificate { valid_to: Some(datetime!(2020-01-01 00:00 UTC)), ..good.clone() }, |e| {
            matches!(e, CertificateError::Dates { .. })
        }),
        (
            KmsCertificate {
                valid_from: Some(datetime!(9000-01-01 00:00 UTC)),
                valid_to: Some(datetime!(9000-01-01 00:00 UTC)),
                ..good.clone()
            },
            |e| matches!(e, CertificateError::Dates { .. }),
        ),
        (KmsCertificate { domains: vec!["EXAMPLE.org".into()], ..good.clone() }, |e| {
            matches!(e, CertificateError::OwnDomain(_))
        }),
    ];
    for (certificate, expected) in cases {
        match add(&world, certificate.to_xml().as_bytes(), false).await {
            Err(Error::Certificate(error)) => assert!(expected(&error), "{error:?}"),
            other => panic!("{other:?}"),
        }
    }
    for file in ["rubbish", "<KmsInit/>", "<KmsCertificate/>", "<!DOCTYPE a><KmsCertificate/>"] {
        let refused = add(&world, file.as_bytes(), false).await;
        assert!(matches!(refused, Err(Error::Certificate(CertificateError::Unreadable(_)))), "{file}: {refused:?}");
    }
    let (config, store) = open_store(world.folder.path()).await.unwrap();
    let file = good.to_xml().into_bytes();
    let with_fingerprint =
        async |fingerprint: &str| certificates::add(&config, &*store, &file, fingerprint, false, &act()).await;
    for fingerprint in ["", "ab", &"zz".repeat(32)] {
        let refused = with_fingerprint(fingerprint).await;
        assert!(matches!(refused, Err(Error::Certificate(CertificateError::FingerprintForm(_)))), "{fingerprint}");
    }
    let refused = with_fingerprint(&certificates::fingerprint(b"another file")).await;
    assert!(matches!(refused, Err(Error::Certificate(CertificateError::Fingerprint { .. }))));
    assert_eq!(cache(&world, "certcache").await.cache_num, Some(0), "nothing was added");

    let with_colons: Vec<String> = certificates::fingerprint(&file)
        .as_bytes()
        .chunks(2)
        .map(|pair| String::from_utf8_lossy(pair).to_uppercase())
        .collect();
    with_fingerprint(&with_colons.join(":")).await.unwrap();
    let again = add(&world, &file, false).await;
    assert!(matches!(again, Err(Error::Store(StoreError::CertificateExists(_)))));
    let rival = other_certificate(&world, "kms.example.net", &["Example.com"]).await;
    let taken = add(&world, rival.to_xml().as_bytes(), false).await;
    assert!(matches!(taken, Err(Error::Store(StoreError::DomainTaken(_)))));
    let mut number = 1;
    let full = loop {
        let next = other_certificate(&world, &format!("kms{number}.example.net"), &[]).await;
        match add(&world, next.to_xml().as_bytes(), false).await {
            Ok(found) => number = found,
            Err(error) => break error,
        }
    };
    assert!(matches!(full, Error::Store(StoreError::CacheFull)), "{full}");
    let answer = world.post("certcache", &world.token(ALICE)).await.bytes().await.unwrap();
    assert!((50_000..=65_536).contains(&answer.len()), "{} octets are what clients take", answer.len());
}

#[tokio::test]
async fn a_lookup_tells_which_kms_serves_whom_where_it_is_configured() {
    let world = World::new().await;
    let path = "lookup/sip%3Aalice%40example.org";
    refused(world.post(path, &world.token(ALICE)).await, ErrorCode::UnknownResource).await;

    let world = World::with_config(|toml| toml.replace("# operation = \"lookup\"", "operation = \"lookup\"")).await;
    let token = world.token(ALICE);
    let other = other_certificate(&world, OTHER_KMS, &["example.com"]).await;
    add(&world, other.to_xml().as_bytes(), false).await.unwrap();
    for (subject, kms_uri) in [
        ("sip%3Aalice%40example.org", KMS_URI),
        ("sip%3Anobody%40example.org", KMS_URI),
        ("example.org", KMS_URI),
        ("sip%3Acarol%40EXAMPLE.com%3A5061", OTHER_KMS),
        ("example.com", OTHER_KMS),
    ] {
        let (_, message) = answer(world.post(&format!("lookup/{subject}"), &token).await).await;
        assert_eq!(message.into_lookup().unwrap().kms_uris, [kms_uri], "{subject}");
    }
    for subject in ["example.net", "sip%3Adave%40example.net", "tel%3A%2B491234"] {
        refused(world.post(&format!("lookup/{subject}"), &token).await, ErrorCode::UnknownDomain).await;
    }
    for path in ["lookup", "lookup/a/b"] {
        refused(world.post(path, &token).await, ErrorCode::UnknownResource).await;
    }
    let request = world.request(ALICE, path);
    assert_eq!(world.post_document(path, &token, &request).await.status(), StatusCode::OK);
    refused(world.post("lookup/example.com", &world.token(UNKNOWN)).await, ErrorCode::UnknownUser).await;
}

fn redirect() -> RedirectDocument {
    let response = KmsRedirectResponse {
        receiver_uri: Some("sip:carol@example.com".into()),
        rejected_kms_uri: Some(OTHER_KMS.into()),
        receiver_kms_uris: vec!["kms.example.net".into()],
        ..KmsRedirectResponse::default()
    };
    RedirectDocument::from_xml(response.to_xml().as_bytes(), &Limits::default()).unwrap()
}

#[tokio::test]
async fn redirect_responses_are_taken_and_kept() {
    let world = World::new().await;
    let token = world.token(ALICE);
    let upload = |resource: &str, krr_list| KmsRequest { krr_list, ..world.request(ALICE, resource) };
    let good = upload("redirect", vec![redirect(), redirect()]);
    let response = world.post_document("redirect", &token, &good).await;
    assert_eq!(response.status(), StatusCode::OK);
    let response = document(response).await;
    assert_eq!((response.message, response.error, response.user_uri.as_str()), (None, None, ALICE));
    let (_, store) = open_store(world.folder.path()).await.unwrap();
    let kept = store.redirects().await.unwrap();
    assert_eq!(kept.len(), 2);
    assert_eq!((kept[0].document.as_str(), kept[0].sender.user_id.as_str()), (redirect().xml(), "alice"));

    for (resource, krr_list) in [("redirect", vec![]), ("init", vec![redirect()]), ("keyprov", vec![redirect()])] {
        let response = world.post_document(resource, &token, &upload(resource, krr_list)).await;
        refused(response, ErrorCode::MalformedDocument).await;
    }
    refused(world.post("redirect", &token).await, ErrorCode::MalformedDocument).await;
    refused(world.post("redirect/more", &token).await, ErrorCode::UnknownResource).await;
    let nine = upload("redirect", vec![redirect(); 9]);
    refused(world.post_document("redirect", &token, &nine).await, ErrorCode::MalformedDocument).await;
    let uris = vec!["kms.example.net".to_owned(); MAX_REDIRECT_OCTETS / 30];
    let large = KmsRedirectResponse { receiver_kms_uris: uris, ..KmsRedirectResponse::default() }.to_xml();
    let large = RedirectDocument::from_xml(large.as_bytes(), &Limits::default()).unwrap();
    let large = upload("redirect", vec![redirect(), large]);
    refused(world.post_document("redirect", &token, &large).await, ErrorCode::TooLarge).await;
    let revoked = KmsRequest { user_uri: REVOKED.into(), ..good };
    refused(world.post_document("redirect", &world.token(REVOKED), &revoked).await, ErrorCode::RevokedUser).await;
    assert_eq!(store.redirects().await.unwrap().len(), 2, "what is refused is not kept");
}

#[tokio::test]
async fn errors_that_clients_report_are_kept() {
    let world = World::new().await;
    let token = world.token(BOB);
    let error = KmsError { code: 7, message: "RSK invalid".into() };
    let report = KmsRequest { client_error: Some(error), ..world.request(BOB, "certcache") };
    assert_eq!(world.post_document("certcache", &token, &report).await.status(), StatusCode::OK);
    refused(world.post_document("certcache", &world.token(ALICE), &report).await, ErrorCode::NotAuthorised).await;
    let (_, store) = open_store(world.folder.path()).await.unwrap();
    let [kept] = &store.reports().await.unwrap()[..] else { panic!("one report") };
    assert_eq!((kept.sender.user_id.as_str(), kept.sender.uri.as_str()), ("bob", BOB));
    assert_eq!((kept.code, kept.message.as_str(), kept.sender.request_id.len()), (7, "RSK invalid", 16));
}

/// A KMS of which one deviation, or none, is refused.
async fn strict(setting: &str) -> World {
    let world = World::with_config(|toml| {
        let (before, section) = toml.split_once("[leniency]").unwrap();
        let strict = section.replacen(&format!("{setting} = true"), &format!("{setting} = false"), 1);
        assert_ne!(strict, section, "{setting}");
        format!("{before}[leniency]{strict}")
    });
    world.await
}

async fn post_xml(world: &World, resource: &str, xml: String, content_type: Option<&str>) -> Response {
    let mut post = world.client.post(world.url(resource)).bearer_auth(world.token(ALICE));
    if let Some(content_type) = content_type {
        post = post.header("content-type", content_type);
    }
    post.body(xml).send().await.unwrap()
}

#[tokio::test]
async fn each_deviation_is_forgiven_or_refused_as_the_setting_says() {
    const XML: Option<&str> = Some("application/xml");
    let escaped = "keyprov/sip%3Aalice%40example.org";
    let time = ((current_period() * PERIOD + 16) << 32) | 0xabcd;
    let (lower_case, upper_case) = (format!("{escaped}/{time:016x}"), format!("{escaped}/{time:016X}"));
    let lenient = World::new().await;
    for (setting, code) in [
        ("http_request_url", ErrorCode::WrongRequestUrl),
        ("short_request_url", ErrorCode::WrongRequestUrl),
        ("unescaped_uris", ErrorCode::UnknownResource),
        ("lower_case_times", ErrorCode::UnknownResource),
        ("other_versions", ErrorCode::MalformedDocument),
        ("missing_content_type", ErrorCode::UnsupportedMediaType),
    ] {
        let strict = strict(setting).await;
        for (world, is_forgiven) in [(&lenient, true), (&strict, false)] {
            let deviating = async || {
                let document = |resource: &str| world.request(ALICE, resource).to_xml();
                match setting {
                    "http_request_url" => {
                        post_xml(world, "init", document("init").replace("https://127", "http://127"), XML).await
                    }
                    "short_request_url" => post_xml(world, escaped, document("keyprov"), XML).await,
                    "unescaped_uris" => world.post("keyprov/sip:alice@example.org", &world.token(ALICE)).await,
                    "lower_case_times" => world.post(&lower_case, &world.token(ALICE)).await,
                    "other_versions" => {
                        let old = document("init").replace("Version=\"1.1.0\"", "Version=\"1.0.0\"");
                        post_xml(world, "init", old, XML).await
                    }
                    _ => post_xml(world, "init", document("init"), None).await,
                }
            };
            let response = deviating().await;
            if is_forgiven {
                assert_eq!(response.status(), StatusCode::OK, "{setting}");
            } else {
                refused(response, code).await;
            }
            // What the specification has is taken either way.
            let by_the_book = post_xml(world, escaped, world.request(ALICE, escaped).to_xml(), XML).await;
            assert_eq!(by_the_book.status(), StatusCode::OK, "{setting}");
            assert_eq!(world.post(&upper_case, &world.token(ALICE)).await.status(), StatusCode::OK, "{setting}");
        }
    }
}

#[tokio::test]
async fn two_deviations_at_once_need_both_settings() {
    let escaped = "keyprov/sip%3Aalice%40example.org";
    for setting in ["http_request_url", "short_request_url"] {
        let world = strict(setting).await;
        let short_and_http = world.request(ALICE, "keyprov").to_xml().replace("https://127", "http://127");
        let response = post_xml(&world, escaped, short_and_http, Some("application/xml")).await;
        refused(response, ErrorCode::WrongRequestUrl).await;
    }
    let world = strict("other_versions").await;
    let none = world.request(ALICE, "init").to_xml().replace(" Version=\"1.1.0\"", "");
    let message = refused(post_xml(&world, "init", none, Some("text/xml")).await, ErrorCode::MalformedDocument).await;
    assert!(message.contains("missing"), "{message}");
}

#[tokio::test]
async fn every_answer_is_valid_against_the_schema() {
    let Some(schema) = Schema::open() else { return };
    let world = World::with_config(|toml| toml.replace("# operation = \"lookup\"", "operation = \"lookup\"")).await;
    let other = KmsCertificate {
        valid_from: Some(OffsetDateTime::now_utc() - Duration::from_secs(60)),
        issuer: Some("Example & Sons".into()),
        ..other_certificate(&world, OTHER_KMS, &["example.com", "example.net"]).await
    };
    add(&world, other.to_xml().as_bytes(), false).await.unwrap();
    let token = world.token(ALICE);
    let mut documents = vec![other.to_xml()];
    for resource in [
        "certcache",
        "certcache/1",
        "cert/kms.example.com",
        "cert/kms.example.org",
        "cert/kms.example.net",
        "lookup/example.com",
        "lookup/sip%3Ax%40%26%3C",
        "redirect",
        "cert/%zz",
    ] {
        documents.push(world.post(resource, &token).await.text().await.unwrap());
    }
    let upload = KmsRequest { krr_list: vec![redirect()], ..world.request(ALICE, "redirect") };
    documents.push(upload.to_xml());
    documents.push(world.post_document("redirect", &token, &upload).await.text().await.unwrap());
    for document in documents {
        assert_eq!(schema.faults(&document), None, "{document}");
    }
}
