//! Signatures of Standard Webhooks 1.0.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::config::Secret;

/// The header `webhook-signature`: one signature for each live secret, over the
/// id, the time of this attempt in seconds, and the very bytes that are sent.
pub(crate) fn sign(secrets: &[Secret], id: &str, timestamp: i64, payload: &[u8]) -> String {
    let signatures: Vec<_> = secrets
        .iter()
        .filter_map(|secret| signature(secret, id, timestamp, payload))
        .collect();
    signatures.join(" ")
}

/// Whether one of the signatures in `header` was made with `secret`; it takes as
/// long for one that is nearly right as for any other.
pub(crate) fn verify(
    secret: &Secret,
    id: &str,
    timestamp: i64,
    payload: &[u8],
    header: &str,
) -> bool {
    let signatures = header.split(' ').filter_map(|it| it.strip_prefix("v1,"));
    let mut decoded = signatures.filter_map(|signature| STANDARD.decode(signature).ok());
    decoded.any(|signature| {
        let mac = mac(secret, id, timestamp, payload);
        mac.is_some_and(|mac| mac.verify_slice(&signature).is_ok())
    })
}

fn signature(secret: &Secret, id: &str, timestamp: i64, payload: &[u8]) -> Option<String> {
    let mac = mac(secret, id, timestamp, payload)?;
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    Some(format!("v1,{signature}"))
}

/// Always there: this code takes a key of any length.
fn mac(secret: &Secret, id: &str, timestamp: i64, payload: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(payload);
    Some(mac)
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use standardwebhooks::Webhook;

    use super::*;
    use crate::clock::Clock;
    use crate::services::webhooks::message::OutboxMessage;

    #[test]
    fn the_vector_of_the_specification() {
        let secret = Secret::parse("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap();
        let body = br#"{"email":"test@example.com","username":"test_user"}"#;
        assert_eq!(
            sign(
                &[secret],
                "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
                1649367553,
                body
            ),
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="
        );
    }

    /// 10,000 random messages with secrets of all lengths.
    #[test]
    #[allow(clippy::print_stdout, reason = "a failure is repeated from its seed")]
    fn another_implementation_agrees_both_ways() {
        let seed = fastrand::u64(..);
        let mut random = fastrand::Rng::with_seed(seed);
        for _ in 0..10_000 {
            let secret = random_secret(&mut random);
            let id = OutboxMessage::new_id();
            let now = Clock::real().now_ms() / 1000;
            let body: String = (0..random.usize(..200)).map(|_| random.char(..)).collect();
            let ours = sign(std::slice::from_ref(&secret), &id, now, body.as_bytes());
            let other = Webhook::new(&secret.reveal()).unwrap();
            let theirs = other.sign(&id, now, body.as_bytes()).unwrap();
            assert_eq!(theirs, ours, "seed {seed}");
            let verifies = |header: &str| verify(&secret, &id, now, body.as_bytes(), header);
            assert!(verifies(&theirs) && verifies(&format!("v1,AAAA {theirs}")));
            let mut headers = headers(&id, now, &ours);
            other.verify(body.as_bytes(), &headers).unwrap();
            let forged = sign(&[random_secret(&mut random)], &id, now, body.as_bytes());
            assert!(!verifies(&forged) && !verifies(""));
            headers.insert("webhook-signature", forged.parse().unwrap());
            other.verify(body.as_bytes(), &headers).unwrap_err();
        }
    }

    #[test]
    fn both_secrets_of_a_rotation_verify() {
        let mut random = fastrand::Rng::new();
        let secrets = [random_secret(&mut random), random_secret(&mut random)];
        let now = Clock::real().now_ms() / 1000;
        let header = sign(&secrets, "msg_1", now, b"{}");
        assert_eq!(header.split(' ').count(), 2);
        for secret in &secrets {
            let other = Webhook::new(&secret.reveal()).unwrap();
            other
                .verify(b"{}", &headers("msg_1", now, &header))
                .unwrap();
        }
    }

    #[test]
    fn bytes_that_are_not_text_are_signed_as_they_are() {
        let secret = random_secret(&mut fastrand::Rng::new());
        let a = sign(std::slice::from_ref(&secret), "msg_1", 1, &[0xff, 0xfe]);
        let b = sign(&[secret], "msg_1", 1, "\u{fffd}\u{fffd}".as_bytes());
        assert_ne!(a, b);
    }

    fn random_secret(random: &mut fastrand::Rng) -> Secret {
        let mut bytes = vec![0; random.usize(24..=64)];
        random.fill(&mut bytes);
        Secret::parse(&format!("whsec_{}", STANDARD.encode(bytes))).unwrap()
    }

    fn headers(id: &str, timestamp: i64, signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", id.parse().unwrap());
        headers.insert("webhook-timestamp", timestamp.into());
        headers.insert("webhook-signature", signature.parse().unwrap());
        headers
    }
}
