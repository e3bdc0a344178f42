// A plugin that resets usage on the first day of each month of the Persian (Solar Hijri) calendar, at 00:00.
import { Request } from "./request";

export const manifest = `{"abi":1,"name":"jalali","version":"1.0.0","provides":[{
  "kind":"period","id":"jalali","title":"First of the Persian month",
  "params_schema":{"type":"object","additionalProperties":false,"properties":{"time_zone":{"type":"string"}}}}]}`;

const DAY: i64 = 86_400_000; // ms
const END: i64 = 253_402_300_800_000; // the year 10000, where a host's calendar ends

// next is the first boundary after now in ms, 0 if there is none.
export function next(req: Request): i64 {
  const ahead = req.ahead(req.now), today = (req.now + ahead) / DAY;
  let month = today / 31; // or one that is past
  while (first(month) <= today) month++;
  const midnight = first(month) * DAY;
  const moment = midnight - req.ahead(midnight - ahead - 1); // the clock may have been changed until then
  return moment < END ? moment : 0;
}

// first is the first day of a month, in days since 1970. Month 0 began in March 1969; the years that have a leap day come
// in a cycle of 33, which agrees with the calendar of Iran from 1799 to 2255.
function first(month: i64): i64 {
  const year = 1348 + month / 12, before = month % 12;
  const days = before < 7 ? before * 31 : before * 30 + 6; // six months of 31 days, then of 30
  return 365 * (year - 1) + (8 * year + 21) / 33 + days - 492_268;
}
