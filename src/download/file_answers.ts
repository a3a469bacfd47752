import type { CodedFile, FileRoot, Found, ServedFile } from "../files/mod.ts";
import {
  checkCacheControl,
  chooseDigest,
  type Digests,
  type FieldLine,
  type FileAnswer,
  type FileDescription,
  formatContentDisposition,
  parseDigestPreferences,
  planFileAnswer,
  type Representation,
} from "../http/mod.ts";
import { type Clock, isJackfieldError } from "../transport/mod.ts";
import {
  type Answer,
  type AnswerContext,
  answerHead,
  busyAnswer,
  dateOffsetOf,
  textAnswer,
} from "./answers.ts";
import { contentTypeOf } from "./content_type.ts";
import type { DownloadFiles, DownloadHooks } from "./download_options.ts";
import type { DownloadRefusal, DownloadRequest } from "./download_request.ts";
import { listingPage } from "./listing.ts";
import type { ShortAnswers } from "./engine.ts";
import { Output } from "./output.ts";
import { isShortOfDescriptors, openPatiently, type Patience } from "./patience.ts";
import { assertAtLeast } from "./settings.ts";

/** An answer, and what must be given back when it was sent. */
export interface PreparedAnswer extends Answer {
  readonly held?: ServedFile;
}

/** Endings of compressed neighbours, the best coding first. */
const CODINGS = [["br", ".br"], ["gzip", ".gz"]] as const;
const MAX_DIGEST_BYTES = 2 ** 30;
const ERRORS: Readonly<Record<number, string>> = {
  401: "This needs a proof of who asks.\n",
  403: "This is not for everyone.\n",
  406: "There is no form of this file that the request accepts.\n",
  412: "The file is not in the state that the request asks for.\n",
  429: "Too many requests. Try again later.\n",
};

/** Finds the answer to a request: asks the hooks, finds the file, and plans what to send of it. */
export class FileAnswers {
  #root: FileRoot;
  #options: DownloadFiles & DownloadHooks;
  #codings: readonly (readonly [coding: string, ending: string])[];
  #maxDigestBytes: number;
  #short: ShortAnswers | undefined;
  #clock: Clock;

  /**
   * Checks the options.
   *
   * @throws {TypeError} When Cache-Control or the disposition cannot be sent.
   * @throws {RangeError} When a limit is out of range.
   */
  constructor(root: FileRoot, options: DownloadFiles & DownloadHooks, clock: Clock) {
    const { cacheControl, disposition, maxRanges = 1, maxDigestBytes = MAX_DIGEST_BYTES } = options;
    if (cacheControl !== undefined) checkCacheControl(cacheControl);
    if (disposition !== undefined) formatContentDisposition(disposition);
    assertAtLeast("maxRanges", maxRanges, 0);
    assertAtLeast("maxDigestBytes", maxDigestBytes, 0);
    this.#root = root;
    this.#clock = clock;
    this.#options = options;
    this.#codings = options.precompressed === false ? [] : CODINGS;
    this.#maxDigestBytes = maxDigestBytes;
  }

  /** Let answers be given again from there. */
  keepIn(short: ShortAnswers | undefined): void {
    this.#short = short;
  }

