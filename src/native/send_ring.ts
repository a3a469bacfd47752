// Memory that two threads share: jobs go one way, results come back, each in the job's own slot.
//
//   head | jobs: numbers of slots, in their order | done: numbers of slots | slots
//
// One thread gives jobs and takes results, the other one takes jobs and gives results. A count that is
// stored with `Atomics` makes everything visible that was written before it.

/** How many jobs there can be at once; a power of two, so that counts may run over. */
export const MAX_JOBS = 64;
const MASK = MAX_JOBS - 1;

/** How many jobs were given. */
const GIVEN = 0;
/** How many results were given. */
const DONE = 1;
const JOBS = 16;
const RESULTS = JOBS + MAX_JOBS;
const SLOTS = RESULTS + MAX_JOBS;

/** Words of a slot. */
const TO = 0;
const FROM = 1;
const OFFSET_LOW = 2;
const OFFSET_HIGH = 3;
const LENGTH = 4;
const SENT = 5;
const ERRNO = 6;
const STATE = 7;
const SLOT_WORDS = 8;

/** States of a slot: a job is begun or withdrawn, never both. */
const OFFERED = 1;
const BEGUN = 2;
const WITHDRAWN = 3;

/** A descriptor that nobody has: the thread shall end. */
export const NO_DESCRIPTOR = -1;

/** What a job is about. */
export interface Job {
  /** The socket, or `NO_DESCRIPTOR`. */
  to: number;
  /** The file. */
  from: number;
  /** Where it begins. */
  offset: number;
  /** How many bytes. */
  length: number;
}

/** What came of a job. */
export interface JobResult {
  sent: number;
  /** 0 when the kernel said nothing; `COLD` when it was not asked. */
  errno: number;
}

const NOTHING: JobResult = { sent: 0, errno: 0 };

/** No errno: the file is not in memory. */
export const COLD = -1;

/** New shared memory, without jobs. */
export function newRing(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(4 * (SLOTS + MAX_JOBS * SLOT_WORDS)));
}

/** The end of who gives jobs, and is called with each result. */
export class JobGiver {
  #words: Int32Array<SharedArrayBuffer>;
  #told: (slot: number, result: JobResult) => void;
  #given = 0;
  #taken = 0;
  #isWaiting = false;
  #isOver = false;
  #result: JobResult = { sent: 0, errno: 0 };
  #take = (): void => {
    this.#isWaiting = false;
    this.take();
  };

  constructor(
    words: Int32Array<SharedArrayBuffer>,
    told: (slot: number, result: JobResult) => void,
  ) {
    this.#words = words;
    this.#told = told;
  }

  /** Give a job; the slot must be free until now. */
  give(slot: number, { to, from, offset, length }: Job): void {
    const words = this.#words;
    const at = SLOTS + slot * SLOT_WORDS;
    words[at + TO] = to;
    words[at + FROM] = from;
    words[at + OFFSET_LOW] = offset | 0;
    words[at + OFFSET_HIGH] = Math.floor(offset / 2 ** 32);
    words[at + LENGTH] = length;
    words[at + STATE] = OFFERED;
    words[JOBS + (this.#given & MASK)] = slot;
    this.#given = (this.#given + 1) | 0;
    Atomics.store(words, GIVEN, this.#given);
    Atomics.notify(words, GIVEN, 1);
    this.#wait();
  }

  /**
   * Take a job back from an end that has died, or may have; whether it was not begun, and never will
   * be.
   */
  withdraw(slot: number): boolean {
    const at = SLOTS + slot * SLOT_WORDS + STATE;
    return Atomics.compareExchange(this.#words, at, OFFERED, WITHDRAWN) === OFFERED;
  }

  /** Take what is there, and nothing after it. */
  end(): void {
    this.take();
    this.#isOver = true;
    Atomics.notify(this.#words, DONE); // Who waits for a result keeps the program running in Deno.
  }

  /** Take the results that are there. */
  take(): void {
    if (this.#isOver) return;
    const words = this.#words;
    while (this.#taken !== Atomics.load(words, DONE)) {
      const slot = words[RESULTS + (this.#taken & MASK)]!;
      this.#taken = (this.#taken + 1) | 0;
      const at = SLOTS + slot * SLOT_WORDS;
      this.#result.sent = words[at + SENT]!;
      this.#result.errno = words[at + ERRNO]!;
      this.#told(slot, this.#result);
    }
    if (this.#taken !== this.#given) this.#wait();
  }

  /** Be called back; a message between threads would take three times as long (Deno, Bun). */
  #wait(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    const { async, value } = Atomics.waitAsync(this.#words, DONE, this.#taken);
    if (async) void value.then(this.#take);
    else queueMicrotask(this.#take); // There is one already.
  }
}

/** The end of who does jobs. */
export class JobTaker {
  #words: Int32Array<SharedArrayBuffer>;
  #taken = 0;
  #done = 0;
  #job: Job = { to: 0, from: 0, offset: 0, length: 0 };

  constructor(words: Int32Array<SharedArrayBuffer>) {
    this.#words = words;
  }

  /** Do each job in its turn, and sleep while there is none, until one says to end. */
  run(work: (job: Job) => JobResult): void {
    const words = this.#words;
    for (;;) {
      while (this.#taken === Atomics.load(words, GIVEN)) Atomics.wait(words, GIVEN, this.#taken);
      const slot = words[JOBS + (this.#taken & MASK)]!;
      this.#taken = (this.#taken + 1) | 0;
      const at = SLOTS + slot * SLOT_WORDS;
      if (Atomics.compareExchange(words, at + STATE, OFFERED, BEGUN) !== OFFERED) continue;
      const job = this.#job;
      job.to = words[at + TO]!;
      job.from = words[at + FROM]!;
      job.offset = words[at + OFFSET_HIGH]! * 2 ** 32 + (words[at + OFFSET_LOW]! >>> 0);
      job.length = words[at + LENGTH]!;
      const { sent, errno } = job.to === NO_DESCRIPTOR ? NOTHING : work(job);
      words[at + SENT] = sent;
      words[at + ERRNO] = errno;
      words[RESULTS + (this.#done & MASK)] = slot;
      this.#done = (this.#done + 1) | 0;
      Atomics.store(words, DONE, this.#done);
      Atomics.notify(words, DONE);
      if (job.to === NO_DESCRIPTOR) return;
    }
  }
}
