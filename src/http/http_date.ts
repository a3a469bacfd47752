const DAYS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun";
const LONG_DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday";
const MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec";
const MONTH_NAMES: readonly string[] = MONTHS.split("|");
const TIME = "(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)";

/** `Sun, 06 Nov 1994 08:49:37 GMT`: the one that is written today. */
const IMF_FIXDATE = new RegExp(
  `^(?:${DAYS}), (?<day>\\d\\d) (?<month>${MONTHS}) (?<year>\\d{4}) ${TIME} GMT$`,
);
/** `Sunday, 06-Nov-94 08:49:37 GMT` of RFC 850. */
const RFC_850 = new RegExp(
  `^(?:${LONG_DAYS}), (?<day>\\d\\d)-(?<month>${MONTHS})-(?<year>\\d\\d) ${TIME} GMT$`,
);
/** `Sun Nov  6 08:49:37 1994` of asctime(3). */
const ASCTIME = new RegExp(
  `^(?:${DAYS}) (?<month>${MONTHS}) (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`,
);

/**
 * Read a date in any of the three formats (RFC 9110, section 5.6.7): milliseconds since 1970, or
 * `undefined` when it is none.
 *
 * A year of two digits is the one that is not more than 50 years after `nowMs`. Whether the day of
 * the week is the right one is not looked at.
 *
 * @example
 * ```ts
 * import { parseHttpDate } from "@jackfield/jackfield/core";
 *
 * const expected = 784111777000;
 * for (
 *   const text of [
 *     "Sun, 06 Nov 1994 08:49:37 GMT",
 *     "Sunday, 06-Nov-94 08:49:37 GMT",
 *     "Sun Nov  6 08:49:37 1994",
 *   ]
 * ) {
 *   if (parseHttpDate(text) !== expected) throw new Error("unexpected");
 * }
 * ```
 */
export function parseHttpDate(text: string, nowMs: number = Date.now()): number | undefined {
  const parts = (IMF_FIXDATE.exec(text) ?? RFC_850.exec(text) ?? ASCTIME.exec(text))?.groups;
  if (parts === undefined) return undefined;
  const day = Number(parts.day);
  const month = MONTH_NAMES.indexOf(parts.month!);
  const [hour, minute, second] = [Number(parts.hour), Number(parts.minute), Number(parts.second)];
  // A leap second is the 61st.
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const date = new Date(0);
  const setYear = (year: number): number => date.setUTCFullYear(year, month, day);
  if (parts.year!.length === 4) setYear(Number(parts.year));
  else setYear(fullYear(Number(parts.year), nowMs));
  if (date.getUTCMonth() !== month) return undefined; // No such day in that month, 0 included.
  return date.setUTCHours(hour, minute, second);
}

/** The year with these last two digits that is at most 50 years ahead. */
function fullYear(lastDigits: number, nowMs: number): number {
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = thisYear - thisYear % 100 + lastDigits;
  if (year > thisYear + 50) return year - 100;
  return year <= thisYear - 50 ? year + 100 : year;
}

/**
 * Write a date as IMF-fixdate, without its milliseconds (RFC 9110, section 5.6.7).
 *
 * @throws {RangeError} When it is no date of the years 0 to 9999.
 *
 * @example
 * ```ts
 * import { formatHttpDate } from "@jackfield/jackfield/core";
 *
 * const text = formatHttpDate(784111777999);
 * if (text !== "Sun, 06 Nov 1994 08:49:37 GMT") throw new Error("unexpected");
 * ```
 */
export function formatHttpDate(ms: number): string {
  const date = new Date(ms);
  const year = date.getUTCFullYear();
  if (!(year >= 0 && year <= 9999)) {
    throw new RangeError(`Cannot write date "${ms}": expected milliseconds of the years 0 to 9999`);
  }
  return date.toUTCString(); // The same format, by ECMA-262.
}
