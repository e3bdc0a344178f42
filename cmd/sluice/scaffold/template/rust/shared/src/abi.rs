//! ABI 1 of Sluice: the functions that every plugin exports, and the protobuf that its messages are made of. It needs no
//! crate. What is in the messages is written in plugin.proto.
#![allow(dead_code)] // no plugin needs all of it

/// The request can never succeed as it is.
pub const INVALID: u64 = 1;
/// The plugin does not have the op.
pub const UNIMPLEMENTED: u64 = 2;

/// Why a call is refused: a code and one plain sentence for the operator.
#[derive(Debug, PartialEq)]
pub struct Error {
    pub code: u64,
    pub message: String,
}

impl Error {
    pub fn new(code: u64, message: &str) -> Error {
        Error { code, message: message.to_string() }
    }

    /// The answer to an op that the plugin does not know.
    pub fn unimplemented() -> Error {
        Error::new(UNIMPLEMENTED, "this plugin does not have the op")
    }
}

/// The value of a field. Which of the two it is follows from the field's type in plugin.proto.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    /// The number, for int64 with `as i64`; 0 if it is none.
    pub fn number(self) -> u64 {
        match self {
            Value::Number(n) => n,
            Value::Bytes(_) => 0,
        }
    }

    /// The bytes of a string, of bytes or of a nested message; empty if it is none of them.
    pub fn bytes(self) -> &'a [u8] {
        match self {
            Value::Number(_) => &[],
            Value::Bytes(b) => b,
        }
    }

    /// The bytes as text; what is not UTF-8 is replaced.
    pub fn text(self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }
}

/// Walks over the fields of a message: `for field in Reader::new(b) { let (number, value) = field?; ... }`. Fields of
/// types that Sluice does not use are skipped.
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub fn new(message: &'a [u8]) -> Reader<'a> {
        Reader(message)
    }

    fn malformed(&mut self) -> Error {
        self.0 = &[];
        Error::new(INVALID, "the message is not valid protobuf")
    }

    fn varint(&mut self) -> Result<u64, Error> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (first, rest) = match self.0.split_first() {
                Some(split) => split,
                None => break,
            };
            self.0 = rest;
            value |= u64::from(first & 0x7f) << shift;
            if *first < 0x80 {
                return Ok(value);
            }
        }
        Err(self.malformed())
    }

    fn take(&mut self, size: u64) -> Result<&'a [u8], Error> {
        if size > self.0.len() as u64 {
            return Err(self.malformed());
        }
        let (taken, rest) = self.0.split_at(size as usize);
        self.0 = rest;
        Ok(taken)
    }

    fn field(&mut self) -> Result<Option<(u64, Value<'a>)>, Error> {
        let key = self.varint()?;
        match (key >> 3, key & 7) {
            (0, _) => Err(self.malformed()),
            (number, 0) => Ok(Some((number, Value::Number(self.varint()?)))),
            (number, 2) => {
                let size = self.varint()?;
                Ok(Some((number, Value::Bytes(self.take(size)?))))
            }
            (_, 1) => self.take(8).map(|_| None),
            (_, 5) => self.take(4).map(|_| None),
            _ => Err(self.malformed()),
        }
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<(u64, Value<'a>), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.0.is_empty() {
            match self.field() {
                Ok(None) => continue,
                Ok(Some(field)) => return Some(Ok(field)),
                Err(e) => return Some(Err(e)),
            }
        }
        None
    }
}

/// Makes a message.
#[derive(Default)]
pub struct Writer(pub Vec<u8>);

impl Writer {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// Adds a number or a bool; 0 may be left out.
    pub fn number(&mut self, field: u64, value: u64) {
        self.varint(field << 3);
        self.varint(value);
    }

    /// Adds a string, bytes or a nested message.
    pub fn bytes(&mut self, field: u64, value: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
    }
}

/// What the host calls; lib.rs says what happens.
#[cfg(target_arch = "wasm32")]
mod exports {
    use super::{Error, Writer};
    use std::ptr::addr_of_mut;

    // A plugin has one thread, and the host calls nothing while a call is under way.
    static mut INPUT: Vec<u8> = Vec::new();
    static mut OUTPUT: Vec<u8> = Vec::new();

    /// Keeps a reply where the host finds it, and packs its address and length.
    fn reply(bytes: Vec<u8>, failed: bool) -> u64 {
        let output = unsafe { &mut *addr_of_mut!(OUTPUT) };
        *output = bytes;
        (output.as_ptr() as u64) << 32 | u64::from(failed) << 31 | output.len() as u64
    }

    #[no_mangle]
    pub extern "C" fn sluice_abi() -> u32 {
        1 << 16
    }

    #[no_mangle]
    pub extern "C" fn sluice_alloc(size: usize) -> *mut u8 {
        let input = unsafe { &mut *addr_of_mut!(INPUT) };
        input.clear();
        input.resize(size, 0);
        input.as_mut_ptr()
    }

    #[no_mangle]
    pub extern "C" fn sluice_manifest() -> u64 {
        reply(crate::MANIFEST.as_bytes().to_vec(), false)
    }

    #[no_mangle]
    pub extern "C" fn sluice_call(op: u32, size: usize) -> u64 {
        let input = unsafe { &*addr_of_mut!(INPUT) };
        match crate::call(op, &input[..size]) {
            Ok(bytes) => reply(bytes, false),
            Err(Error { code, message }) => {
                let mut w = Writer::default();
                w.number(1, code);
                w.bytes(2, message.as_bytes());
                reply(w.0, true)
            }
        }
    }
}
