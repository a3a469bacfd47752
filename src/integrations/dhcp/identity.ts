// Under which names servers know us: one DUID for the owner and one IAID for each of its leases, put
// together to a client identifier (RFC 4361, section 6.1; RFC 6355).

const RFC_4361 = 255;
const DUID_UUID = [0, 4];
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether a text is a UUID (RFC 9562). */
export function isUuid(text: unknown): text is string {
  return typeof text === "string" && UUID.test(text);
}

/** The client identifier of an owner's lease number so and so. */
export function clientIdentifier(owner: string, slot: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(5 + DUID_UUID.length + 16);
  bytes[0] = RFC_4361;
  new DataView(bytes.buffer).setUint32(1, slot);
  bytes.set(DUID_UUID, 5);
  bytes.set(uuidBytes(owner), 7);
  return bytes;
}

/** Bytes as servers show them: `ff:00:00:00:01`. */
export function colonHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** The bytes of a hardware address such as `02:00:5e:10:00:01`. */
export function hardwareBytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text.split(":"), (part) => Number.parseInt(part, 16));
}

/** A hardware address for who cannot read his own: locally administered (IEEE 802), of one host. */
export function inventedHardware(owner: string): Uint8Array<ArrayBuffer> {
  const bytes = uuidBytes(owner).slice(10);
  bytes[0] = bytes[0]! & 0xfc | 0x02;
  return bytes;
}

function uuidBytes(uuid: string): Uint8Array<ArrayBuffer> {
  const digits = uuid.replaceAll("-", "");
  return Uint8Array.from(
    { length: 16 },
    (_, at) => Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16),
  );
}