  /**
   * The answer to a GET or HEAD.
   *
   * @throws What a hook throws, or {JackfieldError} `FILE_FAILED` for a file that is there and cannot
   * be read.
   */
  async prepare(
    request: DownloadRequest,
    context: AnswerContext,
    isWanted: () => boolean,
  ): Promise<PreparedAnswer> {
    const patience = { clock: this.#clock, isWanted };
    const { authorize } = this.#options;
    const allowed = authorize === undefined ? true : await authorize(request);
    if (allowed !== true) return refusalAnswer(context, allowed || { status: 403 });
    const found = await this.#find(request, patience);
    switch (found.kind) {
      case "missing":
        return textAnswer(context, 404, "There is no such file.\n");
      case "redirect": {
        const query = request.target.indexOf("?");
        const { location: path } = found;
        // Relative: a proxy, or an app, may have the folder under another path.
        const name = path.slice(path.lastIndexOf("/", path.length - 2));
        const location = `.${name}${query < 0 ? "" : request.target.slice(query)}`;
        return textAnswer(context, 301, "This is a folder.\n", [["Location", location]]);
      }
      case "listing": {
        const page = listingPage(found.path, found.entries, found.isCut);
        return textAnswer(context, 200, page, [["Cache-Control", "no-cache"]], HTML);
      }
      case "file":
        return await this.#answerWithFile(found.file, request, context, patience);
    }
  }

  async #find(request: DownloadRequest, patience: Patience): Promise<Found> {
    const { resolve } = this.#options;
    if (resolve === undefined) {
      const path = request.target.split("?", 1)[0]!;
      return await openPatiently(patience, () => this.#root.find(path));
    }
    const path = await resolve(request);
    if (path === undefined) return { kind: "missing" };
    return await openPatiently(patience, () => this.#root.open(path));
  }

  /** The file is given back here when the answer does not need it. */
  async #answerWithFile(
    file: ServedFile,
    request: DownloadRequest,
    context: AnswerContext,
    patience: Patience,
  ): Promise<PreparedAnswer> {
    let held: ServedFile | undefined = file;
    try {
      const coded = this.#codings.length === 0 ? [] : await file.coded(this.#codings);
      const description = await this.#describe(file, coded, request);
      const { maxRanges } = this.#options;
      const options = { maxRanges, nowMs: context.nowMs };
      let plan = planFileAnswer(request, description, options);
      if (plan.status !== 200 && plan.status !== 206) {
        return errorAnswer(context, plan, file);
      }
      const chosen = coded.find(({ coding }) => coding === plan.coding);
      if (chosen !== undefined) {
        const other = await openPatiently(patience, () => chosen.open());
        held.release();
        held = other;
      }
      const reader = held;
      const digests = await openPatiently(patience, () => this.#digestsOf(reader, request));
      if (digests !== undefined && digests.size > 0) {
        plan = planFileAnswer(request, withDigests(description, plan.coding, digests), options);
      }
      const head = answerHead(context, plan.status, [
        ...plan.fields,
        ["X-Content-Type-Options", "nosniff"],
      ]);
      const { status } = plan;
      if (plan.bodyBytes === 0) return { status, output: new Output(head) };
      // It is given again on connections that go on, as its head says.
      const isForAll = context.keepAlive && coded.length === 0 && !digests?.size;
      if (isForAll) this.#learn(request, status, head, held);
      const answer = { status, output: new Output(head, plan.parts(), held), held };
      held = undefined;
      return answer;
    } finally {
      held?.release();
    }
  }

  /** Let the answer be given again; a request with conditions is not known by its target alone. */
  #learn(
    { target }: DownloadRequest,
    status: number,
    head: Uint8Array,
    { opened, facts, fullPath }: ServedFile,
  ): void {
    const short = this.#short;
    if (short === undefined || status !== 200 || facts.size > short.maxBytes) return;
    const endings = this.#codings.map(([, ending]) => ending);
    const dateOffset = dateOffsetOf(head);
    short.learn({ target, head, dateOffset, file: opened, facts, path: fullPath, endings });
  }

  async #describe(
    file: ServedFile,
    coded: readonly CodedFile[],
    request: DownloadRequest,
  ): Promise<FileDescription> {
    const { cacheControl, disposition, headers } = this.#options;
    const { path, entityTag } = file;
    const fields: FieldLine[] = [];
    if (disposition !== undefined) {
      const name = path.slice(path.lastIndexOf("/") + 1);
      fields.push(["Content-Disposition", formatContentDisposition(disposition, name)]);
    }
    if (headers !== undefined) {
      fields.push(...await headers({ path, size: file.facts.size, entityTag }, request));
    }
    return {
      ...representationOf(file),
      contentType: contentTypeOf(path),
      coded: coded.map((one) => ({ coding: one.coding, ...representationOf(one) })),
      cacheControl,
      fields,
    };
  }

  /** The digest that the client would like best; without a wish, what is known already. */
  async #digestsOf(file: ServedFile, request: DownloadRequest): Promise<Digests | undefined> {
    if (file.facts.size > this.#maxDigestBytes) return undefined;
    const want = request.fields.get("want-repr-digest");
    const preferences = want === undefined ? undefined : parseDigestPreferences(want);
    if (preferences === undefined) return file.knownDigests();
    const algorithm = chooseDigest(preferences, ["sha-256", "sha-512"]);
    if (algorithm === undefined) return undefined;
    const digest = await file.digest(algorithm);
    this.#short?.forget(request.target); // From now on the digest goes along.
    return new Map([[algorithm, digest]]);
  }
}

const HTML = "text/html; charset=utf-8";

function representationOf(file: ServedFile | CodedFile): Representation {
  const { entityTag, modifiedMs, facts } = file;
  return { size: facts.size, entityTag, modifiedMs };
}

function withDigests(
  description: FileDescription,
  coding: string,
  digests: Digests,
): FileDescription {
  if (coding === "identity") return { ...description, digests };
  const coded = description.coded?.map((one) => one.coding === coding ? { ...one, digests } : one);
  return { ...description, coded };
}

/** An answer without the file, which some words explain; not for 304, which has no body. */
function errorAnswer(context: AnswerContext, plan: FileAnswer, { facts }: ServedFile): Answer {
  const { status, fields } = plan;
  if (status === 304) {
    return { status, output: new Output(answerHead(context, status, fields)) };
  }
  const text = status === 416 ? `No such range in ${facts.size} bytes.\n` : ERRORS[status];
  return textAnswer(context, status, text!, fields);
}

function refusalAnswer(context: AnswerContext, refusal: DownloadRefusal): Answer {
  const { status, fields } = refusal;
  if (!(status >= 400 && status <= 599)) {
    throw new RangeError(`Cannot refuse request with status "${status}": expected 400 to 599`);
  }
  const text = refusal.text ?? ERRORS[status] ?? `This is not served (${status}).\n`;
  return textAnswer(context, status, text, fields);
}

/** What to answer when the file cannot be read: try again when only descriptors are short. */
export function failureAnswer(context: AnswerContext, error: unknown): Answer {
  const isShort = isJackfieldError(error, "FILE_CHANGED") || isShortOfDescriptors(error);
  const text = "The file cannot be read now.\n";
  return isShort ? busyAnswer(context, text) : textAnswer(context, 500, text);
}
