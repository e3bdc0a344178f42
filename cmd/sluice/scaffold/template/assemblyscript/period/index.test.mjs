import assert from "node:assert";
import { test } from "node:test";
import { call, manifest, message } from "./host.mjs";

const anchor = 1_700_000_000_000n, length = 30n * 24n * 3_600_000n; // ms

for (const [now, want] of [
  [anchor - 1n, anchor],
  [anchor, anchor + length],
  [anchor + length - 1n, anchor + length],
  [anchor + length, anchor + 2n * length],
  [anchor + 10n * length + 5n, anchor + 11n * length],
]) {
  test(`the boundary after ${now}`, () => {
    const { failed, fields } = call(2, message([1, "my-plugin"], [2, now], [5, anchor]));
    assert.equal(failed, false);
    assert.deepEqual(fields, [[1, want]]);
  });
}

test("an unknown op is unimplemented", () => {
  const { failed, fields } = call(99, message());
  assert.equal(failed, true);
  assert.deepEqual(fields[0], [1, 2n]);
});

test("the manifest says what it provides", () => {
  assert.deepEqual(manifest().provides.map(({ kind, id }) => [kind, id]), [["period", "my-plugin"]]);
});
