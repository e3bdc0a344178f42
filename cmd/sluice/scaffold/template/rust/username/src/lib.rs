//! my-plugin makes usernames: base-1, base-2 and so on.
mod abi;

use abi::{Error, Reader, Writer, INVALID};

#[allow(dead_code)] // a native test has no host that asks for it
pub const MANIFEST: &str = r#"{"abi":1,"name":"my-plugin","version":"0.1.0","description":"Numbers behind a dash.",
"provides":[{"kind":"username","id":"my-plugin","title":"Numbers behind a dash"}]}"#;

/// Answers one request; 1 is username.generate.
pub fn call(op: u32, request: &[u8]) -> Result<Vec<u8>, Error> {
    match op {
        1 => names(request),
        _ => Err(Error::unimplemented()),
    }
}

/// UsernameRequest to UsernameReply: bare names. The host adds prefix and suffix and leaves out those that are taken.
fn names(request: &[u8]) -> Result<Vec<u8>, Error> {
    let (mut id, mut base, mut start, mut count) = (String::new(), String::from("user"), 0, 0);
    for field in Reader::new(request) {
        match field? {
            (1, v) => id = v.text(),
            (5, v) => base = v.text(),
            (6, v) => start = v.number() as i64,
            (7, v) => count = v.number() as i64,
            _ => {} // a field of a newer minor, or one that does not matter here
        }
    }
    if id != "my-plugin" {
        return Err(Error::new(INVALID, "this plugin has no such username"));
    }
    if count < 0 {
        return Err(Error::new(INVALID, "the count is negative"));
    }
    let mut reply = Writer::default();
    for i in 0..count {
        reply.bytes(1, format!("{}-{}", base, start.wrapping_add(i)).as_bytes());
    }
    Ok(reply.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_base() {
        let mut request = Writer::default();
        request.bytes(1, b"my-plugin");
        request.bytes(5, b"alice");
        request.number(6, 7);
        request.number(7, 2);
        let reply = call(1, &request.0).unwrap();
        let names: Vec<String> = Reader::new(&reply).map(|field| field.unwrap().1.text()).collect();
        assert_eq!(names, ["alice-7", "alice-8"]);
    }

    #[test]
    fn an_unknown_op_is_unimplemented() {
        assert_eq!(call(99, &[]), Err(Error::unimplemented()));
    }
}
