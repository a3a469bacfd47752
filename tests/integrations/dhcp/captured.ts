// Answers of real servers, captured with tcpdump(8) in network namespaces on 2026-11-21: to a client
// with the identifier ff:00:00:00:00:00:04:5f:0d:… that asked as a relay agent from 10.77.255.1; the
// refusals are to an INIT-REBOOT with 10.99.0.1. Fields: the first 44 bytes, and what follows the 192
// zeros of `sname` and `file`.

/** An answer, whole. */
export interface Captured {
  readonly name: string;
  readonly type: "offer" | "ack" | "nak";
  readonly bytes: Uint8Array;
}

const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));

/** What was captured. */
export const CAPTURED: readonly Captured[] = ([
  [
    "dnsmasq 2.90",
    "nak",
    300,
    "02010601ff5816b0000080000000000000000000000000000a4dff01c2327761dc3600000000000000000000",
    "6382536335010636040a4d0001380d77726f6e67206e6574776f726bff",
  ],
  [
    "dnsmasq 2.90",
    "offer",
    300,
    "02010601c039f7c700000000000000000a4d01a90a4d00010a4dff01c2327761dc3600000000000000000000",
    "6382536335010236040a4d00013304000000783a040000003c3b04000000690104ffff00001c040a4dffffff",
  ],
  [
    "dnsmasq 2.90",
    "ack",
    300,
    "020106010fa3699900000000000000000a4d01a90a4d00010a4dff01c2327761dc3600000000000000000000",
    "6382536335010536040a4d00013304000000783a040000003c3b04000000690104ffff00001c040a4dffffff",
  ],
  [
    "Kea 2.2.0",
    "nak",
    275,
    "0201060151c079e3000000000000000000000000000000000a4dff012eaa1e0d4aee00000000000000000000",
    "6382536335010636040a4d00013d17ff0000000000045f0d3c1a7b524f4e9a551b6f2f6a9c01ff",
  ],
  [
    "Kea 2.2.0",
    "offer",
    299,
    "020106011eb767f600000000000000000a4d0101000000000a4dff012eaa1e0d4aee00000000000000000000",
    "638253633501020104ffff000033040000007836040a4d00013a040000003c3b04000000693d17ff0000000000045f0d3c1a7b524f4e9a551b6f2f6a9c01ff",
  ],
  [
    "Kea 2.2.0",
    "ack",
    299,
    "020106016d13494000000000000000000a4d0101000000000a4dff012eaa1e0d4aee00000000000000000000",
    "638253633501050104ffff000033040000007836040a4d00013a040000003c3b04000000693d17ff0000000000045f0d3c1a7b524f4e9a551b6f2f6a9c01ff",
  ],
] as const).map(([server, type, length, head, options]) => {
  const bytes = new Uint8Array(length);
  bytes.set(bytesOf(head));
  bytes.set(bytesOf(options), 236);
  return { name: `${type} of ${server}`, type, bytes };
});
