import type { Loaded, Picker, StatefulStrategy } from "../strategy/mod.ts";
import type { Dice } from "./dice.ts";
import { nameOf } from "./name_of.ts";
import type { PropertyRun } from "./property_run.ts";

/** What a strategy chooses among, where that is not the sockets of a pool. */
export interface CandidateMaker<Candidate, Request> {
  /** A candidate: the one with this number, from 0. */
  candidate(number: number, dice: Dice): Candidate;
  /** Who asks. */
  request(dice: Dice): Request;
  /** Change what a strategy may look at: after a choice, and at any time. */
  change?(candidate: Candidate, dice: Dice): void;
}

/** A place that lets a strategy choose, as a pool does, only that nothing but dice use it. */
export class StrategyPlace<Candidate extends object, Request> {
  #strategy: StatefulStrategy<Candidate, Request>;
  #maker: CandidateMaker<Candidate, Request>;
  #picker: Picker<Candidate, Request>;
  #run: PropertyRun;
  /** When each was chosen last. */
  #turns = new Map<Candidate, number>();
  #turn = 0;
  /** In rotation order: who was not chosen for the longest time comes first. */
  #available: Candidate[] = [];
  /** Chosen, or gone for a while. */
  #absent: Candidate[];

  /** Nobody is available yet. */
  constructor(
    strategy: StatefulStrategy<Candidate, Request>,
    count: number,
    maker: CandidateMaker<Candidate, Request>,
    run: PropertyRun,
  ) {
    this.#strategy = strategy;
    this.#maker = maker;
    this.#run = run;
    this.#picker = strategy.start();
    this.#absent = Array.from({ length: count }, (_, number) => maker.candidate(number, run));
    for (const candidate of this.#absent) this.#turns.set(candidate, 0);
  }

  // A note comes before what it tells of: a strategy may throw.
  /** Let something happen. */
  step(): void {
    const draw = this.#run.below(20);
    if (draw < 8) this.#choose();
    else if (draw < 15) this.#come();
    else if (draw < 17) this.#go();
    else if (draw < 19) this.#change();
    else this.#restart();
  }

  #choose(): void {
    this.#run.note("a choice");
    const { window } = this.#picker;
    const request = this.#maker.request(this.#run);
    const picked = this.#picker.pick(this.#available.slice(0, window), request);
    if (picked === undefined) return this.#run.note("nothing is chosen");
    this.#run.note(`${nameOf(picked)} is chosen`);
    const place = this.#available.indexOf(picked);
    if (place < 0) return; // It is watched.
    this.#turns.set(picked, ++this.#turn);
    this.#maker.change?.(picked, this.#run);
    this.#tellChange(picked);
    if (this.#run.below(4) > 0) return this.#take(place);
    this.#run.note(`${nameOf(picked)} is chosen and stays`); // It may serve several at once.
    this.#available.splice(place, 1);
    this.#available.push(picked);
  }

  #come(): void {
    if (this.#absent.length === 0) return;
    const [candidate] = this.#absent.splice(this.#run.below(this.#absent.length), 1);
    this.#run.note(`${nameOf(candidate)} comes`);
    const turn = this.#turns.get(candidate!)!;
    const later = this.#available.findIndex((other) => this.#turns.get(other)! > turn);
    this.#available.splice(later < 0 ? this.#available.length : later, 0, candidate!);
    this.#picker.added?.(candidate!);
  }

  #go(): void {
    if (this.#available.length === 0) return;
    const place = this.#run.below(this.#available.length);
    this.#run.note(`${nameOf(this.#available[place])} goes`);
    this.#take(place);
  }

  #change(): void {
    const candidate = this.#run.oneOf([...this.#available, ...this.#absent]);
    this.#run.note(`${nameOf(candidate)} changes`);
    this.#maker.change?.(candidate, this.#run);
    this.#tellChange(candidate);
  }

  #restart(): void {
    this.#run.note("another picker");
    this.#picker = this.#strategy.start();
    for (const candidate of this.#available) this.#picker.added?.(candidate);
  }

  #take(place: number): void {
    const [candidate] = this.#available.splice(place, 1);
    this.#absent.push(candidate!);
    this.#picker.removed?.(candidate!);
  }

  /** Said of one that is available, it holds for all of its group. */
  #tellChange(changed: Candidate): void {
    const { group } = changed as Partial<Loaded>;
    const told = this.#available.find((candidate) =>
      candidate === changed ||
      (group !== undefined && (candidate as Partial<Loaded>).group === group)
    );
    if (told !== undefined) this.#picker.changed?.(told);
  }
}
