// What a user would write first: Deno.serve with the stream of a file, Bun.serve with Bun.file.
import { serveWith } from "./listen.ts";
import { readPlan } from "./plan.ts";
import { bun, deno } from "./runtimes.ts";

const { root } = readPlan();

serveWith(bun === undefined ? answerInDeno : answerInBun);

async function answerInDeno({ url }: Request): Promise<Response> {
  const file = await deno!.open(root + new URL(url).pathname);
  const { size } = await file.stat();
  return new Response(file.readable, { headers: { "content-length": String(size) } });
}

function answerInBun({ url }: Request): Response {
  return new Response(bun!.file(root + new URL(url).pathname));
}
