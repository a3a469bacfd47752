/**
 * The script of the thread in which `sendfileEngine` sends long files. An engine starts it; it is of no
 * use to anybody else.
 *
 * @module
 */
import { startSending } from "./start_sending.ts";

startSending();
