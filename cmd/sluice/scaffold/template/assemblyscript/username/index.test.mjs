import assert from "node:assert";
import { test } from "node:test";
import { call, manifest, message } from "./host.mjs";

test("numbers follow the base", () => {
  const { failed, fields } = call(1, message([1, "my-plugin"], [5, "alice"], [6, 7], [7, 2]));
  assert.equal(failed, false);
  assert.deepEqual(fields, [[1, "alice-7"], [1, "alice-8"]]);
});

test("an unknown op is unimplemented", () => {
  const { failed, fields } = call(99, message());
  assert.equal(failed, true);
  assert.deepEqual(fields[0], [1, 2n]);
});

test("the manifest says what it provides", () => {
  assert.deepEqual(manifest().provides.map(({ kind, id }) => [kind, id]), [["username", "my-plugin"]]);
});
