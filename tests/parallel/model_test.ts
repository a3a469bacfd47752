// Who fetches what, in memory: JACKFIELD_SCHEDULES says how many schedules;
// thousands are in tests/long/get_model_test.ts.
import process from "node:process";
import { test } from "../harness.ts";
import { withSeeds } from "../support/seeds.ts";
import { runInterrupted, runSchedule } from "./model_tools.ts";

const seeds = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => from + index);
const COUNT = Number(process.env.JACKFIELD_SCHEDULES ?? 60);

test("parallelGet() writes every byte exactly once, whatever breaks, stalls or is slow", () =>
  withSeeds(seeds(1, COUNT), runSchedule));

test("parallelGet() that is given up and begun again fetches little twice", () =>
  withSeeds(seeds(100_001, COUNT / 4), runInterrupted));
