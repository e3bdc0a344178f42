// my-plugin says when usage resets: every 30 days, counted from the user's creation.
import { INVALID, Reader, UNIMPLEMENTED, Writer, malformed, refuse, reply } from "./abi";
export { sluice_abi, sluice_alloc } from "./abi";

const manifest = `{"abi":1,"name":"my-plugin","version":"0.1.0","description":"Every 30 days.",
"provides":[{"kind":"period","id":"my-plugin","title":"Every 30 days"}]}`;

const LENGTH: i64 = 30 * 24 * 3600000; // ms
const FARTHEST: i64 = 253402300800000; // ms UTC: the year 10000, which no host takes

export function sluice_manifest(): u64 {
  return reply(String.UTF8.encode(manifest));
}

/** Answers one request; 2 is period.next. */
export function sluice_call(op: u32, n: u32): u64 {
  if (op == 2) return next(Reader.request(n));
  return refuse(UNIMPLEMENTED, "this plugin does not have the op");
}

/**
 * PeriodRequest to PeriodReply. It counts from the anchor, not from the last boundary: a run that comes late does not
 * move what follows.
 */
function next(request: Reader): u64 {
  let id = "";
  let now: i64 = 0, anchor: i64 = 0;
  while (request.next()) {
    if (request.field == 1) id = request.text();
    else if (request.field == 2) now = <i64>request.number;
    else if (request.field == 5) anchor = <i64>request.number;
  }
  if (request.bad) return malformed();
  if (id != "my-plugin") return refuse(INVALID, "this plugin has no such period");
  let next = anchor;
  if (next <= now) next += ((now - anchor) / LENGTH + 1) * LENGTH;
  const w = new Writer();
  if (next < FARTHEST) w.number(1, next);
  else w.number(2, 1); // never
  return reply(w.message());
}
