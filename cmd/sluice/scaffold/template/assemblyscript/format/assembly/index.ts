// my-plugin renders a subscription as a table: remark, protocol, address and port, separated by tabs.
import { INVALID, Reader, UNIMPLEMENTED, Writer, malformed, refuse, reply } from "./abi";
export { sluice_abi, sluice_alloc } from "./abi";

const manifest = `{"abi":1,"name":"my-plugin","version":"0.1.0","description":"Subscriptions as a table.",
"provides":[{"kind":"format","id":"my-plugin","title":"Table","content_type":"text/plain; charset=utf-8","cache":"revision"}]}`;

export function sluice_manifest(): u64 {
  return reply(String.UTF8.encode(manifest));
}

/** Answers one request; 3 is format.render. */
export function sluice_call(op: u32, n: u32): u64 {
  if (op == 3) return render(Reader.request(n));
  return refuse(UNIMPLEMENTED, "this plugin does not have the op");
}

/** FormatRequest to FormatReply: one line for each endpoint. The body depends on nothing else, so the host may keep it. */
function render(request: Reader): u64 {
  let id = "";
  const endpoints: Reader[] = [], accounts: Reader[] = [];
  while (request.next()) {
    if (request.field == 1) id = request.text();
    else if (request.field == 6) endpoints.push(request.message());
    else if (request.field == 7) accounts.push(request.message());
  }
  if (request.bad) return malformed();
  if (id != "my-plugin") return refuse(INVALID, "this plugin has no such format");
  if (endpoints.length != accounts.length) {
    return refuse(INVALID, "the request has not one account for each endpoint");
  }
  const lines: string[] = [];
  for (let i = 0; i < endpoints.length; i++) {
    lines.push(line(endpoints[i], accounts[i]));
    if (endpoints[i].bad || accounts[i].bad) return malformed();
  }
  const w = new Writer();
  w.text(1, lines.join(""));
  return reply(w.message());
}

/** The line of one Endpoint with its Account. */
function line(endpoint: Reader, account: Reader): string {
  let protocol = "", address = "", link = "", remark = "";
  let port: u64 = 0;
  while (endpoint.next()) {
    if (endpoint.field == 3) protocol = endpoint.text();
    else if (endpoint.field == 4) address = endpoint.text();
    else if (endpoint.field == 5) port = endpoint.number;
    else if (endpoint.field == 16) link = endpoint.text();
  }
  while (account.next()) {
    if (account.field == 1) remark = clean(account.text());
  }
  if (link != "") return link + "\n"; // somebody else's, passed on as it is
  return remark + "\t" + protocol + "\t" + address + "\t" + port.toString() + "\n";
}

/** Makes a remark fit into a column: an operator may have put anything into it. */
function clean(remark: string): string {
  const units: i32[] = [];
  for (let i = 0; i < remark.length; i++) {
    const unit = remark.charCodeAt(i);
    units.push(unit < 32 ? 32 : unit);
  }
  return String.fromCharCodes(units);
}
