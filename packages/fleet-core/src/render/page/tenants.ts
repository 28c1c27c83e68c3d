/** The tenants as tables: those that need somebody open, the others folded where there are many. */
import type { FleetResult, TenantResult } from '../../result/result.js';
import { formatDuration } from '../../text/duration.js';
import { plural, shortSha } from '../../text/words.js';
import { statusOf, unproven } from '../result.js';
import { html, type Markup } from './markup.js';

/** Up to this many that are on target are shown at once. */
const OPEN_MAX = 25;

/** More rows make a page that a browser opens late; those that need somebody come first. */
const ROWS_MAX = 5_000;

/** Outcomes of runs that leave the fleet as it is. */
const AT_REST = ['planned', 'held', 'superseded'];

/** The fragment of a tenant's row, by its place in the result. */
export const anchorOf = (tenant: number): string => `t${tenant}`;

export function tenantTables(result: FleetResult): Markup {
  const places = new Map(result.tenants.map((tenant, index) => [tenant, index]));
  const rows = (tenants: TenantResult[]) =>
    tenants.map((tenant) => row(tenant, places.get(tenant) ?? 0, result));
  const open = unproven(result);
  const proven = result.tenants.filter(({ status }) => status === 'on_target');
  const room = Math.max(ROWS_MAX - open.length, 0);
  const many = proven.length > OPEN_MAX || (open.length > 0 && proven.length > 0);
  return html`<div class="find" data-script hidden>
<label for="search">Find</label> <input id="search" type="search" placeholder="name, status, commit, wave …" autocomplete="off" spellcheck="false">
<fieldset><legend>Show</legend>${[
    ['all', 'all', result.tenants.length],
    ['open', 'not proven', open.length],
    ['proven', 'on target', proven.length],
  ].map(
    ([value, name, count], index) =>
      html`<label><input type="radio" name="show" value="${value ?? ''}"${index === 0 && html` checked`}> ${name ?? ''} ${count ?? ''}</label>`,
  )}</fieldset>
<output id="found" aria-live="polite"></output>
</div>
${open.length > 0 && table('open', 'Not proven on target', rows(open.slice(0, ROWS_MAX)))}
${unlisted(open.length - ROWS_MAX, 'not proven')}
${
  proven.length > 0 &&
  html`<details id="greens"${!(many && open.length) && proven.length <= OPEN_MAX && html` open`}><summary>${plural(proven.length, 'tenant')} on target</summary>
${room > 0 && table('proven', 'On target', rows(proven.slice(0, room)))}
${unlisted(proven.length - room, 'on target')}</details>`
}
${result.tenants.length === 0 && html`<p>No tenant was enumerated.</p>`}`;
}

const unlisted = (count: number, what: string): Markup | false =>
  count > 0 &&
  html`<p>${plural(count, 'more tenant')} ${what}, not listed here: the report as JSON (<code>--report-json</code>) has every one.</p>`;

function table(id: string, caption: string, rows: Markup[]): Markup {
  return html`<table id="${id}" class="tenants"><caption class="hush">${caption}</caption>
<thead><tr><th scope="col">Tenant</th><th scope="col">Status</th><th scope="col">Was → is</th><th scope="col" class="more">Rolled in</th><th scope="col" class="more number">On target after</th><th scope="col" class="more number">Asked</th></tr></thead>
<tbody>
${rows}</tbody></table>`;
}

function row(tenant: TenantResult, place: number, { outcome, expected_sha }: FleetResult): Markup {
  const { slug, status, detail, phase, probes, on_target_after_ms: after } = tenant;
  // Who was not to be rolled is no failure.
  const isFault = status !== 'excused' && (phase !== null || !AT_REST.includes(outcome));
  const tone = status === 'on_target' ? 'good' : isFault ? 'bad' : 'warn';
  return html`<tr id="${anchorOf(place)}"><th scope="row">${slug}</th><td><span class="status ${tone}">${statusOf(tenant)}</span>${
    detail && html`<small>${detail}</small>`
  }</td><td>${move(tenant, expected_sha)}</td><td class="more">${phase ?? 'not rolled'}</td><td class="more number">${
    after === null ? '–' : formatDuration(after)
  }</td><td class="more number">${probes}</td></tr>
`;
}

function move({ baseline_sha: was, observed_sha: is }: TenantResult, expected: string | null): Markup {
  const commit = (sha: string | null) =>
    sha === null
      ? html`<i>none</i>`
      : html`<code${sha !== expected && html` title="${sha}"`}>${shortSha(sha)}</code>`;
  if (was !== null && was !== is) return html`${commit(was)} → ${commit(is)}`;
  return was === null ? commit(is) : html`${commit(is)}, unchanged`;
}
