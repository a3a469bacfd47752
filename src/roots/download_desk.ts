/**
 * The script of the thread or process in which a `DownloadManager` serves its downloads. A manager
 * with such a `placement` starts it; it is of no use to anybody else.
 *
 * A program that is bundled into files of its own makes a file of this entry too, and names it in
 * `workerUrl` or `processUrl`. One that is compiled into a single file calls `takeRole` instead.
 *
 * @module
 */
import { startDesk } from "./start_desk.ts";

startDesk();
