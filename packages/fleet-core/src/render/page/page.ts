/** A result as one HTML file: nothing comes from outside, and it reads the same without its script. */
import { type CallResult, type Counts, type FleetResult, TENANT_STATUSES } from '../../result/result.js';
import { formatDuration } from '../../text/duration.js';
import { nameList, plural } from '../../text/words.js';
import { policyInWords, statusInWords, targetOf } from '../event.js';
import { behindInWords, countsInWords, leadTimeInWords, outcomeTone, timesOf, verdictOf } from '../result.js';
import { hashOf } from './hash.js';
import { type Content, html, Markup } from './markup.js';
import { pictureOf } from './picture.js';
import { SCRIPT } from './script.js';
import { STYLE } from './style.js';
import { anchorOf, tenantTables } from './tenants.js';
import { timeline } from './timeline.js';

const POLICY = `default-src 'none'; style-src ${hashOf(STYLE)}; script-src ${hashOf(SCRIPT)}; base-uri 'none'; form-action 'none'`;

/** The whole report; every text of the result is escaped. */
export function renderHtml(result: FleetResult): string {
  const fleet = result.environment ?? 'fleet';
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${statusInWords(result.outcome)}: ${fleet} to ${targetOf(result)}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<main>
${head(result)}
${nextSteps(result)}
${picture(result)}
<section aria-labelledby="tenants"><h2 id="tenants">Tenants</h2>
${tenantTables(result)}</section>
${facts(result)}
</main>
<footer>${result.tool_version ? `fleet ${result.tool_version} · ` : ''}${result.schema} · ${result.finished_at}</footer>
<script>${new Markup(SCRIPT)}</script>
</body>
</html>
`.text;
}

function head(result: FleetResult): Markup {
  const [verdict = '', ...rest] = verdictOf(result).split(': ');
  const who = result.actor && `by ${result.actor}`;
  const link = result.run_url && /^https?:\/\//.test(result.run_url) ? result.run_url : null;
  return html`<header class="is-${outcomeTone(result.outcome)}">
<h1><strong class="${outcomeTone(result.outcome)}">${verdict}</strong>${rest.length ? ': ' : ''}${rest.join(': ')}</h1>
<p class="reason">${result.reason}</p>
${countsBar(result.counts)}
<p>${countsInWords(result)}; ${timesOf(result)}.</p>
<p class="note">${result.started_at.slice(0, 19).replace('T', ' ')} UTC${who ? ` ${who}` : ''}${
    link && html` · <a href="${link}">the run</a>`
  }</p>
</header>`;
}

/** How the fleet is made up, in one line. */
function countsBar(counts: Counts): Content {
  if (!counts.enumerated) return null;
  let at = 0;
  const parts = TENANT_STATUSES.flatMap((status) => {
    if (!counts[status]) return [];
    const from = at;
    at += counts[status] / counts.enumerated;
    return html`<rect class="${status}" x="${(from * 100).toFixed(3)}%" width="${((at - from) * 100).toFixed(3)}%" height="100%"/>`;
  });
  return html`<svg class="counts" width="100%" height="10" aria-hidden="true">${parts}</svg>`;
}

function nextSteps({ next, next_commands: commands = [], warnings }: FleetResult): Content {
  const list = (items: string[]) => html`<ul>${items.map((item) => html`<li>${item}</li>`)}</ul>`;
  return [
    (next.length > 0 || commands.length > 0) &&
      html`<section aria-labelledby="next"><h2 id="next">What to do next</h2>
${next.length > 0 && list(next)}
${commands.map(
  ({ why, command }) => html`<figure class="command"><figcaption>${why}</figcaption>
<pre tabindex="0">${flags(command)}</pre><button type="button" data-copy data-script hidden>Copy</button></figure>
`,
)}</section>
`,
    warnings.length > 0 &&
      html`<section aria-labelledby="warnings"><h2 id="warnings">Warnings</h2>${list(warnings)}</section>
`,
  ];
}

/** A command that is broken between its flags, and nowhere else. */
const flags = (command: string) =>
  command.split(/ (?=--)/).map((part, index) => [index > 0 && ' ', html`<span>${part}</span>`]);

function picture(result: FleetResult): Content {
  const found = pictureOf(result);
  if (!found) return null;
  return html`<section aria-labelledby="timeline"><h2 id="timeline">Timeline</h2>
<div class="zoom" data-script hidden><button type="button" data-zoom="0.5" aria-label="Zoom out">−</button><button type="button" data-zoom="2" aria-label="Zoom in">+</button><button type="button" data-zoom="0">Fit</button></div>
${timeline(found, anchorOf)}
<p class="legend">${LEGEND.map(([look, words]) => html`<span><svg width="18" height="12" aria-hidden="true">${look}</svg> ${words}</span>`)}</p>
</section>`;
}

const LEGEND: [Markup, string][] = [
  [html`<line class="rolled" x1="9" x2="9" y1="0" y2="12"/>`, 'rolled'],
  [html`<rect class="silent" width="18" height="10" y="1" rx="2"/>`, 'no answer yet'],
  [html`<rect class="other" width="18" height="10" y="1" rx="2"/>`, 'answers another commit'],
  [html`<rect class="confirming" width="18" height="10" y="1" rx="2"/>`, 'flipped, being proven'],
  [html`<circle class="proven" cx="9" cy="6" r="5"/>`, 'proven'],
  [html`<text class="mark given-up" x="9" y="11">✕</text>`, 'given up'],
];

function facts(result: FleetResult): Markup {
  const { lock, policy, calls } = result;
  const rows: [string, Content][] = [
    ['Outcome', `${result.outcome}, exit code ${result.exit_code}`],
    ['Image tag', result.target_tag ?? 'none given'],
    ['Commit', result.expected_sha ? html`<code>${result.expected_sha}</code>` : 'none given'],
    ['Started', result.started_at],
    ['Finished', result.finished_at],
    ...(result.lead_time ? [['Lead time', leadTimeInWords(result)] as [string, Content]] : []),
    [
      'Lock',
      lock
        ? `${lock.group}, fencing token ${lock.fencing_token ?? 'none'}, waited ${formatDuration(lock.waited_ms)}`
        : 'none taken',
    ],
    ['Branch', behindInWords(result) ?? (result.branch ? `head of ${result.branch.name}` : 'not read')],
    ...(result.control_plane ? [['Control plane', result.control_plane] as [string, Content]] : []),
    ...(policy ? [['Policy', policyInWords(policy)] as [string, Content]] : []),
  ];
  return html`<section aria-labelledby="facts"><h2 id="facts">The run</h2>
<dl>${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
${
  calls.length > 0 &&
  html`<details><summary>${plural(calls.length, 'call')} to the control plane${result.rollout?.takeovers ? '; what a process asked in the moment of its end may be missing' : ''}</summary>
<div class="wide" tabindex="0" role="region" aria-label="Calls"><table><thead><tr>${[
    'Call',
    'Tenants',
    'Answer',
    'Took',
  ].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead><tbody>
${calls.map(callRow)}</tbody></table></div></details>`
}</section>`;
}

function callRow({ kind, phase, slugs, http_status, outcome, ok, duration_ms }: CallResult): Markup {
  const answer = [outcome, http_status !== null && `HTTP ${http_status}`, ok === false && 'not ok'];
  return html`<tr><td>${phase ? `${kind} ${phase}` : kind}</td><td>${slugs ? nameList(slugs) : 'whole fleet'}</td><td>${answer
    .filter(Boolean)
    .join(', ')}</td><td>${formatDuration(duration_ms)}</td></tr>
`;
}
