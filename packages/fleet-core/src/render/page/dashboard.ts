/** What a control plane shows in a browser: a page that asks for a token, and the parts that it loads with it. */
import type { HeldView, LockEvent, LockStatus, RolloutEntry } from '../../contract.js';
import type { TenantResult } from '../../result/result.js';
import { formatDuration } from '../../text/duration.js';
import { oneLine } from '../../text/sanitize.js';
import { plural, shortSha } from '../../text/words.js';
import { holderName } from '../holder.js';
import { frozenInWords, renderLockEvent } from '../lock.js';
import { DASHBOARD_SCRIPT, DASHBOARD_STYLE } from './dashboard-client.js';
import { hashOf } from './hash.js';
import { type Content, html, Markup } from './markup.js';
import { recordedPicture, tenantsOf } from './recorded.js';
import { STYLE } from './style.js';
import { timeline } from './timeline.js';

const LOOKS = STYLE + DASHBOARD_STYLE;

/** The page without any data, and the policy under which it may be shown: only its own style and script, this server alone. */
export function renderDashboard(): { html: string; policy: string } {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>fleet</title>
<link rel="icon" href="data:,">
<style>${new Markup(LOOKS)}</style>
</head>
<body>
<main>
<form id="enter"><h1>fleet</h1><p>A token of this control plane with the scope "read". It stays in this tab and is gone with it.</p>
<label for="token">Token</label> <input id="token" type="password" autocomplete="off" required> <button>Look</button></form>
<p id="problem" role="alert" class="bad" hidden></p>
<div id="inside" hidden>
<nav aria-label="Lock groups"><ul id="groups"></ul><button type="button" id="leave">Forget the token</button></nav>
<div id="part" aria-live="polite"></div>
</div>
</main>
<script>${new Markup(DASHBOARD_SCRIPT)}</script>
</body>
</html>
`.text;
  const own = `style-src ${hashOf(LOOKS)}; script-src ${hashOf(DASHBOARD_SCRIPT)}; connect-src 'self'; img-src data:`;
  return {
    html: page,
    policy: `default-src 'none'; ${own}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  };
}

export interface GroupView {
  status: LockStatus;
  /** Newest first, without tenants. */
  rollouts: RolloutEntry[];
  /** The rollout that proved the fleet last, with its tenants; null: none is on record. */
  proven: RolloutEntry | null;
  /** Newest first. */
  events: LockEvent[];
  /** Whether who looks may freeze, unfreeze and break. */
  mayOperate: boolean;
}

/** A lock group: who holds it, who waits, what runs, what was rolled, what was done. */
export function renderGroup({ status, rollouts, proven, events, mayOperate }: GroupView): string {
  const { group, held, frozen, draining, queue, version } = status;
  return html`<section data-group="${group}" data-version="${String(version)}">
<header class="is-${frozen ? 'bad' : held ? 'warn' : 'good'}"><h1><strong>${group}</strong>: ${
    frozen ? `frozen${frozenInWords(frozen)}` : held ? 'a rollout is under way' : 'free'
  }</h1>
${held && heldLine(held)}
${draining && html`<p>An older roll still runs: ${draining.slugs.length ? draining.slugs.join(', ') : 'the whole fleet'}, under fencing token ${draining.fencing_token}.</p>`}
<p>${queue.length ? `${plural(queue.length, 'claim')} in the queue` : 'Nobody waits.'}</p>
${queue.length > 0 && html`<ol>${queue.map(({ holder, waiting_for_seconds: waits }) => html`<li>${holderName(holder)}, waiting ${formatDuration(waits * 1000)}</li>`)}</ol>`}
${mayOperate && deeds(status)}</header>
<h2>What runs</h2>
${proven ? runs(proven) : html`<p>No rollout of this group was proven yet.</p>`}
<h2>Rollouts</h2>
${rollouts.length ? history(group, rollouts) : html`<p>None is on record.</p>`}
<h2>Audit log</h2>
${events.length ? html`<ol class="audit" reversed>${events.map((event) => html`<li>${renderLockEvent(event)}</li>`)}</ol>` : html`<p>Nothing happened yet.</p>`}
</section>`.text;
}

function heldLine({ holder, held_for_seconds: since, step, alive, fencing_token }: HeldView): Markup {
  const silent = alive ? '' : '; it does not renew any more';
  return html`<p>Held by ${holderName(holder)} for ${formatDuration(since * 1000)}, fencing token ${fencing_token}${step ? `, doing: ${oneLine(step)}` : ''}${silent}.</p>`;
}

function deeds({ frozen, held }: LockStatus): Markup {
  const deed = (name: string, words: string, more: Content = null) =>
    html`<form class="deed" data-deed="${name}">${more}<label>Reason <input name="reason" required maxlength="300" autocomplete="off"></label> <button>${words}</button></form>`;
  const holder = held && html`<input type="hidden" name="fencing_token" value="${held.fencing_token}">`;
  return html`<details class="deeds"><summary>Operate</summary>
${frozen ? deed('unfreeze', 'Unfreeze') : deed('freeze', 'Freeze deploys')}
${held && deed('break', held.alive ? 'Break the lock, although its holder is alive' : 'Break the lock', html`${holder}${held.alive && html`<input type="hidden" name="confirm_alive" value="true">`}`)}</details>`;
}

