use crate::cli::clock;
use mikey_sakke::capture::{Origin, Packet, RtspOrigin, SipOrigin};
use serde_json::{Map, Value, json};

/// Where something was found, for scripts: what is not known is absent.
pub fn json(origin: &Origin) -> Value {
    let mut object = Map::new();
    object.insert("form".into(), origin.form.to_string().into());
    if let Some(packet) = &origin.packet {
        object.insert("frame".into(), packet.frame.into());
        object.insert("time".into(), packet.time.map(clock::display_since_1970).into());
        object.insert("source".into(), packet.source.to_string().into());
        object.insert("destination".into(), packet.destination.to_string().into());
        object.insert("transport".into(), packet.transport.to_string().into());
    }
    if let Some(SipOrigin { method, status, call_id }) = &origin.sip {
        object.insert("sip".into(), json!({ "method": method, "status": status, "call_id": call_id }));
    }
    if let Some(RtspOrigin { method, status, uri }) = &origin.rtsp {
        object.insert("rtsp".into(), json!({ "method": method, "status": status, "uri": uri }));
    }
    object.into()
}

/// The same for people, in one line.
pub fn text(origin: &Origin) -> String {
    let mut words = Vec::new();
    if let Some(Packet { frame, time, source, destination, transport }) = &origin.packet {
        words.push(format!("frame {frame}"));
        words.extend(time.map(clock::display_since_1970));
        words.push(format!("{source} to {destination} over {transport}"));
    }
    if let Some(SipOrigin { method, status, call_id }) = &origin.sip {
        let method = method.as_deref().unwrap_or("request").escape_debug();
        words.push(match status {
            Some(status) => format!("SIP {status} to {method}"),
            None => format!("SIP {method}"),
        });
        words.extend(call_id.as_ref().map(|id| format!("Call-ID {}", id.escape_debug())));
    }
    if let Some(RtspOrigin { method, status, uri }) = &origin.rtsp {
        words.extend(method.as_ref().map(|method| format!("RTSP {}", method.escape_debug())));
        words.extend(status.map(|status| format!("RTSP {status}")));
        words.extend(uri.as_ref().map(|uri| uri.escape_debug().to_string()));
    }
    words.push(origin.form.to_string());
    words.join(", ")
}
