use mikey_sakke::kms::audit::Act;
use std::time::SystemTime;

/// Who runs this command, for the audit log, now: what the system says, and no environment variable changes (docs/audit.md).
pub fn act() -> Act {
    Act::new(name(), SystemTime::now())
}

#[cfg(unix)]
fn name() -> String {
    let user = nix::unistd::getuid().as_raw();
    let login = std::fs::read_to_string("/proc/self/loginuid").ok().and_then(|text| text.trim().parse().ok());
    let sudo_user = std::env::var("SUDO_USER").ok();
    describe(user, login, sudo_user.as_deref(), name_of)
}

#[cfg(not(unix))]
fn name() -> String {
    "operator".to_owned()
}

#[cfg(unix)]
fn name_of(user: u32) -> Option<String> {
    nix::unistd::User::from_uid(user.into()).ok().flatten().map(|user| user.name)
}

/// The login of a process that nobody logged in for.
#[cfg(unix)]
const NO_LOGIN: u32 = u32::MAX;

#[cfg(unix)]
fn describe(user: u32, login: Option<u32>, sudo_user: Option<&str>, name_of: impl Fn(u32) -> Option<String>) -> String {
    let named = |user| name_of(user).map_or_else(|| format!("uid {user}"), |name| format!("{name} (uid {user})"));
    let operator = format!("operator {}", named(user));
    match (login.filter(|login| *login != NO_LOGIN), sudo_user) {
        (Some(login), _) if login == user => operator,
        (Some(login), _) => format!("{operator}, logged in as {}", named(login)),
        (None, Some(sudo_user)) => format!("{operator}, SUDO_USER says {sudo_user:?}"),
        (None, None) => operator,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_system_names_the_operator() {
        let of = |user, login, sudo_user| {
            let name = |user| (user != 1001).then(|| if user == 0 { "root" } else { "alice" }.to_owned());
            describe(user, login, sudo_user, name)
        };
        assert_eq!(of(1000, None, None), "operator alice (uid 1000)");
        assert_eq!(of(1000, Some(1000), None), "operator alice (uid 1000)");
        assert_eq!(of(1000, Some(NO_LOGIN), None), "operator alice (uid 1000)");
        assert_eq!(of(1001, None, None), "operator uid 1001");
        assert_eq!(of(0, Some(1000), Some("bob")), "operator root (uid 0), logged in as alice (uid 1000)");
        assert_eq!(of(0, None, Some("a\"b\n")), "operator root (uid 0), SUDO_USER says \"a\\\"b\\n\"");
    }
}
