//! Signatures of deliveries: HMAC-SHA256 under a secret that sender and receiver share.
//!
//! - Standard Webhooks: `webhook-signature: v1,BASE64…` over `id.timestamp.body`; the secret is
//!   `whsec_` and base64
//! - Stripe: `stripe-signature: t=SECONDS,v1=HEX…` over `timestamp.body`
//! - GitHub: `x-hub-signature-256: sha256=HEX` over the body

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac::{HMAC_SHA256, Key, verify};

use crate::access::WebhookSecret;
use crate::protocols::Asked;

/// Longest that a signed time may be away from now: an older delivery may be a replay.
const TOLERANCE_SECONDS: i64 = 300;
/// Most signatures of a delivery: there are two while a secret is being replaced.
const SIGNATURES_MAX: usize = 8;

/// Verifies the signature of a delivery.
///
/// # Errors
/// The reason why it is not signed as it must be.
pub(super) fn check(secret: &WebhookSecret, asked: &Asked, body: &[u8], now_ns: i64) -> Result<(), &'static str> {
    let now = now_ns / 1_000_000_000;
    if let Some(signatures) = asked.header("webhook-signature") {
        let (id, time) = (asked.header("webhook-id"), asked.header("webhook-timestamp"));
        let (id, time) = id.zip(time).ok_or("webhook-id or webhook-timestamp is missing")?;
        is_recent(time, now)?;
        let text = secret.expose();
        let encoded = text.strip_prefix("whsec_").and_then(|key| STANDARD.decode(key).ok());
        let key = Key::new(HMAC_SHA256, &encoded.unwrap_or_else(|| text.as_bytes().to_vec()));
        let signatures = signatures.split(' ').filter_map(|signature| signature.strip_prefix("v1,"));
        let signatures = signatures.filter_map(|signature| STANDARD.decode(signature).ok());
        return any(&key, &[id.as_bytes(), b".", time.as_bytes(), b".", body].concat(), signatures);
    }
    let key = Key::new(HMAC_SHA256, secret.expose().as_bytes());
    if let Some(header) = asked.header("stripe-signature") {
        let parts = || header.split(',').filter_map(|part| part.trim().split_once('='));
        let time = parts().find(|(name, _)| *name == "t").map(|(_, time)| time).ok_or("the signature has no time")?;
        is_recent(time, now)?;
        let signatures = parts().filter(|(name, _)| *name == "v1").filter_map(|(_, hex)| unhex(hex));
        return any(&key, &[time.as_bytes(), b".", body].concat(), signatures);
    }
    if let Some(header) = asked.header("x-hub-signature-256") {
        return any(&key, body, header.strip_prefix("sha256=").and_then(unhex).into_iter());
    }
    Err("the delivery is not signed: webhook-signature, stripe-signature or x-hub-signature-256 is missing")
}

fn any(key: &Key, signed: &[u8], signatures: impl Iterator<Item = Vec<u8>>) -> Result<(), &'static str> {
    // Compared in constant time.
    let fits = signatures.take(SIGNATURES_MAX).any(|signature| verify(key, signed, &signature).is_ok());
    if fits { Ok(()) } else { Err("the signature does not fit the body and the secret of this topic") }
}

fn is_recent(time: &str, now: i64) -> Result<(), &'static str> {
    let time: i64 = time.parse().map_err(|_| "the signed time is no number of seconds")?;
    if now.abs_diff(time) <= TOLERANCE_SECONDS.unsigned_abs() {
        Ok(())
    } else {
        Err("the signed time is more than five minutes away from now: check both clocks, or it is a replay")
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let pairs = digits.chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    const NOW_NS: i64 = 1_614_265_330_000_000_000;

    fn outcome(secret: &str, headers: &[(&'static str, &str)], body: &str) -> bool {
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
        let asked = Asked::new("/", Vec::new(), None, HeaderMap::from_iter(headers));
        check(&WebhookSecret::new(secret), &asked, body.as_bytes(), NOW_NS).is_ok()
    }

    /// The example of the specification of Standard Webhooks.
    #[test]
    fn standard_webhooks() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signed = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let body = "{\"test\": 2432232314}";
        let id = ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek");
        let time = ("webhook-timestamp", "1614265330");
        let both = format!("v1,AAAA {signed}");
        assert!(outcome(secret, &[id, time, ("webhook-signature", signed)], body));
        assert!(outcome(secret, &[id, time, ("webhook-signature", &both)], body));
        assert!(!outcome(secret, &[id, time, ("webhook-signature", signed)], "{}"));
        assert!(!outcome("whsec_AAAAAAAAAAAAAAAAAAAAAAAA", &[id, time, ("webhook-signature", signed)], body));
        assert!(!outcome(secret, &[("webhook-id", "other"), time, ("webhook-signature", signed)], body));
        assert!(!outcome(secret, &[id, ("webhook-timestamp", "1614265000"), ("webhook-signature", signed)], body));
        assert!(!outcome(secret, &[id, ("webhook-signature", signed)], body));
    }

    /// The example of GitHub's documentation.
    #[test]
    fn github() {
        let signed = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let secret = "It's a Secret to Everybody";
        assert!(outcome(secret, &[("x-hub-signature-256", signed)], "Hello, World!"));
        assert!(!outcome(secret, &[("x-hub-signature-256", signed)], "Hello, World?"));
        for wrong in ["", "sha256=", "sha1=00", "sha256=zz", "sha256=7571"] {
            assert!(!outcome(secret, &[("x-hub-signature-256", wrong)], "Hello, World!"), "{wrong}");
        }
        assert!(!outcome(secret, &[], "Hello, World!"));
    }

    #[test]
    fn stripe() {
        let key = Key::new(HMAC_SHA256, b"whsec_of_stripe_is_text");
        let tag = ring::hmac::sign(&key, b"1614265330.{}");
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let header = format!("t=1614265330,v1=00,v1={hex},v0=x");
        assert!(outcome("whsec_of_stripe_is_text", &[("stripe-signature", &header)], "{}"));
        let moved = header.replace("t=1614265330", "t=1614265331");
        assert!(!outcome("whsec_of_stripe_is_text", &[("stripe-signature", &moved)], "{}"));
        assert!(!outcome("whsec_of_stripe_is_text", &[("stripe-signature", "v1=00")], "{}"));
    }
}
