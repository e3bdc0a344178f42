//! my-plugin writes every event to the operator's log.
mod abi;

use abi::{Error, Reader, INVALID};

#[allow(dead_code)] // a native test has no host that asks for it
pub const MANIFEST: &str = r#"{"abi":1,"name":"my-plugin","version":"0.1.0","description":"Logs events.",
"provides":[{"kind":"event","id":"my-plugin","title":"Logs events","events":["*"]}]}"#;

/// Answers one request; 4 is event.handle.
pub fn call(op: u32, request: &[u8]) -> Result<Vec<u8>, Error> {
    match op {
        4 => {
            log(&line(request)?);
            Ok(Vec::new())
        }
        _ => Err(Error::unimplemented()),
    }
}

/// What is logged about an EventRequest. One event may come more than once, field 5 is the same each time. A type that
/// is not known is no error: new ones are added.
fn line(request: &[u8]) -> Result<String, Error> {
    let (mut id, mut kind, mut payload) = (String::new(), String::new(), String::new());
    for field in Reader::new(request) {
        match field? {
            (1, v) => id = v.text(),
            (4, v) => kind = v.text(),
            (7, v) => payload = v.text(),
            _ => {} // a field of a newer minor, or one that does not matter here
        }
    }
    if id != "my-plugin" {
        return Err(Error::new(INVALID, "this plugin has no such event handler"));
    }
    Ok(format!("{} {}", kind, payload))
}

/// Writes a line to the operator's log; it needs no permission.
fn log(line: &str) {
    #[cfg(target_arch = "wasm32")]
    {
        #[link(wasm_import_module = "sluice")]
        extern "C" {
            #[link_name = "log"]
            fn sluice_log(level: i32, text: *const u8, size: usize);
        }
        const INFO: i32 = 1;
        unsafe { sluice_log(INFO, line.as_ptr(), line.len()) }
    }
    #[cfg(not(target_arch = "wasm32"))]
    let _ = line;
}

#[cfg(test)]
mod tests {
    use super::*;
    use abi::Writer;

    #[test]
    fn a_line_says_what_happened() {
        let mut request = Writer::default();
        request.bytes(1, b"my-plugin");
        request.bytes(4, b"user.created");
        request.number(5, 1);
        request.bytes(7, br#"{"username":"alice"}"#);
        assert_eq!(line(&request.0).unwrap(), r#"user.created {"username":"alice"}"#);
        assert_eq!(call(4, &request.0), Ok(Vec::new()));
    }

    #[test]
    fn an_unknown_op_is_unimplemented() {
        assert_eq!(call(99, &[]), Err(Error::unimplemented()));
    }
}
