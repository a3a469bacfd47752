/** Throw a RangeError unless an option is a whole number of at least 1. */
export function assertCount(name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return;
  throw new RangeError(`Cannot use ${name} "${value}": expected an integer of at least 1`);
}
