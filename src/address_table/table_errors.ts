import { formatAddress, JackfieldError } from "../transport/mod.ts";
import { addressOfTarget, type Target } from "../transport/mod.ts";

/** The error for a descriptor that nobody has. */
export function unknownDescriptor(descriptor: number, operation: string): JackfieldError {
  return new JackfieldError(
    "ADDRESS_UNKNOWN_DESCRIPTOR",
    `Cannot ${operation} descriptor ${descriptor}: it was closed or never issued`,
    { operation },
  );
}

/** The error for a descriptor that does something already. */
export function descriptorInUse(
  descriptor: number,
  operation: string,
  why: string,
): JackfieldError {
  const message = `Cannot ${operation} descriptor ${descriptor}: it is ${why} already`;
  return new JackfieldError("ADDRESS_IN_USE", message, { operation });
}

/** The error for a table that issues nothing any more. */
export function tableClosed(): JackfieldError {
  const message = "Cannot create descriptor: address table is closed";
  return new JackfieldError("ADDRESS_TABLE_CLOSED", message, { operation: "create" });
}

/** The error for a table with as many descriptors as it may have. */
export function tooManyDescriptors(limit: number): JackfieldError {
  const message = `Cannot create descriptor: ${limit} are in use`;
  return new JackfieldError("ADDRESS_EXHAUSTED", message, { operation: "create", limit });
}

/** The error when no address of the source will do; `tried` are those that others hold. */
export function noAddressError(
  source: string,
  { target, tried }: { readonly target: Target | undefined; readonly tried: ReadonlySet<string> },
): JackfieldError {
  const to = target === undefined ? "" : ` to ${formatAddress(addressOfTarget(target))}`;
  const others = tried.size === 0 ? "" : `, ${tried.size} are held by others`;
  return new JackfieldError(
    "ADDRESS_EXHAUSTED",
    `Cannot create descriptor${to}: no address of ${source} is free and fits${others}`,
    { operation: "create" },
  );
}
