use mikey_sakke::kms::audit::Act;
use std::env;
use std::time::SystemTime;

/// Who runs this command, for the audit log, now. The name is what the login says; the number is what the system says.
pub fn act() -> Act {
    let name = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| env::var(name).ok());
    let name = name.as_deref().unwrap_or("of no name");
    let by = match user_number() {
        Some(number) => format!("operator {name} (uid {number})"),
        None => format!("operator {name}"),
    };
    Act::new(by, SystemTime::now())
}

#[cfg(target_os = "linux")]
fn user_number() -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").ok().map(|process| process.uid())
}

#[cfg(not(target_os = "linux"))]
fn user_number() -> Option<u32> {
    None
}
