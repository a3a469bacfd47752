import { MainSender } from "../../src/native/main_sender.ts";
import { PageCache } from "../../src/native/page_cache.ts";
import { KeptAnswers } from "../../src/native/short_answers.ts";
import { libcOrReason } from "../../src/native/supported.ts";
import type { Libc } from "../../src/native/libc.ts";
import { testShortAnswers } from "../download/engines/short_suite.ts";

const found = libcOrReason();
const libc = found as Libc;

testShortAnswers("KeptAnswers", {
  make: () => new KeptAnswers(libc, new PageCache(libc), () => Date.now() + 5000),
  parts: () => ({ sender: new MainSender(libc, new PageCache(libc)) }),
  asks: 1,
  skip: typeof found === "string" && found,
});
