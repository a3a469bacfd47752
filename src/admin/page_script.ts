/**
 * What the page does: it asks for the state every second and shows it. Everything is put in as text,
 * never as markup, for names of files and clients may be anything.
 */
export const PAGE_SCRIPT: string = String.raw`
const base = location.pathname.replace(/\/*$/, "/");
const one = (id) => document.getElementById(id);
const rates = [];
let before;
let token = sessionStorage.getItem("jackfield-token");

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "width") element.style.width = value;
    else element.setAttribute(key, value);
  }
  element.append(...children.map((child) => child instanceof Node ? child : String(child)));
  return element;
}

function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; bytes >= 1024 && unit < units.length - 1; unit++) bytes /= 1024;
  return (unit === 0 || bytes >= 100 ? Math.round(bytes) : bytes.toFixed(1)) + " " + units[unit];
}

const figures = (all) => make("div", { class: "figures" },
  ...all.map(([name, value]) => make("div", {}, make("b", {}, value), make("span", { class: "faint" }, name))));

const table = (heads, rows) => make("table", {},
  make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", {}, head)))),
  make("tbody", {}, ...rows.map((cells) => make("tr", {},
    ...cells.map((cell, index) => make("td", index === 0 ? { class: "long" } : {}, cell))))));

const card = (title, ...children) => make("section", {}, make("h2", {}, title), ...children);

function bar(parts, whole) {
  const total = Math.max(whole, parts.reduce((sum, [, count]) => sum + count, 0), 1);
  return [
    make("div", { class: "bar" }, ...parts.map(([name, count]) =>
      make("i", { class: name, width: 100 * count / total + "%" }))),
    make("div", { class: "legend" }, ...parts.map(([name, count]) =>
      make("span", {}, make("i", { class: name }), count + " " + name))),
  ];
}

function curve() {
  const most = Math.max(...rates, 1);
  const points = rates.map((rate, index) => (index + 60 - rates.length) + "," + (40 - 38 * rate / most)).join(" ");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 59 41");
  svg.setAttribute("preserveAspectRatio", "none");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  line.setAttribute("points", points);
  svg.append(line);
  return svg;
}

function downloadsCard({ active, queued, finished, refused, bytes, connections, descriptors, engine, list }) {
  return card("Downloads, with engine " + engine.name + (engine.mode ? ", " + engine.mode : ""),
    figures([
      ["being sent", active], ["wait in line", queued], ["per second", rates.length === 0 ? "–" : size(rates.at(-1))],
      ["sent in all", size(bytes)], ["ended", finished], ["refused", refused],
      ...(connections === undefined ? [] : [["connections", connections]]),
      ...(descriptors === undefined ? [] : [["of " + descriptors.limit + " descriptors", descriptors.used]]),
    ]),
    curve(),
    ...(list.length === 0 ? [] : [table(["file", "client", "state", "sent", ""], list.map((one) => [
      one.target, one.client, one.paused ? "paused" : one.state,
      size(one.bytes) + (one.totalBytes === undefined ? "" : " of " + size(one.totalBytes)),
      one.totalBytes ? make("progress", { max: one.totalBytes, value: one.bytes }) : "",
    ]))]));
}

function poolCard(name, pool) {
  const states = ["leased", "idle", "connecting", "checking", "closing"];
  return card(name === "" ? "Pool" : "Pool " + name,
    figures([["of " + pool.maxSize + " sockets", pool.size], ["leased", pool.leased], ["callers wait", pool.waiting]]),
    ...bar(states.map((state) => [state, pool[state]]), pool.maxSize),
    table(["target", "sockets", "leased", "idle", "health"], pool.targets.map((target) => [
      target.target, target.size, target.leased, target.idle,
      target.health + (target.failures > 0 ? ", " + target.failures + " failures" : ""),
    ])));
}

function addressesCard({ source, leaseable, addresses, ports, rests }) {
  const lift = (rest) => make("button", { onclick: async () => {
    const query = new URLSearchParams({ address: rest.localAddress });
    if (rest.target !== "*") query.set("target", rest.target);
    await ask("addresses/rests?" + query, { method: "DELETE" });
    await show();
  } }, "end it");
  return card("Addresses",
    figures([["leased", addresses.length], ["can be leased", leaseable], ["ports in use", ports.used],
      ["ports " + ports.from + " to " + ports.to, ports.to - ports.from + 1], ["rest", rests.length]]),
    make("p", { class: "faint" }, source),
    ...(rests.length === 0 ? [] : [table(["address that rests", "for", "why", "until", ""], rests.map((rest) => [
      rest.localAddress, rest.target === "*" ? "every target" : rest.target, rest.why,
      rest.endsInMs === null ? "it is lifted" : "in " + Math.ceil(rest.endsInMs / 1000) + " s", lift(rest),
    ]))]));
}

async function ask(path, init = {}) {
  const headers = { accept: "application/json", ...(token ? { authorization: "Bearer " + token } : {}) };
  const answer = await fetch(base + path, { ...init, headers, cache: "no-store" });
  one("ask").hidden = answer.status !== 401;
  if (answer.status === 401) throw new Error("it needs the token");
  if (!answer.ok) throw new Error("it answers " + answer.status);
  return await answer.json();
}

function say(kind, text) {
  one("status").className = "status " + kind;
  one("status").textContent = text;
}

async function show() {
  const state = await ask("");
  const { downloads, pools, addresses, notReady } = state;
  const now = performance.now();
  if (downloads) {
    if (before) rates.push(Math.max(0, downloads.bytes - before.bytes) / (now - before.at) * 1000);
    if (rates.length > 60) rates.shift();
    before = { bytes: downloads.bytes, at: now };
  }
  const isReady = notReady.length === 0;
  say(isReady ? "good" : "warm", isReady ? "ready" : state.drain === "no" ? "not ready: " + notReady.join(", ") : state.drain);
  one("drain").hidden = state.drain !== "no";
  one("cards").replaceChildren(
    ...(downloads ? [downloadsCard(downloads)] : []),
    ...Object.entries(pools).map(([name, pool]) => poolCard(name, pool)),
    ...(addresses ? [addressesCard(addresses)] : []));
}

one("drain").addEventListener("click", async () => {
  if (!confirm("Take no more work, and end when everything is done?")) return;
  await ask("drain", { method: "POST" });
  await show();
});
one("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  token = one("token").value.trim();
  sessionStorage.setItem("jackfield-token", token);
  void show().catch(() => {});
});

(async () => {
  for (;;) {
    if (!document.hidden && one("ask").hidden) await show().catch((error) => say("bad", error.message));
    await new Promise((done) => setTimeout(done, 1000));
  }
})();
`;
