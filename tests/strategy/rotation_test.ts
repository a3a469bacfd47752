import { assert, assertEquals, assertFalse, assertStrictEquals, assertThrows } from "@std/assert";
import { Rotation, type RotationNode } from "../../src/strategy/mod.ts";
import { test } from "../harness.ts";
import { withSeeds } from "../support/seeds.ts";

class Node implements RotationNode<Node> {
  before: Node | undefined;
  after: Node | undefined;
  available = false;
  turn: number;
  name: string;

  constructor(turn: number, name: string = String(turn)) {
    this.turn = turn;
    this.name = name;
  }
}

const names = (nodes: Iterable<Node>): string[] => [...nodes].map(({ name }) => name);

/** A rotation with nodes of these turns, and the nodes in the order of the turns given. */
function rotationOf(...turns: number[]): { rotation: Rotation<Node>; nodes: Node[] } {
  const rotation = new Rotation<Node>();
  const nodes = turns.map((turn) => new Node(turn));
  for (const node of nodes) rotation.insert(node);
  return { rotation, nodes };
}

test("Rotation.insert() orders by turn, whatever the order of the inserts", () => {
  for (const turns of [[1, 2, 3, 4], [4, 3, 2, 1], [2, 4, 1, 3], [3, 1, 4, 2]]) {
    const { rotation } = rotationOf(...turns);
    assertEquals(names(rotation), ["1", "2", "3", "4"], String(turns));
    assertEquals([rotation.first?.turn, rotation.last?.turn, rotation.size], [1, 4, 4]);
  }
});

test("Rotation.insert() puts equal turns in the order of arrival", () => {
  const { rotation } = rotationOf(1, 3, 2);
  for (const name of ["a", "b"]) rotation.insert(new Node(2, name));
  rotation.insert(new Node(1, "c"));
  rotation.insert(new Node(3, "d"));
  assertEquals(names(rotation), ["1", "c", "2", "a", "b", "3", "d"]);
});

test("Rotation.insert() looks from the nearer end", () => {
  let reads = 0;
  class Counted extends Node {
    constructor(turn: number) {
      super(turn);
      Object.defineProperty(this, "turn", { get: () => (reads++, turn) });
    }
  }
  const rotation = new Rotation<Node>();
  for (let turn = 0; turn < 10_000; turn += 2) rotation.insert(new Counted(turn));
  for (const turn of [-1, 3, 9_995, 10_001]) {
    reads = 0;
    rotation.insert(new Counted(turn));
    assert(reads < 12, `turn ${turn} took ${reads} reads`);
  }
  reads = 0;
  rotation.insert(new Counted(5_001));
  assert(reads > 4_000 && reads < 6_000, `the middle took ${reads} reads`);
});

test("Rotation.insert() refuses one that stands in a rotation, and a turn that is no number", () => {
  const { rotation, nodes: [node] } = rotationOf(1);
  assertThrows(() => rotation.insert(node!), TypeError, "stands in a rotation already");
  assertThrows(() => new Rotation<Node>().insert(node!), TypeError, "already");
  assertThrows(() => rotation.insert(new Node(NaN)), RangeError, 'Cannot use turn "NaN"');
  assertEquals(names(rotation), ["1"]);
});

test("Rotation.remove() takes one out once, wherever it stands", () => {
  for (const at of [0, 1, 2]) {
    const { rotation, nodes } = rotationOf(0, 1, 2);
    const node = nodes[at]!;
    assert(node.available);
    assert(rotation.remove(node));
    assertFalse(node.available);
    assertEquals([node.before, node.after], [undefined, undefined]);
    assertFalse(rotation.remove(node));
    assertEquals(names(rotation), ["0", "1", "2"].filter((name) => name !== String(at)));
    rotation.insert(node);
    assertEquals(names(rotation), ["0", "1", "2"]);
  }
});

