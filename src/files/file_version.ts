import type { FileFacts } from "../transport/mod.ts";

/** A file that changed this short a time ago may change again within the grain of its clock. */
export const YOUNG_MS: number = 2000;

/** Whether both are the same file with the same content, as far as facts can tell. */
export function isSameVersion(one: FileFacts, other: FileFacts): boolean {
  return isSameFile(one, other) && isSameContent(one, other) && one.changedNs === other.changedNs;
}

/** Whether both are the same file, whatever it holds; never where files have no numbers. */
export function isSameFile(one: FileFacts, other: FileFacts): boolean {
  return one.inode === other.inode && one.device === other.device && one.inode !== 0n;
}

/** Whether nothing says that the content changed, if nobody has turned a clock back. */
export function isSameContent(one: FileFacts, other: FileFacts): boolean {
  return one.size === other.size && one.modifiedNs === other.modifiedNs;
}

/**
 * Whether something else than the content accounts for a step of the time of change: the file got or
 * lost a name, other permission bits, or another owner.
 */
export function hasOtherAttributes(one: FileFacts, other: FileFacts): boolean {
  return one.links !== other.links || one.mode !== other.mode || one.userId !== other.userId ||
    one.groupId !== other.groupId;
}

/** Whether the content is so new that its time does not yet tell it from the next one. */
export function isYoung(facts: FileFacts, nowMs: number): boolean {
  return nowMs - facts.modifiedMs < YOUNG_MS;
}

/** What may be told of a version. */
export interface Validators {
  /** Strong, or weak while the file is young. */
  readonly entityTag: string;
  /** When it last changed; `undefined` while it is young. */
  readonly modifiedMs: number | undefined;
}

/** The validators of a version. */
export function validatorsOf(facts: FileFacts, version: string, nowMs: number): Validators {
  return isYoung(facts, nowMs)
    ? { entityTag: `W/"${version}"`, modifiedMs: undefined }
    : { entityTag: `"${version}"`, modifiedMs: facts.modifiedMs };
}

/**
 * Whether the file has a number and was left alone for so long that every later change shows in its
 * facts, also in a runtime that tells the time of change in whole seconds only.
 */
export function isSettled(facts: FileFacts, nowMs: number): boolean {
  return !isYoung(facts, nowMs) && nowMs - Number(facts.changedNs) / 1e6 >= YOUNG_MS &&
    facts.inode !== 0n;
}

const fields = new DataView(new ArrayBuffer(40));

/**
 * What tells this version of this file from all others, for an entity tag: 96 bits mixed from device,
 * number, size and both times, and the size in plain. Equal facts give equal words in every process;
 * the facts cannot be read from it.
 */
export function versionOf(facts: FileFacts): string {
  fields.setBigUint64(0, facts.device);
  fields.setBigUint64(8, facts.inode);
  fields.setFloat64(16, facts.size);
  fields.setBigUint64(24, facts.modifiedNs);
  fields.setBigUint64(32, facts.changedNs);
  let one = 0x243f6a88;
  let two = 0x85a308d3;
  let three = 0x13198a2e;
  for (let at = 0; at < 40; at += 4) {
    const word = fields.getUint32(at);
    // Each step can be undone when the word is known, so no single fact can be lost on the way.
    one = turn(Math.imul(one ^ word, 0x9e3779b1), 13) + two | 0;
    two = turn(Math.imul(two ^ word, 0x85ebca77), 17) + three | 0;
    three = turn(Math.imul(three ^ word, 0xc2b2ae3d), 19) + one | 0;
  }
  return `${facts.size}-${letters(scatter(one))}${letters(scatter(two ^ one))}${
    letters(scatter(three ^ two))
  }`;
}

function turn(word: number, bits: number): number {
  return word << bits | word >>> (32 - bits);
}

/** Let every bit count for every other. */
function scatter(word: number): number {
  word = Math.imul(word ^ word >>> 16, 0x7feb352d);
  word = Math.imul(word ^ word >>> 15, 0x846ca68b);
  return word ^ word >>> 16;
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** 32 bits in six letters; several times as fast as `toString(36)` of a number this large. */
function letters(word: number): string {
  return LETTERS[word >>> 26]! + LETTERS[word >>> 20 & 63] + LETTERS[word >>> 14 & 63] +
    LETTERS[word >>> 8 & 63] + LETTERS[word >>> 2 & 63] + LETTERS[word & 3];
}
