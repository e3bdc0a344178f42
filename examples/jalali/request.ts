// The one message that a period plugin reads, and as much protobuf as that needs.

// Request is a PeriodRequest. It is read in place.
export class Request {
  now: i64 = 0; // ms UTC
  private start: usize = 0;
  private end: usize = 0;
  private at: usize = 0; // the next byte

  // open reads the message between two addresses.
  open(start: usize, end: usize): Request {
    this.start = start;
    this.end = end;
    this.now = 0;
    this.ahead(0);
    return this;
  }

  // ahead is by how many ms the user's clock is ahead of UTC at a moment. Transitions of the clock come in order.
  ahead(moment: i64): i64 {
    let ahead: i64 = 0;
    for (this.at = this.start; this.at < this.end;) {
      const key = this.varint(), value = this.varint();
      if (key == (2 << 3)) this.now = value;
      if ((key & 7) != 2) continue;
      const behind = this.at + min(<usize>value, this.end - this.at);
      if (key == (8 << 3 | 2)) {
        let since: i64 = 0, seconds: i64 = 0;
        while (this.at < behind) if (this.varint() == (1 << 3)) since = this.varint(); else seconds = this.varint();
        if (since <= moment) ahead = seconds * 1000;
      }
      this.at = behind;
    }
    return ahead;
  }

  private varint(): i64 {
    let v: u64 = 0;
    for (let shift: u64 = 0; this.at < this.end; shift += 7) {
      const c = <u64>load<u8>(this.at++);
      v |= (c & 127) << shift;
      if (c < 128) break;
    }
    return v;
  }
}
