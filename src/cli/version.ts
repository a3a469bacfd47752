/** The version of the package; a test compares it with its configuration files. */
export const VERSION = "0.1.0";
