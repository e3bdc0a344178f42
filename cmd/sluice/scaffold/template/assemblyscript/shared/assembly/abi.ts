// ABI 1 of Sluice: what every plugin exports, and the protobuf that its messages are made of. What is in the messages is
// written in plugin.proto.

// The host writes a request into input and reads the reply from output, which stays in place until the next call.
let input = new ArrayBuffer(0);
let output = new ArrayBuffer(0);

export function sluice_abi(): u32 {
  return 1 << 16;
}

export function sluice_alloc(size: u32): usize {
  input = new ArrayBuffer(size);
  return changetype<usize>(input);
}

function pack(reply: ArrayBuffer, failed: bool): u64 {
  output = reply;
  return (<u64>changetype<usize>(reply) << 32) | (<u64>failed << 31) | <u64>reply.byteLength;
}

/** A reply: a message, or the manifest. */
export function reply(message: ArrayBuffer): u64 {
  return pack(message, false);
}

/** The request can never succeed as it is. */
export const INVALID: u32 = 1;
/** The plugin does not have the op. */
export const UNIMPLEMENTED: u32 = 2;

/** A refusal: a code and one plain sentence for the operator. */
export function refuse(code: u32, sentence: string): u64 {
  const w = new Writer();
  w.number(1, code);
  w.text(2, sentence);
  return pack(w.message(), true);
}

/** The answer to bytes that are no message. */
export function malformed(): u64 {
  return refuse(INVALID, "the message is not valid protobuf");
}

/**
 * Walks over the fields of a message: while (r.next()) { if (r.field == 5) ... }, then ask r.bad. Fields of types that
 * Sluice does not use are skipped.
 */
export class Reader {
  field: u32 = 0; // the number of the current field
  number: u64 = 0; // its value, if it is a number or a bool
  start: usize = 0; // where its bytes are, if it is a string, bytes or a message
  size: usize = 0; // how many
  bad: bool = false; // the bytes are no message

  constructor(private at: usize, private end: usize) {}

  /** Reads the request of n bytes. */
  static request(n: u32): Reader {
    const at = changetype<usize>(input);
    return new Reader(at, at + n);
  }

  /** Moves to the next field; false at the end, or when the bytes are no message. */
  next(): bool {
    while (this.at < this.end) {
      const key = this.varint();
      this.field = <u32>(key >> 3);
      this.number = 0;
      this.size = 0;
      const type = <u32>key & 7;
      if (this.bad || this.field == 0) return this.fail();
      if (type == 0) {
        this.number = this.varint();
        return !this.bad;
      }
      if (type != 1 && type != 2 && type != 5) return this.fail();
      const size: u64 = type == 1 ? 8 : type == 5 ? 4 : this.varint();
      if (this.bad || size > <u64>(this.end - this.at)) return this.fail();
      this.start = this.at;
      this.size = <usize>size;
      this.at += this.size;
      if (type == 2) return true;
    }
    return false;
  }

  private fail(): bool {
    this.bad = true;
    this.at = this.end;
    return false;
  }

  private varint(): u64 {
    let value: u64 = 0;
    for (let shift: u64 = 0; shift < 64 && this.at < this.end; shift += 7) {
      const byte = load<u8>(this.at++);
      value |= <u64>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    this.fail();
    return 0;
  }

  /** The current field as text. */
  text(): string {
    return String.UTF8.decodeUnsafe(this.start, this.size);
  }

  /** The current field as a message. */
  message(): Reader {
    return new Reader(this.start, this.start + this.size);
  }
}

/** Makes a message. */
export class Writer {
  private bytes: Uint8Array = new Uint8Array(256);
  private used: i32 = 0;

  private room(n: i32): void {
    if (this.used + n <= this.bytes.length) return;
    const larger = new Uint8Array((this.used + n) * 2);
    larger.set(this.bytes);
    this.bytes = larger;
  }

  private varint(value: u64): void {
    this.room(10);
    for (; value >= 0x80; value >>= 7) this.bytes[this.used++] = <u8>value | 0x80;
    this.bytes[this.used++] = <u8>value;
  }

  /** Adds a number or a bool; 0 may be left out. */
  number(field: u32, value: u64): void {
    this.varint(<u64>field << 3);
    this.varint(value);
  }

  /** Adds a string, or bytes that are UTF-8. */
  text(field: u32, value: string): void {
    const utf8 = Uint8Array.wrap(String.UTF8.encode(value));
    this.varint((<u64>field << 3) | 2);
    this.varint(utf8.length);
    this.room(utf8.length);
    this.bytes.set(utf8, this.used);
    this.used += utf8.length;
  }

  /** The message so far. */
  message(): ArrayBuffer {
    return this.bytes.buffer.slice(0, this.used);
  }
}
