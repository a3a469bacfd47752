/** The highest priority; the lowest is its opposite. */
const MAX_PRIORITY = 8;

/**
 * Refuse a priority that is out of range.
 *
 * @throws {RangeError} When it is not an integer from -8 to 8.
 */
export function assertPriority(priority: number): void {
  if (priority >= -MAX_PRIORITY && priority <= MAX_PRIORITY && Number.isInteger(priority)) return;
  throw new RangeError(`Cannot use priority "${priority}": expected an integer from -8 to 8`);
}
