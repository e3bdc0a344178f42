// my-plugin writes every event to the operator's log.
import { INVALID, Reader, UNIMPLEMENTED, malformed, refuse, reply } from "./abi";
export { sluice_abi, sluice_alloc } from "./abi";

const manifest = `{"abi":1,"name":"my-plugin","version":"0.1.0","description":"Logs events.",
"provides":[{"kind":"event","id":"my-plugin","title":"Logs events","events":["*"]}]}`;

// The operator's log; it needs no permission.
@external("sluice", "log")
declare function log(level: i32, text: usize, size: i32): void;
const INFO = 1;

export function sluice_manifest(): u64 {
  return reply(String.UTF8.encode(manifest));
}

/** Answers one request; 4 is event.handle. */
export function sluice_call(op: u32, n: u32): u64 {
  if (op == 4) return handle(Reader.request(n));
  return refuse(UNIMPLEMENTED, "this plugin does not have the op");
}

/**
 * EventRequest to EventReply, which is empty. One event may come more than once, field 5 is the same each time. A type
 * that is not known is no error: new ones are added.
 */
function handle(request: Reader): u64 {
  let id = "", type = "", payload = "";
  while (request.next()) {
    if (request.field == 1) id = request.text();
    else if (request.field == 4) type = request.text();
    else if (request.field == 7) payload = request.text();
  }
  if (request.bad) return malformed();
  if (id != "my-plugin") return refuse(INVALID, "this plugin has no such event handler");
  const line = String.UTF8.encode(type + " " + payload);
  log(INFO, changetype<usize>(line), line.byteLength);
  return reply(new ArrayBuffer(0));
}
