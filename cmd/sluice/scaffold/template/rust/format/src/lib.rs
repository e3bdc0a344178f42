//! my-plugin renders a subscription as a table: remark, protocol, address and port, separated by tabs.
mod abi;

use abi::{Error, Reader, Writer, INVALID};

#[allow(dead_code)] // a native test has no host that asks for it
pub const MANIFEST: &str = r#"{"abi":1,"name":"my-plugin","version":"0.1.0","description":"Subscriptions as a table.",
"provides":[{"kind":"format","id":"my-plugin","title":"Table","content_type":"text/plain; charset=utf-8","cache":"revision"}]}"#;

/// Answers one request; 3 is format.render.
pub fn call(op: u32, request: &[u8]) -> Result<Vec<u8>, Error> {
    match op {
        3 => render(request),
        _ => Err(Error::unimplemented()),
    }
}

/// FormatRequest to FormatReply: one line for each endpoint. The body depends on nothing else, so the host may keep it.
fn render(request: &[u8]) -> Result<Vec<u8>, Error> {
    let (mut id, mut endpoints, mut accounts) = (String::new(), Vec::new(), Vec::new());
    for field in Reader::new(request) {
        match field? {
            (1, v) => id = v.text(),
            (6, v) => endpoints.push(v.bytes()),
            (7, v) => accounts.push(v.bytes()),
            _ => {} // a field of a newer minor, or one that does not matter here
        }
    }
    if id != "my-plugin" {
        return Err(Error::new(INVALID, "this plugin has no such format"));
    }
    if endpoints.len() != accounts.len() {
        return Err(Error::new(INVALID, "the request has not one account for each endpoint"));
    }
    let mut body = String::new();
    for (endpoint, account) in endpoints.into_iter().zip(accounts) {
        body.push_str(&line(endpoint, account)?);
        body.push('\n');
    }
    let mut reply = Writer::default();
    reply.bytes(1, body.as_bytes());
    Ok(reply.0)
}

/// The line of one Endpoint with its Account.
fn line(endpoint: &[u8], account: &[u8]) -> Result<String, Error> {
    let (mut protocol, mut address, mut port, mut remark) = (String::new(), String::new(), 0, String::new());
    for field in Reader::new(endpoint) {
        match field? {
            (3, v) => protocol = v.text(),
            (4, v) => address = v.text(),
            (5, v) => port = v.number(),
            (16, v) if !v.bytes().is_empty() => return Ok(v.text()), // somebody else's link, passed on as it is
            _ => {}
        }
    }
    for field in Reader::new(account) {
        if let (1, v) = field? {
            remark = v.text().chars().map(|c| if c < ' ' { ' ' } else { c }).collect();
        }
    }
    Ok(format!("{}\t{}\t{}\t{}", remark, protocol, address, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_for_each_endpoint() {
        let (mut endpoint, mut link, mut account) = (Writer::default(), Writer::default(), Writer::default());
        endpoint.bytes(3, b"vless");
        endpoint.bytes(4, b"de.example.com");
        endpoint.number(5, 443);
        account.bytes(1, "Ber\tlin 🇩🇪".as_bytes());
        link.bytes(16, b"trojan://secret@elsewhere.example.com:443");
        let mut request = Writer::default();
        request.bytes(1, b"my-plugin");
        request.bytes(6, &endpoint.0);
        request.bytes(6, &link.0);
        request.bytes(7, &account.0);
        request.bytes(7, &[]);
        let reply = call(3, &request.0).unwrap();
        let (field, body) = Reader::new(&reply).next().unwrap().unwrap();
        assert_eq!(field, 1);
        assert_eq!(body.text(), "Ber lin 🇩🇪\tvless\tde.example.com\t443\ntrojan://secret@elsewhere.example.com:443\n");
    }

    #[test]
    fn an_unknown_op_is_unimplemented() {
        assert_eq!(call(99, &[]), Err(Error::unimplemented()));
    }
}
