// Hono's serveStatic, over Deno.serve or Bun.serve.
import { Hono } from "hono";
import { serveWith } from "./listen.ts";
import { readPlan } from "./plan.ts";
import { bun } from "./runtimes.ts";

const { root } = readPlan();
const { serveStatic } = await (bun === undefined ? import("hono/deno") : import("hono/bun"));
const app = new Hono();
app.use("/*", serveStatic({ root }));
serveWith((request) => app.fetch(request));
