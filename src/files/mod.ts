/**
 * The files of a folder, to be read by many at once: from a path of a request to an open file, with
 * what is known of it, and no way out of the folder.
 *
 * A path is decoded into names, the names are looked up, links are followed as far as they may be,
 * and the kernel is asked what was really opened before anything is read. All who read the same
 * version of a file at the same time share one descriptor.
 *
 * Who owns what: whoever is given a {@linkcode ServedFile} releases it, once. The last release
 * closes the descriptor. Whatever fails on the way to one has closed what it opened.
 *
 * @module
 */
export type { LinkRule } from "./containment.ts";
export { FileRoot, type Found } from "./file_root.ts";
export type { FileRootOptions } from "./file_root_options.ts";
export type { ListingEntry } from "./listing.ts";
export type { CodedFile, ServedFile } from "./served_file.ts";
