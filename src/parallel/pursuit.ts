import type { Moving } from "./stealing.ts";
import type { Piece } from "./unit_plan.ts";

/** How fast a piece goes, and what became of it before. */
export class Pursuit implements Moving {
  /** The piece. */
  readonly piece: Piece;
  /** Called when nothing is left of it. */
  readonly cut: () => void;
  /** How often what it fetches was taken over as a whole. */
  takeovers = 0;
  bytesPerSecond = 0;
  ageMs = 0;
  #seen: number;

  /** A piece that is asked for now. */
  constructor(piece: Piece, cut: () => void) {
    this.piece = piece;
    this.cut = cut;
    this.#seen = piece.at;
  }

  /** Time has passed. The speed is that of the last second, or of its age while it is younger. */
  tick(tickMs: number): void {
    this.ageMs += tickMs;
    const now = (this.piece.at - this.#seen) / tickMs * 1000;
    this.#seen = this.piece.at;
    const part = tickMs / Math.min(this.ageMs, 1000);
    this.bytesPerSecond += (now - this.bytesPerSecond) * part;
  }
}
