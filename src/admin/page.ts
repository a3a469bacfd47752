import { textAnswer } from "./answers.ts";
import { PAGE_SCRIPT } from "./page_script.ts";
import { PAGE_STYLE } from "./page_style.ts";

/**
 * A page that shows the state and asks for it again every second. It has no figures itself and loads
 * nothing from elsewhere; for the token it asks when it needs it.
 */
export function adminPage(): Response {
  const nonce = crypto.randomUUID();
  return textAnswer(200, pageOf(nonce), "text/html; charset=utf-8", {
    "content-security-policy":
      `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; ` +
      "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
  });
}

function pageOf(nonce: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Jackfield</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">${PAGE_STYLE}</style>
</head>
<body>
<main>
<header>
<h1>Jackfield</h1>
<span id="status" class="status">asking</span>
<span class="grow"></span>
<button id="drain" class="bad" hidden>Drain</button>
</header>
<form id="ask" hidden>
<input id="token" type="password" autocomplete="off" placeholder="token" aria-label="token">
<button>Show</button>
</form>
<div id="cards"></div>
</main>
<script nonce="${nonce}">${PAGE_SCRIPT}</script>
</body>
</html>
`;
}