/** As far as rollouts tell: whatever was done behind the lock's back is not known here. */
function runs({ rollout, ended_at }: RolloutEntry): Markup {
  const behind = (rollout.tenants ?? []).filter(({ status }) => status !== 'on_target');
  const on = rollout.counts?.on_target;
  return html`<p>${on === undefined ? 'All tenants' : plural(on, 'tenant')} on <code>${shortSha(rollout.expected_sha ?? '')}</code> (${rollout.target_tag}), proven ${day(ended_at)}.</p>
${behind.length > 0 && html`<ul>${behind.map(({ slug, status, observed_sha }) => html`<li><b>${slug}</b>: ${status ?? 'not known'}${observed_sha ? `, on ${shortSha(observed_sha)}` : ''}</li>`)}</ul>`}`;
}

function history(group: string, rollouts: RolloutEntry[]): Markup {
  return html`<div class="wide" tabindex="0" role="region" aria-label="Rollouts"><table><thead><tr>${['When', 'Who', 'To', 'Verdict', 'Took'].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead><tbody>
${rollouts.map((entry) => {
  const { rollout, holder, started_at, claim_id } = entry;
  return html`<tr><td><a href="#${group}/${claim_id}">${day(started_at)}</a></td><td>${holderName(holder)}</td><td>${rollout.target_tag}</td><td><span class="status ${toneOf(entry)}">${verdictOf(entry)}</span></td><td>${took(entry)}</td></tr>
`;
})}</tbody></table></div>`;
}

/** One rollout with its tenants, and its timeline where the record has one. */
export function renderRolloutPart(group: string, entry: RolloutEntry): string {
  const { rollout, holder, started_at } = entry;
  const tenants = tenantsOf(entry);
  const picture = recordedPicture(entry);
  const url = rollout.run_url ?? holder.run_url;
  return html`<section><p><a href="#${group}">${group}</a></p>
<header class="is-${toneOf(entry)}"><h1><strong class="${toneOf(entry)}">${verdictOf(entry)}</strong>: ${rollout.target_tag}</h1>
${rollout.reason && html`<p class="reason">${rollout.reason}</p>`}
<p class="note">${day(started_at)} by ${holderName(holder)}, ${entry.ended_at ? `took ${took(entry)}` : 'not ended'}, fencing token ${entry.fencing_token}${url && /^https?:\/\//.test(url) && html` · <a href="${url}" rel="noreferrer">the run</a>`}</p></header>
${picture && html`<h2>Timeline</h2>${timeline(picture, null)}`}
<h2>Tenants</h2>
${tenants.length > 0 ? tenantTable(tenants) : html`<p>The record names none.</p>`}</section>`.text;
}

function tenantTable(tenants: TenantResult[]): Markup {
  const open = tenants.filter(({ status }) => status !== 'on_target');
  const rows = [...open, ...tenants.filter(({ status }) => status === 'on_target')];
  return html`<div class="wide" tabindex="0" role="region" aria-label="Tenants"><table><thead><tr>${['Tenant', 'Status', 'Was → is', 'Rolled in'].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead><tbody>
${rows.map(({ slug, status, phase, baseline_sha: was, observed_sha: is }) => {
  const tone = status === 'on_target' ? 'good' : status === 'excused' ? 'warn' : 'bad';
  const commits = [...new Set([was, is])].filter((sha) => sha !== null).map(shortSha);
  return html`<tr><th scope="row">${slug}</th><td><span class="status ${tone}">${status.replaceAll('_', ' ')}</span></td><td><code>${commits.join(' → ')}</code></td><td>${phase ?? 'not rolled'}</td></tr>
`;
})}</tbody></table></div>`;
}

const verdictOf = ({ state, rollout }: RolloutEntry): string =>
  oneLine(rollout.outcome ?? (state === 'running' ? 'under way' : 'no verdict'), 60).replaceAll('_', ' ');

function toneOf({ state, rollout }: RolloutEntry): 'good' | 'warn' | 'bad' {
  if (rollout.outcome === 'succeeded') return 'good';
  return state === 'running' || ['succeeded_with_quarantine', 'superseded'].includes(rollout.outcome ?? '')
    ? 'warn'
    : 'bad';
}

function took({ started_at, ended_at }: RolloutEntry): string {
  const ms = Date.parse(ended_at ?? '') - Date.parse(started_at);
  return Number.isFinite(ms) ? formatDuration(Math.max(0, ms)) : 'not ended';
}

const day = (at: string | null | undefined): string =>
  at ? `${oneLine(at, 40).slice(0, 16).replace('T', ' ')} UTC` : 'at a time not known';
