/** Tries a list; gives what is left of it when it still fails, and `undefined` when it does not. */
export type StillFails<T> = (list: readonly T[]) => Promise<readonly T[] | undefined>;

/**
 * Make a failing list short: leave out halves, quarters and so on down to single items, as long as
 * it fails without them.
 *
 * @param maxTries How many lists are tried at most.
 */
export async function shrink<T>(
  failing: readonly T[],
  stillFails: StillFails<T>,
  maxTries: number,
): Promise<readonly T[]> {
  let list = failing;
  let tries = 0;
  for (let length = Math.ceil(list.length / 2); length > 0 && tries < maxTries;) {
    let isShorter = false;
    for (let start = 0; start < list.length && tries < maxTries; tries++) {
      const rest = await stillFails([...list.slice(0, start), ...list.slice(start + length)]);
      if (rest === undefined) start += length;
      else {
        list = rest;
        isShorter = true;
      }
    }
    // Of single items one may have held another one back.
    if (length > 1) length = Math.floor(length / 2);
    else if (!isShorter) break;
  }
  return list;
}
