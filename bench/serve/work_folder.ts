import { randomFillSync } from "node:crypto";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FILES } from "./cells.ts";

/** A folder in memory, with what is served and what is needed for it. */
export interface WorkFolder {
  /** What is served. */
  readonly root: string;
  /** A certificate and its key, in PEM. */
  readonly tls: { readonly cert: string; readonly key: string };
  /** A configuration of OpenSSL that offers TLS 1.3 with AES-128-GCM and nothing else. */
  readonly opensslConf: string;
  /** Take all of it away. */
  remove(): void;
}

const BLOCK_BYTES = 16 * 2 ** 20;

/**
 * Make it in /dev/shm, or where temporary files are.
 *
 * @throws {Error} When there is no room, or no openssl(1).
 */
export function makeWorkFolder(): WorkFolder {
  const parent = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  const wanted = Object.values(FILES).reduce((sum, bytes) => sum + bytes);
  const { bavail, bsize } = statfsSync(parent);
  if (Number(bavail) * Number(bsize) < wanted * 1.1) {
    throw new Error(`Cannot measure: ${parent} has no room for ${wanted} bytes`);
  }
  const folder = mkdtempSync(join(parent, "jackfield-bench-serve-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const root = join(folder, "www");
    mkdirSync(root);
    for (const [name, bytes] of Object.entries(FILES)) fill(join(root, name), bytes);
    const opensslConf = join(folder, "openssl.cnf");
    writeFileSync(opensslConf, OPENSSL_CONF);
    return { root, tls: makeCertificate(folder), opensslConf, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** All take part with the same cipher, whatever their own order of preference is. */
const OPENSSL_CONF = `openssl_conf = init
[init]
ssl_conf = modules
[modules]
system_default = tls
[tls]
MinProtocol = TLSv1.3
Ciphersuites = TLS_AES_128_GCM_SHA256
`;

function fill(path: string, bytes: number): void {
  const block = randomFillSync(new Uint8Array(Math.min(bytes, BLOCK_BYTES)));
  for (let at = 0; at < bytes; at += block.byteLength) {
    writeFileSync(path, block.subarray(0, bytes - at), { flag: "a" });
  }
}

function makeCertificate(folder: string): WorkFolder["tls"] {
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 " +
    "-subj /CN=localhost";
  const { status, error } = spawnSync(
    "openssl",
    [...words.split(" "), "-keyout", key, "-out", cert],
    { stdio: "ignore" },
  );
  if (error !== undefined || status !== 0) {
    throw new Error("Cannot measure: openssl(1) makes no certificate");
  }
  return { cert, key };
}
