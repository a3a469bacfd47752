/** Compute for so many steps; the result keeps it from being left out. */
export function work(steps: number): number {
  let state = 1;
  for (let step = 0; step < steps; step++) {
    state = (Math.imul(state ^ (state >>> 13), 1597334677) + step) | 0;
  }
  return state;
}

/** How many steps take about so many milliseconds of a core; the fastest of several tries counts. */
export function stepsFor(ms: number): number {
  const steps = 200_000;
  let bestMs = Infinity;
  for (let round = 0; round < 60; round++) {
    const began = performance.now();
    work(steps);
    bestMs = Math.min(bestMs, performance.now() - began);
  }
  return Math.round(steps * ms / bestMs);
}

/** A line is a request. */
export function frame(bytes: Uint8Array, seen: number): number | undefined {
  const end = bytes.indexOf(10, seen);
  return end === -1 ? undefined : end + 1;
}
