// One end of a transfer in a process of its own. Its argument is `{}` to receive, or a transfer and a
// port as JSON to send; it answers in lines of JSON.
import process from "node:process";
import { receive, send } from "./transfer.ts";

const task = JSON.parse(process.argv[2]!);
const answer = (line: object): void => console.log(JSON.stringify(line));
answer(
  task.port === undefined ? await receive((port) => answer({ port })) : await send(task.port, task),
);
process.exit(0);
