//! Messages that break: what is before the fault is shown, then the fault.
use crate::message::octets;
use crate::program::{inspect, object};
use serde_json::{Value, json};

/// A broken message in JSON, which fails.
fn broken(octets: &[u8]) -> Value {
    told(octets, &["--json"])
}

/// The same with what could be keys.
fn broken_whole(octets: &[u8]) -> Value {
    told(octets, &["--json", "--show-secrets"])
}

fn told(octets: &[u8], arguments: &[&str]) -> Value {
    let run = inspect(arguments, &hex(octets));
    assert_eq!(run.code, 1, "{}", run.stdout);
    object(&run)
}

/// As digits, so that nothing is guessed from the first octets.
fn hex(octets: &[u8]) -> Vec<u8> {
    octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>().into_bytes()
}

#[test]
fn a_cut_message_is_shown_up_to_the_cut() {
    let whole = object(&inspect(&["--json"], &octets()));
    let payloads = whole["payloads"].as_array().unwrap();
    for length in (1..octets().len()).step_by(9) {
        let result = broken_whole(&octets()[..length]);
        let end = |payload: &Value| payload["offset"].as_u64().unwrap() + payload["length"].as_u64().unwrap();
        let complete: Vec<_> = payloads.iter().filter(|payload| end(payload) <= length as u64).collect();
        assert_eq!(result["payloads"].as_array().unwrap().iter().collect::<Vec<_>>(), complete, "{length} octets");
        let fault = &result["fault"];
        let next = &payloads[complete.len()];
        assert_eq!((&fault["payload"], &fault["start"]), (&next["type"], &next["offset"]));
        let offset = fault["offset"].as_u64().unwrap();
        assert!((fault["start"].as_u64().unwrap()..=length as u64).contains(&offset), "{fault}");
        assert!(fault["clause"].as_str().unwrap().starts_with("RFC"), "{fault}");
        assert!(result["error"].as_str().unwrap().contains(fault["what"].as_str().unwrap()), "{result}");
        assert!(result["findings"].as_array().unwrap().iter().any(|finding| finding["what"] == fault["what"]));
    }
}

#[test]
fn each_kind_of_fault_has_its_place() {
    let changed = |at: usize, octet: u8| {
        let mut octets = octets();
        octets[at] = octet;
        octets
    };
    for (octets, count, payload, offset, clause) in [
        (changed(0, 2), 0, "HDR", 0, "RFC 3830 6.1"),
        (changed(1, 27), 0, "HDR", 1, "RFC 3830 6.1"),
        (changed(2, 99), 1, "payload of type 99 (unassigned)", 10, "RFC 3830 6.1"),
        (changed(11, 9), 1, "T", 11, "RFC 3830 6.6"),
        (changed(10, 20), 2, "Key data", 20, "RFC 3830 6.13"),
        (changed(21, 255)[..100].to_vec(), 2, "RAND", 22, "RFC 3830 6.11"),
        ([octets(), vec![0xab; 3]].concat(), 10, "last payload", octets().len(), "RFC 3830 6.1"),
    ] {
        if payload != "HDR" && offset < octets.len() {
            assert_eq!(broken(&octets)["fault"]["octets"], Value::Null, "they may be a key");
        }
        let result = broken_whole(&octets);
        assert_eq!(result["payloads"].as_array().unwrap().len(), count, "{result}");
        let fault = &result["fault"];
        let place = (&fault["payload"], &fault["offset"], &fault["clause"]);
        assert_eq!(place, (&json!(payload), &json!(offset), &json!(clause)));
        let digits = fault["octets"].as_str().unwrap();
        let rest = String::from_utf8(hex(&octets[offset..])).unwrap();
        assert!(!digits.is_empty() && rest.starts_with(digits.split("...").next().unwrap()), "{fault}");
    }
}

#[test]
fn of_a_header_that_cannot_be_read_its_own_octets_are_shown() {
    let mut octets = octets();
    octets[0] = 2;
    assert_eq!(broken(&octets)["fault"]["octets"].as_str().unwrap().as_bytes(), hex(&octets[..10]));
    (octets[0], octets[9]) = (1, 99);
    assert_eq!(broken(&octets)["fault"]["octets"], "63", "the type of the map, and nothing behind it");
    assert_eq!(broken(&octets[..4])["fault"]["octets"], "", "nothing is there");
}

#[test]
fn the_fault_is_told_in_words_behind_the_tree() {
    let run = inspect(&["--strict"], &hex(&octets()[..40]));
    assert_eq!(run.code, 1);
    for words in ["RAND", "IDR cannot be read", "fault: IDR type at octet 40", "(RFC 6043 6.6)", "octets from here: "] {
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
    assert!(!run.stdout.contains("the message has no"), "what is behind the fault may be there: {}", run.stdout);
    assert!(run.stderr.contains("this is no MIKEY message that can be read"), "{}", run.stderr);
}

#[test]
fn what_is_before_a_fault_is_judged() {
    let mut octets = octets();
    octets[3] = 0x80; // V = 1, PRF 0
    let run = inspect(&["--strict", "--json"], &hex(&octets[..60]));
    let result = object(&run);
    let findings: Vec<_> = result["findings"].as_array().unwrap().iter().map(|finding| &finding["severity"]).collect();
    assert_eq!(findings, ["excusable", "excusable", "refused"], "{result}");
}

#[test]
fn a_random_value_that_swallows_a_key_is_hidden_where_the_message_breaks() {
    let key = [0x5e; 16];
    // RAND says 40 octets: its own 16, the head of KEMAC, and the key.
    let head = [1, 0, 5, 1, 0, 0, 0, 1, 0, 1, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let kemac = [&[0, 0, 0, 22, 0, 0x20, 0, 16][..], &key, &[0, 0, 0]].concat();
    let octets = [&head[..], &[1, 40], &[7; 16], &kemac].concat();
    for arguments in [&["--json"][..], &[]] {
        let run = inspect(arguments, &hex(&octets));
        assert!(run.code == 1 && !run.stdout.contains("5e5e"), "{}", run.stdout);
    }
    assert!(inspect(&["--show-secrets"], &hex(&octets)).stdout.contains("5e5e"));
    // An algorithm that nobody assigned may be a NULL that was changed.
    let octets = [&head[..], &[1, 16], &[7; 16], &[0, 9, 0, 16], &key, &[0]].concat();
    assert!(!inspect(&[], &hex(&octets)).stdout.contains("5e5e"));
    assert_eq!(object(&inspect(&["--json"], &hex(&octets)))["payloads"][3]["data"], Value::Null);
}
