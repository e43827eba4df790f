//! One generated event: a pure function of the seed and its number.

use serde_json::{Value, json};

use crate::generate::Recipe;
use crate::generate::random::SplitMix64;
use crate::generate::uuid::uuid_text;

/// The mean time between events.
pub(super) const STEP_NS: i64 = 250_000_000;

/// A topic and the generator of its payloads.
type Kind = (&'static str, fn(&mut SplitMix64) -> Value);

/// The topics. Topics beyond these repeat them under numbered names.
const KINDS: [Kind; 6] = [
    ("web.access", web_access),
    ("sensor.climate", sensor_climate),
    ("auth.login", auth_login),
    ("orders.placed", order_placed),
    ("jobs.finished", job_finished),
    ("payments.settled", payment_settled),
];

/// The name of topic number `index`, from 0.
pub(crate) fn topic_name(index: usize) -> String {
    let name = KINDS[index % KINDS.len()].0;
    match index / KINDS.len() {
        0 => name.to_owned(),
        round => format!("{name}.{}", round + 1),
    }
}

/// Event `number` of a recipe, as JSON text. A payload that is too short gets padding.
pub(crate) fn event_json(recipe: &Recipe, number: u64) -> String {
    let topics = recipe.topics.max(1);
    let mut random = SplitMix64::of(recipe.seed, number);
    let id = uuid_text((u128::from(random.next()) << 64) | u128::from(random.next()));
    let topic = usize::try_from(random.below(topics as u64)).unwrap_or(0);
    let timestamp = timestamp(recipe.start_ns, number, &mut random);
    let source = format!("host-{:02}", random.below(20));
    let mut payload = KINDS[topic % KINDS.len()].1(&mut random);
    pad(&mut payload, recipe.payload_bytes_min, &mut random);
    format!(
        r#"{{"topic":"{}","event_id":"{}","timestamp":"{timestamp}","source":"{source}","payload":{payload}}}"#,
        topic_name(topic),
        String::from_utf8_lossy(&id),
    )
}

/// Saturates in the year 2262, the latest of an event's timestamp.
fn timestamp(start_ns: i64, number: u64, random: &mut SplitMix64) -> jiff::Timestamp {
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    let jitter_ms = i64::try_from(random.below(250)).unwrap_or(0);
    let ns = start_ns.saturating_add(number.saturating_mul(STEP_NS)).saturating_add(jitter_ms * 1_000_000);
    jiff::Timestamp::from_nanosecond(i128::from(ns)).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

fn pad(payload: &mut Value, bytes_min: usize, random: &mut SplitMix64) {
    const MEMBER: usize = r#","padding":"""#.len();
    let missing = bytes_min.saturating_sub(payload.to_string().len());
    if let (Some(members), 1..) = (payload.as_object_mut(), missing) {
        let length = missing.saturating_sub(MEMBER);
        let padding = (0..length).map(|_| char::from(b'a' + u8::try_from(random.below(26)).unwrap_or(0))).collect();
        members.insert("padding".to_owned(), Value::String(padding));
    }
}

fn web_access(random: &mut SplitMix64) -> Value {
    let path = random.pick(&["/", "/login", "/api/items", "/api/cart", "/search", "/static/app.js"]);
    json!({
        "method": random.pick(&["GET", "GET", "GET", "POST", "PUT", "DELETE"]),
        "path": path,
        "status": random.pick(&[200, 200, 200, 201, 204, 301, 304, 400, 404, 500]),
        "bytes": random.below(50_000),
        "duration_ms": random.below(900),
        "client": address(random),
    })
}

fn sensor_climate(random: &mut SplitMix64) -> Value {
    json!({
        "sensor": format!("s-{:03}", random.below(200)),
        "celsius": tenths(18, random.below(150)),
        "humidity": tenths(30, random.below(500)),
        "battery_percent": random.below(101),
    })
}

fn auth_login(random: &mut SplitMix64) -> Value {
    json!({
        "user": format!("user-{}", random.below(5_000)),
        "outcome": random.pick(&["ok", "ok", "ok", "wrong_password", "locked"]),
        "client": address(random),
    })
}

fn order_placed(random: &mut SplitMix64) -> Value {
    json!({
        "order": random.below(10_000_000),
        "items": 1 + random.below(9),
        "total_cents": 500 + random.below(200_000),
        "currency": random.pick(&["IDR", "EUR", "USD"]),
    })
}

fn job_finished(random: &mut SplitMix64) -> Value {
    json!({
        "job": random.pick(&["backup", "report", "cleanup", "thumbnails"]),
        "attempt": 1 + random.below(3),
        "ok": random.below(20) > 0,
        "duration_ms": random.below(60_000),
    })
}

fn payment_settled(random: &mut SplitMix64) -> Value {
    json!({
        "payment": random.below(10_000_000),
        "amount_cents": 100 + random.below(500_000),
        "method": random.pick(&["card", "transfer", "wallet"]),
    })
}

fn address(random: &mut SplitMix64) -> String {
    format!("10.{}.{}.{}", random.below(4), random.below(256), 1 + random.below(254))
}

/// `whole + tenths / 10` without a detour through binary fractions.
fn tenths(whole: u64, tenths: u64) -> Value {
    let text = format!("{}.{}", whole + tenths / 10, tenths % 10);
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::START_NS;

    const RECIPE: Recipe =
        Recipe { count: 4, dup_ratio: 0.0, topics: 4, seed: 1, payload_bytes_min: 0, start_ns: START_NS };

    #[test]
    fn the_same_seed_gives_the_same_events_for_ever() {
        let text: Vec<String> = (0..4).map(|number| event_json(&RECIPE, number)).collect();
        expect_test::expect![[r#"
            {"topic":"web.access","event_id":"5e41ab08-7439-411e-b18d-6ce93d6cf1ee","timestamp":"2025-01-01T00:00:00.194Z","source":"host-04","payload":{"bytes":8845,"client":"10.2.237.38","duration_ms":219,"method":"POST","path":"/search","status":200}}
            {"topic":"web.access","event_id":"63e00534-4660-4b2f-9eae-7269e1ac3dea","timestamp":"2025-01-01T00:00:00.374Z","source":"host-08","payload":{"bytes":1542,"client":"10.3.200.243","duration_ms":394,"method":"PUT","path":"/","status":400}}
            {"topic":"orders.placed","event_id":"f602ec30-f98a-4929-9428-7dc8647be13d","timestamp":"2025-01-01T00:00:00.605Z","source":"host-04","payload":{"currency":"EUR","items":9,"order":9636236,"total_cents":113121}}
            {"topic":"sensor.climate","event_id":"f8122f04-8230-4a2a-a57e-11fd9de8f61e","timestamp":"2025-01-01T00:00:00.788Z","source":"host-06","payload":{"battery_percent":14,"celsius":32.9,"humidity":40.7,"sensor":"s-137"}}"#]].assert_eq(&text.join("\n"));
    }

    #[test]
    fn padding_reaches_the_size_that_was_asked_for() {
        for bytes in [200, 1_000, 65_536] {
            let recipe = Recipe { payload_bytes_min: bytes, ..RECIPE };
            let event: Value = serde_json::from_str(&event_json(&recipe, 0)).unwrap();
            assert_eq!(event["payload"].to_string().len(), bytes);
        }
    }

    #[test]
    fn topics_beyond_the_first_have_names_of_their_own() {
        let names: std::collections::BTreeSet<String> = (0..100).map(topic_name).collect();
        assert_eq!(names.len(), 100);
        assert_eq!(topic_name(7), "sensor.climate.2");
    }
}
