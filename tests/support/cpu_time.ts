import process from "node:process";

/**
 * Begin to measure processor time. A neighbour that keeps the machine busy lengthens the time on the
 * wall, and this one hardly. It is the whole process's, so nothing else may run in it meanwhile.
 *
 * @returns tells how many milliseconds were spent since, in the program and in the kernel
 */
export function startCpuTime(): () => number {
  const began = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1000;
  };
}
