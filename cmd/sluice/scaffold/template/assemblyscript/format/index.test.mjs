import assert from "node:assert";
import { test } from "node:test";
import { call, manifest, message } from "./host.mjs";

test("one line for each endpoint", () => {
  const { failed, fields } = call(3, message(
    [1, "my-plugin"],
    [6, message([3, "vless"], [4, "de.example.com"], [5, 443])],
    [6, message([16, "trojan://secret@elsewhere.example.com:443"])],
    [7, message([1, "Ber\tlin 🇩🇪"])],
    [7, message()],
  ));
  assert.equal(failed, false);
  assert.deepEqual(fields, [
    [1, "Ber lin 🇩🇪\tvless\tde.example.com\t443\ntrojan://secret@elsewhere.example.com:443\n"],
  ]);
});

test("an unknown op is unimplemented", () => {
  const { failed, fields } = call(99, message());
  assert.equal(failed, true);
  assert.deepEqual(fields[0], [1, 2n]);
});

test("the manifest says what it provides", () => {
  assert.deepEqual(manifest().provides.map(({ kind, id }) => [kind, id]), [["format", "my-plugin"]]);
});
