import { systemTransport } from "../../../mod.ts";
import { RememberedAnswers } from "../../../src/download/remembered_answers.ts";
import { testShortAnswers } from "./short_suite.ts";

testShortAnswers("RememberedAnswers", {
  make: () => new RememberedAnswers(systemTransport().host.files!, () => Date.now() + 5000),
  asks: 2,
});
