//! As whom it is recorded what is done to data without a host.

use exthost::auth::Actor;
use exthost::ownership::current_user;

/// The user who runs this command. There is no token to go by: whoever may write in the
/// data directory may do it.
pub(super) fn operator() -> Actor {
    match current_user() {
        Some(user) => {
            let id = format!("uid:{user}");
            let name = name_of(user).unwrap_or_else(|| id.clone());
            Actor::user(id, format!("{name}, without a host"))
        }
        None => Actor::user("", "somebody, without a host"),
    }
}

/// The name of a user of this machine, if it is a local one.
fn name_of(user: u32) -> Option<String> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let number = user.to_string();
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == number).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_is_told_apart_from_those_with_a_token() {
        let operator = operator().to_string();
        assert!(operator.ends_with(", without a host"), "{operator}");
        if cfg!(target_os = "linux") {
            assert_eq!(name_of(0).as_deref(), Some("root"));
        }
        assert_eq!(name_of(u32::MAX), None);
    }
}
