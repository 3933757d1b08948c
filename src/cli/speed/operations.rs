use super::bench::{Bench, Outcome};
use super::measure::Figure;
use super::{eccsi, sakke, system};
use std::time::Duration;

/// Measures for the given time.
type Measurement = fn(&mut Bench, Duration) -> Outcome<Figure>;

/// One thing that `speed` can measure.
pub struct Operation {
    name: &'static str,
    explanation: &'static str,
    measure: Measurement,
}

impl Operation {
    pub fn parse(name: &str) -> Result<&'static Self, String> {
        OPERATIONS.iter().find(|operation| operation.name == name).ok_or_else(|| {
            let names: Vec<_> = OPERATIONS.iter().map(|operation| operation.name).collect();
            format!("the operations are: {}", names.join(", "))
        })
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    pub fn explanation(&self) -> &'static str {
        self.explanation
    }

    pub fn measure(&self, bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
        (self.measure)(bench, budget)
    }
}

/// Every operation, in the order in which they are measured.
pub const OPERATIONS: &[Operation] = &[
    operation("sakke_extract", "KMS makes a receiver's key", sakke::extract),
    operation("sakke_extract_batch", "the same for many", sakke::extract_batch),
    operation("sakke_validate", "receiver checks it", sakke::validate),
    operation("sakke_encapsulate", "encrypt to an identity", sakke::encapsulate),
    operation("sakke_encapsulate_batch", "one key to many identities", sakke::encapsulate_batch),
    operation("sakke_decapsulate", "decrypt and check", sakke::decapsulate),
    operation("sakke_decapsulate_batch", "many with one key", sakke::decapsulate_batch),
    operation("eccsi_extract", "KMS makes a signer's keys", eccsi::extract),
    operation("eccsi_extract_batch", "the same for many", eccsi::extract_batch),
    operation("eccsi_validate", "signer checks them", eccsi::validate),
    operation("eccsi_sign", "sign 512 octets", eccsi::sign),
    operation("eccsi_sign_batch", "many of them", eccsi::sign_batch),
    operation("eccsi_verify", "verify, signer never seen before", eccsi::verify),
    operation("eccsi_verify_batch", "many from as many signers", eccsi::verify_batch),
    operation("eccsi_verify_known", "verify, signer kept in mind", eccsi::verify_known),
    operation("key_set_batch", "all keys of a user, for many", system::key_set_batch),
    operation("kms_tables_build", "prepare a KMS's public keys", system::kms_tables_build),
    operation("rsk_validator_build", "prepare to check receivers' keys", sakke::rsk_validator_build),
    operation("key_set_load", "prepare checked keys for use", system::key_set_load),
    operation("imessage_create", "a whole message with a call's key", system::imessage_create),
    operation("imessage_open", "check and open it", system::imessage_open),
];

const fn operation(name: &'static str, explanation: &'static str, measure: Measurement) -> Operation {
    Operation { name, explanation, measure }
}

/// The names with what they mean, for people who look for one.
pub fn names_and_meanings() -> String {
    OPERATIONS.iter().map(|operation| format!("  {:<24} {}\n", operation.name, operation.explanation)).collect()
}
