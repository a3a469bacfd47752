/** How the page looks, in light and dark. */
export const PAGE_STYLE: string = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f6f6f4, #16181b); --card: light-dark(#fff, #1f2226);
  --line: light-dark(#d9d9d4, #34383e); --ink: light-dark(#1c1d1f, #e9e8e4);
  --faint: light-dark(#62656a, #9b9fa6);
  --good: light-dark(#1a7f4b, #4cc38a); --busy: light-dark(#2f62c9, #7aa2f7);
  --warm: light-dark(#a15c00, #f0a94b); --bad: light-dark(#b3261e, #ff8a80);
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
main { max-width: 70rem; margin: 0 auto; padding: 1.25rem; }
main, #cards { display: grid; gap: 1rem; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: .75rem; }
h1 { font-size: 1.15rem; margin: 0; }
h2 { font-size: .95rem; margin: 0 0 .75rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem; overflow-x: auto; }
.status { padding: .1rem .7rem; border-radius: 1rem; border: 1px solid; font-weight: 600; color: var(--faint); }
.status.good { color: var(--good); } .status.warm { color: var(--warm); } .status.bad { color: var(--bad); }
.grow { flex: 1; }
.faint { color: var(--faint); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); gap: .75rem; }
.figures b { display: block; font-size: 1.45rem; font-weight: 600; font-variant-numeric: tabular-nums; line-height: 1.2; }
.bar { display: flex; height: .8rem; border-radius: .4rem; overflow: hidden; background: var(--line); margin: .75rem 0 .4rem; }
.bar i { display: block; height: 100%; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; color: var(--faint); font-size: .85rem; }
.legend i { display: inline-block; width: .65rem; height: .65rem; border-radius: .2rem; margin-right: .35rem; }
.leased, .active { background: var(--busy); } .idle { background: var(--good); }
.connecting, .checking, .queued { background: var(--warm); } .closing { background: var(--faint); }
table { border-collapse: collapse; width: 100%; margin-top: .9rem; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 500; color: var(--faint); font-size: .85rem; }
th, td { padding: .3rem .75rem .3rem 0; border-top: 1px solid var(--line); white-space: nowrap; }
td.long { white-space: normal; overflow-wrap: anywhere; min-width: 9rem; }
svg { display: block; width: 100%; height: 3.2rem; margin-top: .75rem; border-bottom: 1px solid var(--line); }
svg polyline { fill: none; stroke: var(--busy); stroke-width: 2; vector-effect: non-scaling-stroke; }
progress { width: 8rem; accent-color: var(--busy); }
button, input { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: .4rem; padding: .3rem .7rem; }
button { cursor: pointer; }
button:hover { border-color: var(--ink); }
button.bad { color: var(--bad); }
form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
input { min-width: 14rem; }
[hidden] { display: none; }
`;
