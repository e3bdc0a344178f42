// my-plugin makes usernames: base-1, base-2 and so on.
import { INVALID, Reader, UNIMPLEMENTED, Writer, malformed, refuse, reply } from "./abi";
export { sluice_abi, sluice_alloc } from "./abi";

const manifest = `{"abi":1,"name":"my-plugin","version":"0.1.0","description":"Numbers behind a dash.",
"provides":[{"kind":"username","id":"my-plugin","title":"Numbers behind a dash"}]}`;

export function sluice_manifest(): u64 {
  return reply(String.UTF8.encode(manifest));
}

/** Answers one request; 1 is username.generate. */
export function sluice_call(op: u32, n: u32): u64 {
  if (op == 1) return names(Reader.request(n));
  return refuse(UNIMPLEMENTED, "this plugin does not have the op");
}

/** UsernameRequest to UsernameReply: bare names. The host adds prefix and suffix and leaves out those that are taken. */
function names(request: Reader): u64 {
  let id = "", base = "user";
  let start: i64 = 0, count: i64 = 0;
  while (request.next()) {
    if (request.field == 1) id = request.text();
    else if (request.field == 5) base = request.text();
    else if (request.field == 6) start = <i64>request.number;
    else if (request.field == 7) count = <i64>request.number;
  }
  if (request.bad) return malformed();
  if (id != "my-plugin") return refuse(INVALID, "this plugin has no such username");
  if (count < 0) return refuse(INVALID, "the count is negative");
  const w = new Writer();
  for (let i: i64 = 0; i < count; i++) w.text(1, base + "-" + (start + i).toString());
  return reply(w.message());
}
