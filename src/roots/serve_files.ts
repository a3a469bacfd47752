/**
 * The script of the thread in which a server with `sendfileEngine({ mode: "accept" })` works. The
 * server starts it; it is of no use to anybody else.
 *
 * @module
 */
import { startServing } from "./start_serving.ts";

startServing();
