import assert from "node:assert";
import { test } from "node:test";
import { call, logged, manifest, message } from "./host.mjs";

test("an event is logged", () => {
  const { failed, fields } = call(4, message([1, "my-plugin"], [4, "user.created"], [5, 1], [7, `{"username":"alice"}`]));
  assert.equal(failed, false);
  assert.deepEqual(fields, []);
  assert.deepEqual(logged, [`user.created {"username":"alice"}`]);
});

test("an unknown op is unimplemented", () => {
  const { failed, fields } = call(99, message());
  assert.equal(failed, true);
  assert.deepEqual(fields[0], [1, 2n]);
});

test("the manifest says what it provides", () => {
  assert.deepEqual(manifest().provides.map(({ kind, id }) => [kind, id]), [["event", "my-plugin"]]);
});
