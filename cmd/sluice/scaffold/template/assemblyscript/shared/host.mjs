// A stand-in for the host, for tests: it loads my-plugin.wasm and speaks ABI 1 with it.
import { readFileSync } from "node:fs";

const wasm = new WebAssembly.Module(readFileSync(new URL("my-plugin.wasm", import.meta.url)));

/** What the plugin has logged. */
export const logged = [];

const instance = new WebAssembly.Instance(wasm, {
  sluice: { log: (_level, at, size) => logged.push(new TextDecoder().decode(new Uint8Array(memory.buffer, at, size))) },
});
const { memory, sluice_alloc, sluice_call, sluice_manifest } = instance.exports;

function unpack(packed) {
  const at = Number((packed >> 32n) & 0xffffffffn), low = Number(packed & 0xffffffffn);
  const bytes = new Uint8Array(memory.buffer, at, low & 0x7fffffff).slice();
  return { failed: low >= 0x80000000, bytes };
}

/** The manifest, as an object. */
export function manifest() {
  return JSON.parse(new TextDecoder().decode(unpack(sluice_manifest()).bytes));
}

/** Sends a request, and returns whether it was refused and the fields of the reply. */
export function call(op, request) {
  new Uint8Array(memory.buffer).set(request, sluice_alloc(request.length) >>> 0);
  const { failed, bytes } = unpack(sluice_call(op, request.length));
  return { failed, fields: fields(bytes) };
}

function varint(value) {
  const bytes = [];
  for (value = BigInt.asUintN(64, BigInt(value)); value >= 0x80n; value >>= 7n) bytes.push(Number(value & 0x7fn) | 0x80);
  return [...bytes, Number(value)];
}

/** Makes a message of [number, value] pairs; a value is a number, text or a message. */
export function message(...pairs) {
  return Uint8Array.from(pairs.flatMap(([field, value]) => {
    if (typeof value == "number" || typeof value == "bigint") return [...varint(field << 3), ...varint(value)];
    const bytes = typeof value == "string" ? new TextEncoder().encode(value) : value;
    return [...varint((field << 3) | 2), ...varint(bytes.length), ...bytes];
  }));
}

/** The [number, value] pairs of a message; a value is a BigInt or text. */
function fields(bytes) {
  let at = 0;
  const number = () => {
    for (let value = 0n, shift = 0n; ; shift += 7n) {
      value |= BigInt(bytes[at] & 0x7f) << shift;
      if (bytes[at++] < 0x80) return value;
    }
  };
  const pairs = [];
  while (at < bytes.length) {
    const key = Number(number());
    if ((key & 7) == 0) pairs.push([key >> 3, number()]);
    else {
      const size = Number(number());
      pairs.push([key >> 3, new TextDecoder().decode(bytes.subarray(at, (at += size)))]);
    }
  }
  return pairs;
}
