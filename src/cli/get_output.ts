import process from "node:process";

/** Standard output as a stream, for `-o -`. It is not closed: the program may have more to say. */
export function standardOutput(): WritableStream<Uint8Array> {
  const { stdout } = process;
  return new WritableStream({
    write: (bytes) =>
      new Promise((resolve, reject) => {
        stdout.write(bytes, (error) => error ? reject(error) : resolve());
      }),
  });
}
