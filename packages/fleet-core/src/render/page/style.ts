/** Looks of the page: light, dark, paper; from a phone to a wide screen. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #fff; --card: #f6f8fa; --text: #1b1f24; --hush: #57606a; --line: #d0d7de; --link: #0550ae;
  --good: #116329; --bad: #b3261e; --warn: #7d4e00;
  --silent: #b6c2cf; --other: #e0a526; --confirming: #8fd1a3; --proven: #1a7f37; --given-up: #b3261e;
  --wave: #eef3f9; --odd: #dfe9f4; --queue: #f3ecdc; --soak: #cfe0f2;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #0f1318; --card: #181e25; --text: #e6edf3; --hush: #a3adb8; --line: #343c46; --link: #7cb7ff;
    --good: #63d489; --bad: #ff8f88; --warn: #f0b45a;
    --silent: #566270; --other: #b98411; --confirming: #2f7d4a; --proven: #4fc878; --given-up: #ff8f88;
    --wave: #161d26; --odd: #1d2732; --queue: #29241a; --soak: #22384f;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 1rem clamp(.75rem, 3vw, 2rem); }
footer { color: var(--hush); font-size: .8rem; text-align: center; padding: 1rem; }
h1 { font-size: clamp(1.15rem, 2.6vw, 1.5rem); line-height: 1.35; margin: 0 0 .5rem; font-weight: 500; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
p, ul { margin: .4rem 0; } ul { padding-left: 1.2rem; } li { overflow-wrap: anywhere; }
a { color: var(--link); }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .9em; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
[hidden] { display: none !important; }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
.note, small { color: var(--hush); } small { display: block; } .note { font-size: .9rem; }

header { background: var(--card); border: 1px solid var(--line); border-left: 6px solid; border-radius: 8px; padding: 1rem 1.2rem; }
header.is-good { border-left-color: var(--good); } header.is-bad { border-left-color: var(--bad); } header.is-warn { border-left-color: var(--warn); }
.reason { overflow-wrap: anywhere; }
.counts { display: block; border-radius: 5px; margin: .8rem 0 .4rem; }
.on_target { fill: var(--proven); } .stale { fill: var(--other); } .unreachable, .invalid, .unhealthy { fill: var(--given-up); } .excused { fill: var(--silent); }
.invalid { opacity: .75; } .unhealthy { opacity: .55; }

button, input[type=search] { font: inherit; color: var(--text); background: var(--page); border: 1px solid var(--line); border-radius: 6px; padding: .25rem .7rem; }
button { cursor: pointer; min-width: 2.4rem; } button:hover { background: var(--card); }
.command { display: grid; grid-template-columns: 1fr auto; gap: .3rem .5rem; margin: .6rem 0; align-items: start; }
.command figcaption { grid-column: 1 / -1; color: var(--hush); }
.command pre { margin: 0; padding: .5rem .7rem; background: var(--card); border: 1px solid var(--line); border-radius: 6px; white-space: pre-wrap; overflow-x: auto; }
.command span { white-space: nowrap; }

.zoom { float: right; margin-top: -2.3rem; display: flex; gap: .3rem; }
.timeline { display: grid; grid-template-columns: minmax(5rem, max-content) minmax(0, 1fr); border: 1px solid var(--line); border-radius: 8px; overflow: hidden; clear: both; }
.names { list-style: none; margin: 0; padding: 20px .6rem 22px; max-width: min(32vw, 15rem); font-size: 13px; border-right: 1px solid var(--line); background: var(--card); }
.names.deep { padding-top: 40px; }
.names li { height: 22px; line-height: 22px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.names a, .names span { color: inherit; text-decoration: none; } .names a:hover { text-decoration: underline; }
.names .good a, .names .good span { color: var(--text); } .names .bad { font-weight: 600; }
.plot { overflow-x: auto; overflow-y: hidden; }
.plot > svg { display: block; }
svg text { font: 11px system-ui, sans-serif; fill: var(--text); }
.wave { fill: var(--wave); } .odd { fill: var(--odd); } .queue, .draining { fill: var(--queue); } .soak { fill: var(--soak); }
.short { display: none; } .band.slim .long { display: none; } .band.slim .short { display: inline; }
.hatch { fill: var(--line); opacity: .5; }
.lane { fill: transparent; } g:hover > .lane { fill: var(--link); opacity: .1; }
.after { stroke: var(--proven); stroke-width: 2; opacity: .45; }
.silent { fill: var(--silent); } .other { fill: var(--other); } .confirming { fill: var(--confirming); } .group { fill: var(--silent); }
.rolled { stroke: var(--text); stroke-width: 1.5; } .proven { fill: var(--proven); }
svg .mark { font-size: 15px; font-weight: 700; text-anchor: middle; fill: var(--given-up); } svg .flapped { fill: var(--warn); }
.crowd { stroke: var(--proven); stroke-width: 2; vector-effect: non-scaling-stroke; }
.ticks line { stroke: var(--line); } .ticks text { fill: var(--hush); text-anchor: middle; } .ticks .first { text-anchor: start; } .ticks .last { text-anchor: end; }
.t1, .t2 { display: none; } .near .t1, .nearer .t2 { display: inline; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; color: var(--hush); font-size: .85rem; }

.find { display: flex; flex-wrap: wrap; gap: .4rem .8rem; align-items: center; margin: .5rem 0; }
.find input[type=search] { flex: 1 1 14rem; max-width: 24rem; }
fieldset { border: 0; padding: 0; margin: 0; display: flex; flex-wrap: wrap; gap: .2rem 1rem; } legend { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
output { color: var(--hush); }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; } details caption { position: absolute; clip-path: inset(50%); }
th, td { text-align: left; vertical-align: top; padding: .4rem .9rem .4rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
thead th { color: var(--hush); font-size: .85rem; font-weight: 500; white-space: nowrap; } tbody th { font-weight: 600; min-width: 5rem; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.status::before { content: "● "; } .status.good::before { content: "✓ "; } .status.bad::before { content: "✕ "; } .status.warn::before { content: "– "; }
:target { background: var(--odd); }
details { margin: .8rem 0; } summary { cursor: pointer; padding: .3rem 0; color: var(--good); } section[aria-labelledby=facts] summary { color: var(--text); }
.wide { overflow-x: auto; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: .3rem 2rem; margin: 0; }
dl div { display: grid; grid-template-columns: 7rem 1fr; } dt { color: var(--hush); } dd { margin: 0; overflow-wrap: anywhere; }

@media (max-width: 40rem) {
  .more { display: none; }
  .band.middling .long { display: none; } .band.middling .short { display: inline; }
  header { padding: .8rem; }
  th, td { padding-right: .5rem; }
}
@media print {
  body { font-size: 10pt; } main { max-width: none; padding: 0; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  [data-script] { display: none !important; }
  .plot { overflow: hidden; } .plot > svg { width: 100%; } .t1, .t2 { display: none !important; }
  tr, figure, header, .timeline { break-inside: avoid; } h2 { break-after: avoid; }
}
`;
