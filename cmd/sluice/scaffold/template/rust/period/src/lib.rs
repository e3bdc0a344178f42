//! my-plugin says when usage resets: every 30 days, counted from the user's creation.
mod abi;

use abi::{Error, Reader, Writer, INVALID};

#[allow(dead_code)] // a native test has no host that asks for it
pub const MANIFEST: &str = r#"{"abi":1,"name":"my-plugin","version":"0.1.0","description":"Every 30 days.",
"provides":[{"kind":"period","id":"my-plugin","title":"Every 30 days"}]}"#;

const LENGTH: i64 = 30 * 24 * 3_600_000; // ms
const FARTHEST: i64 = 253_402_300_800_000; // ms UTC: the year 10000, which no host takes

/// Answers one request; 2 is period.next.
pub fn call(op: u32, request: &[u8]) -> Result<Vec<u8>, Error> {
    match op {
        2 => next(request),
        _ => Err(Error::unimplemented()),
    }
}

/// PeriodRequest to PeriodReply. It counts from the anchor, not from the last boundary: a run that comes late does not
/// move what follows.
fn next(request: &[u8]) -> Result<Vec<u8>, Error> {
    let (mut id, mut now, mut anchor) = (String::new(), 0, 0);
    for field in Reader::new(request) {
        match field? {
            (1, v) => id = v.text(),
            (2, v) => now = v.number() as i64,
            (5, v) => anchor = v.number() as i64,
            _ => {} // a field of a newer minor, or one that does not matter here
        }
    }
    if id != "my-plugin" {
        return Err(Error::new(INVALID, "this plugin has no such period"));
    }
    let passed = if anchor > now { 0 } else { now.saturating_sub(anchor) / LENGTH + 1 };
    let next = anchor.saturating_add(passed.saturating_mul(LENGTH));
    let mut reply = Writer::default();
    if next < FARTHEST {
        reply.number(1, next as u64);
    } else {
        reply.number(2, 1); // never
    }
    Ok(reply.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next_after(anchor: i64, now: i64) -> i64 {
        let mut request = Writer::default();
        request.bytes(1, b"my-plugin");
        request.number(2, now as u64);
        request.number(5, anchor as u64);
        let reply = call(2, &request.0).unwrap();
        let (field, value) = Reader::new(&reply).next().unwrap().unwrap();
        assert_eq!(field, 1);
        value.number() as i64
    }

    #[test]
    fn boundaries_count_from_the_anchor() {
        const ANCHOR: i64 = 1_700_000_000_000;
        for (now, want) in [
            (ANCHOR - 1, ANCHOR),
            (ANCHOR, ANCHOR + LENGTH),
            (ANCHOR + LENGTH - 1, ANCHOR + LENGTH),
            (ANCHOR + LENGTH, ANCHOR + 2 * LENGTH),
            (ANCHOR + 10 * LENGTH + 5, ANCHOR + 11 * LENGTH),
        ] {
            assert_eq!(next_after(ANCHOR, now), want, "now {}", now);
        }
    }

    #[test]
    fn an_unknown_op_is_unimplemented() {
        assert_eq!(call(99, &[]), Err(Error::unimplemented()));
    }
}