test("Rotation.has() and remove() are false for what stands elsewhere, and for any other value", () => {
  const { rotation } = rotationOf(1);
  const { rotation: other, nodes: [foreign] } = rotationOf(1);
  const values = [undefined, null, 0, "node", {}, { rotation: {} }, new Node(1), foreign];
  for (const value of values) {
    assertFalse(rotation.has(value));
    assertFalse(rotation.remove(value as Node));
  }
  assert(other.has(foreign));
  assertEquals([rotation.size, other.size], [1, 1]);
});

test("Rotation.view() gives all, a few or none, as an array", () => {
  const { rotation, nodes: [a, b] } = rotationOf(1, 2, 3);
  assert(Array.isArray(rotation.view()) && Array.isArray(rotation.view(0)));
  assertEquals(names(rotation.view()), ["1", "2", "3"]);
  assertEquals(names(rotation.view(0)), []);
  assertEquals(names(rotation.view(1)), ["1"]);
  assertEquals(names(rotation.view(2)), ["1", "2"]);
  assertEquals(names(rotation.view(9)), ["1", "2", "3"]);
  rotation.remove(a!);
  assertEquals([names(rotation.view(1)), names(rotation.view(2))], [["2"], ["2", "3"]]);
  rotation.remove(b!);
  assertEquals([names(rotation.view(2)), names(rotation.view())], [["3"], ["3"]]);
  rotation.remove(rotation.first!);
  for (const window of [undefined, 0, 1, 2]) assertEquals(rotation.view(window), []);
});

test("Rotation.view() uses its arrays again until something has changed", () => {
  const { rotation, nodes: [a, b] } = rotationOf(1, 2, 3);
  const all = rotation.view();
  assertStrictEquals(rotation.view(), all);
  rotation.remove(a!);
  assertStrictEquals(rotation.view(), all); // Kept up: it left at the front,
  a!.turn = 4;
  rotation.insert(a!); // and came back at the end.
  assertEquals(names(all), ["2", "3", "1"]);
  const one = rotation.view(1);
  rotation.remove(b!);
  assertStrictEquals(rotation.view(1), one);
  assertEquals(names(one), ["3"]);
});

test("Rotation iterates from the first on, and the one just given may be taken out", () => {
  const { rotation } = rotationOf(1, 2, 3);
  const seen: string[] = [];
  for (const node of rotation) {
    seen.push(node.name);
    rotation.remove(node);
  }
  assertEquals([seen, rotation.size], [["1", "2", "3"], 0]);
});

test("Rotation does what a sorted array does, in 20,000 random steps", () =>
  withSeeds([1, 2, 3, 4], (dice) => {
    const rotation = new Rotation<Node>();
    const out = Array.from({ length: 40 }, (_, at) => new Node(0, String(at)));
    const model: Node[] = [];
    let turn = 0;
    for (let step = 0; step < 5_000; step++) {
      const comes = dice.random() < (step % 400 < 200 ? 0.6 : 0.4);
      if (comes && out.length > 0) {
        const [node] = out.splice(dice.below(out.length), 1);
        // Mostly a new turn, sometimes the old one, and sometimes one that another has.
        if (dice.random() < 0.5) node!.turn = ++turn;
        else if (dice.random() < 0.3) node!.turn = dice.below(turn + 1);
        rotation.insert(node!);
        const at = model.findIndex((other) => other.turn > node!.turn);
        model.splice(at === -1 ? model.length : at, 0, node!);
      } else if (!comes && model.length > 0) {
        const at = dice.random() < 0.5 ? 0 : dice.below(model.length);
        const [node] = model.splice(at, 1);
        assert(rotation.remove(node!));
        out.push(node!);
      }
      const window = dice.oneOf([undefined, undefined, undefined, 0, 1, 2, 5]);
      assertEquals(names(rotation.view(window)), names(model.slice(0, window)), `step ${step}`);
      assertEquals([rotation.size, rotation.first, rotation.last], [
        model.length,
        model[0],
        model.at(-1),
      ]);
      if (step % 50 === 0) assertEquals(names(rotation), names(model));
    }
  }));
