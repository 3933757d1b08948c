//! Messages of other methods than MIKEY-SAKKE, by the RFC of each.
use super::super::finding::Finding;
use super::composition::Composition;
use super::{Extent, header, payload, ticket};
use mikey_sakke::mc::Error;
use mikey_sakke::mikey::Message;

/// Composition, header and payloads.
pub fn judge(message: &Message<'_>, extent: Extent) -> Vec<Finding> {
    let mut findings = vec![Finding::other_method(&Error::DataType { found: message.header.data_type })];
    if let Some(composition) = Composition::of(message.header.data_type) {
        findings.extend(composition.judge(message, extent));
    }
    findings.extend(header::judge(message));
    findings.extend(payload::judge(message, extent));
    findings.extend(ticket::judge(message));
    findings
}
