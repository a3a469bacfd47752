// The certificate of the tests, and who trusts it.
import { readFileSync } from "node:fs";

const pem = (name: string): string =>
  readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url), "utf8");

/** The server's certificate. */
export const cert: string = pem("server.pem");
/** And its key. */
export const key: string = pem("server.key");
/** A client's options. */
export const trusting: { caCerts: string[]; serverName: string } = {
  caCerts: [pem("ca.pem")],
  serverName: "localhost",
};
