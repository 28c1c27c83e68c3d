/** A result as one HTML file: no script, no network, readable on a phone and in the dark. */

import type { FleetResult, TenantResult } from '../result/result.js';
import { formatDuration } from '../text/duration.js';
import { shortSha } from '../text/words.js';
import { statusInWords, targetOf } from './event.js';
import { countsInWords, lagInWords, outcomeTone, statusOf, timesOf, unproven, verdictOf } from './result.js';

/** The whole report; every text of the result is escaped. */
export function renderHtml(result: FleetResult): string {
  const tenants = [...unproven(result), ...result.tenants.filter((tenant) => tenant.status === 'on_target')];
  const slowest = Math.max(1, ...tenants.map((tenant) => tenant.on_target_after_ms ?? 0));
  const fleet = result.environment ?? 'fleet';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(`${statusInWords(result.outcome)}: ${fleet} to ${targetOf(result)}`)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1 class="${outcomeTone(result.outcome)}">${escapeHtml(verdictOf(result))}</h1>
<p>${escapeHtml(result.reason)}</p>
<p>${escapeHtml(`${countsInWords(result)}; ${timesOf(result)}.`)}</p>
${list('What to do next', result.next)}
${list('Warnings', result.warnings)}
${factsTable(result)}
<h2>Tenants</h2>
${table(
  ['Tenant', 'Status', 'Answers', 'Phase', 'Probes', 'On target after'],
  tenants.map((tenant) => tenantRow(tenant, slowest)),
)}
<h2>Calls</h2>
${table(['Call', 'Tenants', 'Answer', 'Took'], result.calls.map(callRow))}
</main>
</body>
</html>
`;
}

function tenantRow(tenant: TenantResult, slowest: number): string {
  const after = tenant.on_target_after_ms;
  const bar =
    after === null
      ? '<span class="none">not proven</span>'
      : `<span class="bar" style="width:${Math.max(1, Math.round((after / slowest) * 100))}%"></span>${escapeHtml(formatDuration(after))}`;
  const detail = tenant.detail ? `<small>${escapeHtml(tenant.detail)}</small>` : '';
  const tone = tenant.status === 'on_target' ? 'good' : tenant.status === 'excused' ? 'warn' : 'bad';
  return cells(
    `<b>${escapeHtml(tenant.slug)}</b>`,
    `<span class="${tone}">${escapeHtml(statusOf(tenant))}</span>${detail}`,
    commit(tenant.observed_sha),
    escapeHtml(tenant.phase ?? 'not rolled'),
    String(tenant.probes),
    `<div class="time">${bar}</div>`,
  );
}

function callRow(call: FleetResult['calls'][number]): string {
  const answer = call.http_status === null ? call.outcome : `${call.outcome}, HTTP ${call.http_status}`;
  return cells(
    escapeHtml(call.phase ? `${call.kind} ${call.phase}` : call.kind),
    escapeHtml(call.slugs ? call.slugs.join(', ') : 'whole fleet'),
    escapeHtml(call.ok === false ? `${answer}, not ok` : answer),
    escapeHtml(formatDuration(call.duration_ms)),
  );
}

function factsTable(result: FleetResult): string {
  const { lock } = result;
  const facts: [string, string][] = [
    ['Outcome', escapeHtml(`${result.outcome}, exit code ${result.exit_code}`)],
    ['Image tag', escapeHtml(result.target_tag ?? 'none given')],
    ['Commit', result.expected_sha ? `<code>${escapeHtml(result.expected_sha)}</code>` : 'none given'],
    ['Started', escapeHtml(result.started_at)],
    ['Finished', escapeHtml(result.finished_at)],
    [
      'Lock',
      lock
        ? escapeHtml(
            `${lock.group}, fencing token ${lock.fencing_token ?? 'none'}, waited ${formatDuration(lock.waited_ms)}`,
          )
        : 'none taken',
    ],
    [
      'Branch',
      escapeHtml(lagInWords(result) ?? (result.branch ? `head of ${result.branch.name}` : 'not read')),
    ],
  ];
  const rows = facts.map(([name, value]) => `<tr><th scope="row">${name}</th><td>${value}</td></tr>`);
  return `<table class="facts"><tbody>${rows.join('')}</tbody></table>`;
}

function table(heads: string[], rows: string[]): string {
  if (!rows.length) return '<p>None.</p>';
  const head = heads.map((name) => `<th scope="col">${name}</th>`).join('');
  return `<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table></div>`;
}

function list(title: string, items: string[]): string {
  if (!items.length) return '';
  return `<h2>${title}</h2>\n<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`;
}

const cells = (...contents: string[]): string =>
  `<tr>${contents.map((content) => `<td>${content}</td>`).join('')}</tr>`;

const commit = (sha: string | null): string =>
  sha ? `<code title="${escapeHtml(sha)}">${escapeHtml(shortSha(sha))}</code>` : 'nothing';

const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text made safe for HTML content and quoted attributes. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}

const STYLE = `
:root { color-scheme: light dark; --good: #17692f; --bad: #b3261e; --warn: #8a5300; --line: #8884; --bar: #2f7de1; }
@media (prefers-color-scheme: dark) { :root { --good: #6fd08c; --bad: #ff8a80; --warn: #ffc46b; --bar: #6aa9ff; } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; }
main { max-width: 64rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.4rem; line-height: 1.3; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin-top: 2rem; }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
.facts { width: auto; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); }
td { overflow-wrap: anywhere; } td:first-child { min-width: 6rem; }
small { display: block; opacity: .8; }
code { font-family: ui-monospace, monospace; }
.time { display: flex; align-items: center; gap: .5rem; min-width: 10rem; white-space: nowrap; }
.bar { background: var(--bar); height: .6rem; border-radius: .3rem; flex: 0 1 auto; max-width: 6rem; }
.none { opacity: .7; }
`;
