/** Runs the built step as a process, copied alone into an empty folder, against a real control plane. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ControlPlane, startControlPlane } from '@tenant-fleet/fleet-control-plane';
import { type ClaimHandle, resultSchema } from '@tenant-fleet/fleet-core';
import type { LockStatus } from '@tenant-fleet/fleet-core/contract';
import { FakeGitea } from '@tenant-fleet/fleet-core/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const TOKEN = 'token-3f9c1d-never-print-me';
const SHA = 'abcdef1234567890abcdef1234567890abcdef12';
const TAG = `staging-${SHA.slice(0, 7)}`;

let plane: ControlPlane;
let temp: string;
beforeAll(async () => {
  plane = await startControlPlane({ token: TOKEN });
});
afterAll(async () => {
  await plane?.close();
});
beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), 'fleet-action-'));
  for (const file of ['main.cjs', 'post.cjs']) {
    copyFileSync(fileURLToPath(new URL(`../dist/${file}`, import.meta.url)), join(temp, file));
  }
});
afterEach(() => rmSync(temp, { recursive: true, force: true }));

async function api(method: string, path: string, body?: unknown): Promise<void> {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
  const answer = await fetch(plane.url + path, { method, headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
}

/** How many rolls the control plane still carries out. */
async function openRolls(): Promise<number> {
  const answer = await fetch(`${plane.url}/cp/admin/rolls`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  const { rolls } = (await answer.json()) as { rolls: { ended_at: string | null }[] };
  return rolls.filter((roll) => roll.ended_at === null).length;
}

/** A server that counts what reaches it. */
async function serve() {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end('{"state":"released","already":false}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, seen, close: () => new Promise((resolve) => server.close(resolve)) };
}

async function setFleet(behaviours: Record<string, string>): Promise<void> {
  await api('PUT', `/sim/images/${TAG}`, { git_sha: SHA });
  for (const [slug, behaviour] of Object.entries(behaviours)) {
    const running = { image_tag: 'staging-1111111', git_sha: '1'.repeat(40) };
    await api('PUT', `/sim/tenants/${slug}`, { behaviour, roll_ms: 50, running });
  }
}

async function step(
  file: string,
  env: Record<string, string | undefined>,
  onOutput?: (stdout: string, kill: (name: NodeJS.Signals) => void) => void,
) {
  for (const name of ['output', 'state', 'summary']) writeFileSync(join(temp, name), '');
  const child = spawn(process.execPath, [join(temp, file)], {
    cwd: temp,
    env: {
      PATH: process.env.PATH,
      GITHUB_OUTPUT: join(temp, 'output'),
      GITHUB_STATE: join(temp, 'state'),
      GITHUB_STEP_SUMMARY: join(temp, 'summary'),
      RUNNER_TEMP: temp,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data) => {
    stdout += data;
    onOutput?.(stdout, (name) => void child.kill(name));
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stdout, stderr, outputs: read('output'), state: read('state'), summary: text('summary') };
}

const text = (name: string) => readFileSync(join(temp, name), 'utf8');

/** A file of runner values, read by the rules of the strictest runner: no blank line, no line over 64 KiB. */
function read(name: string): Record<string, string> {
  const values: Record<string, string> = {};
  const lines = text(name).split('\n').slice(0, -1);
  while (lines.length) {
    const [key = '', end] = (lines.shift() ?? '').split('<<');
    const value: string[] = [];
    for (let line = lines.shift(); line !== end; line = lines.shift()) {
      if (!line || line.length > 65_000) throw new Error(`bad line in ${name}: ${line}`);
      value.push(line);
    }
    values[key] = value.join('\n');
  }
  return values;
}

const inputs = (more: Record<string, string> = {}) => ({
  INPUT_TOKEN: TOKEN,
  'INPUT_CONTROL-PLANE': plane.url,
  'INPUT_TENANT-URL': plane.tenantUrlTemplate,
  'INPUT_TARGET-TAG': TAG,
  'INPUT_LOCK-GROUP': 'staging',
  'INPUT_SETTLE-BUDGET': '700ms',
  INPUT_SOAK: '50ms',
  INPUT_CANARY: '',
  INPUT_HOLD: '',
  GITHUB_SHA: SHA,
  GITHUB_EVENT_NAME: 'push',
  ...more,
});

/** The whole result, which the short one names. */
function documentOf(outputs: Record<string, string | undefined>) {
  const short = JSON.parse(outputs['result-json'] ?? '');
  const whole = resultSchema.parse(JSON.parse(readFileSync(short.document, 'utf8')));
  expect(short).toMatchObject({ outcome: whole.outcome, counts: whole.counts, report: outputs.report });
  return whole;
}

describe('the step', () => {
  it.each([
    ['/dev/full', /WARNING: the output outcome could not be written \(ENOSPC\)/],
    ['/dev/null/none', /WARNING: the output outcome could not be written \(its file is not there\)/],
  ])('keeps its verdict where the runner has no room for files: %s', async (file, says) => {
    await setFleet({ acme: 'ok' });
    const lost = { GITHUB_OUTPUT: file, GITHUB_STATE: file, GITHUB_STEP_SUMMARY: file, RUNNER_TEMP: file };
    const ran = await step('main.cjs', inputs(lost));
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(ran.stdout).toMatch(/^DEPLOYED: /m);
    expect(ran.stdout).toMatch(says);
    expect(ran.stdout).toContain('WARNING: the report could not be written');
  });

  it('rolls, proves and says so in outputs, report, summary and log', async () => {
    await setFleet({ acme: 'ok', beta: 'ok' });
    const ran = await step('main.cjs', inputs());
    expect(ran.stderr).toBe('');
    expect(ran.code).toBe(0);
    expect(ran.outputs).toMatchObject({ outcome: 'succeeded', deployed: 'true' });
    const result = documentOf(ran.outputs);
    expect(result.exit_code).toBe(0);
    expect(JSON.parse(ran.outputs['on-target'] ?? '')).toEqual(['acme', 'beta']);
    expect(JSON.parse(ran.outputs.stale ?? '')).toEqual([]);
    expect(readFileSync(ran.outputs.report ?? '', 'utf8')).toMatch(/^<!doctype html>/);
    for (const place of [ran.stdout, ran.summary]) expect(place).toContain('DEPLOYED: the fleet runs');
    expect(ran.state).toMatchObject({ finished: 'true' });
    // Nothing is left behind for the post step.
    expect(readdirSync(temp).filter((name) => name.startsWith('fleet-claim'))).toEqual([]);
  });

  it('sets the outputs before it fails', async () => {
    await setFleet({ acme: 'ok', beta: 'stuck' });
    const ran = await step(
      'main.cjs',
      inputs({ GITEA_ACTIONS: 'true', GITEA_ACTIONS_RUNNER_VERSION: '0.2.13' }),
    );
    expect(ran.code).toBe(1);
    expect(ran.outputs).toMatchObject({ outcome: 'failed', deployed: 'false' });
    expect(JSON.parse(ran.outputs.stale ?? '')).toEqual(['beta']);
    expect(ran.stdout).toMatch(/::endgroup::\nERROR: FAILED: [\s\S]*\n {2}beta: stale/);
    expect(ran.stdout).not.toMatch(/::error|%0A/);
    expect(ran.summary).toContain('  beta: stale');
  });

  it('masks every line of every token before anything else, and prints none elsewhere', async () => {
    const env = {
      INPUT_TOKEN: TOKEN,
      'INPUT_GITEA-TOKEN': 'first-line\n\nx\nsecond-line',
      GITEA_TOKEN: '',
      FLEET_REGISTRY_PASSWORD: 'pass/word-of-registry',
    };
    const ran = await step('main.cjs', inputs({ ...env, 'INPUT_EXPECTED-SHA': 'bad' }));
    const lines = ran.stdout.trim().split('\n');
    const masks = lines.filter((line) => line.startsWith('::add-mask::'));
    expect(lines.slice(0, masks.length)).toEqual(masks);
    for (const secret of [
      TOKEN,
      'first-line',
      'second-line',
      'pass/word-of-registry',
      'pass%2Fword-of-registry',
    ])
      expect(masks).toContain(`::add-mask::${secret}`);
    expect(masks.every((line) => line.length > '::add-mask::'.length + 1)).toBe(true);
    expect(lines.slice(masks.length).join('\n')).not.toMatch(/never-print-me|first-line|second-line/);
    expect(ran.code).toBe(2);
  });

  it.each([
    // The line end makes it one entry, which a runner's own trimming would lose.
    [{ INPUT_EPHEMERAL: 'e2e-*, x\n' }, /^ERROR: --ephemeral: "e2e-\*, x" is not a glob/m],
    [{ INPUT_SOAK: '60' }, /^ERROR: --soak: "60" has no unit/m],
    [{ INPUT_TOKEN: '' }, /^ERROR: FLEET_CP_TOKEN is missing/m],
  ])('bad input %j: exit code 2 and one line', async (more, says) => {
    const ran = await step('main.cjs', inputs(more));
    expect(ran.stdout).toMatch(says);
    expect(ran.code).toBe(2);
    expect(ran.outputs).toEqual({});
    expect(ran.stdout + ran.stderr).not.toMatch(/\n\s+at /);
  });

  it('an input that it does not have is a warning: runners hand those of a composite on', async () => {
    await setFleet({ acme: 'ok', beta: 'ok' });
    const more = {
      INPUT_BATCHSIZE: '3',
      INPUT_TOKN: 'some-secret',
      INPUT_NODE_VERSION: '20',
      INPUT_EMPTY: '',
    };
    const ran = await step('main.cjs', inputs({ ...more, 'INPUT_DRY-RUN': 'true' }));
    expect([ran.code, ran.outputs.outcome]).toEqual([0, 'planned']);
    expect(ran.stdout.match(/^warning: input .*$/gm)).toEqual([
      'warning: input batchsize is not read: this action has none of that name; did you mean batch-size?',
      expect.stringMatching(/input tokn is not read: .* did you mean token\?$/),
      'warning: input node-version is not read: this action has none of that name',
    ]);
    expect(ran.stdout).not.toContain('some-secret');
  });

  it('masks the secrets that stand in files too', async () => {
    const file = join(temp, 'secret-of-registry');
    writeFileSync(file, 'word-in-a-file\n');
    const more = { INPUT_TOKEN: '', 'INPUT_TOKEN-FILE': file, FLEET_REGISTRY_PASSWORD_FILE: file };
    const ran = await step('main.cjs', inputs({ ...more, 'INPUT_EXPECTED-SHA': 'bad' }));
    expect(ran.stdout).toContain('::add-mask::word-in-a-file\n');
  });

  it('takes inputs whose dashes a runner turned into underscores', async () => {
    await setFleet({ acme: 'ok', beta: 'ok' });
    const ran = await step('main.cjs', inputs({ INPUT_DRY_RUN: 'true', 'INPUT_MAX-STRAGGLERS': '1' }));
    expect(ran.outputs).toMatchObject({ outcome: 'planned', deployed: 'false' });
  });
});

it('a job that is cancelled gives the lock back and sets its outputs', async () => {
  await api('PUT', '/sim/tenants/acme', {
    roll_ms: 2000,
    running: { image_tag: 'old', git_sha: '1'.repeat(40) },
  });
  let sent = false;
  const ran = await step('main.cjs', inputs({ 'INPUT_BATCH-SIZE': '1' }), (stdout, kill) => {
    if (sent || !stdout.includes('rolling acme')) return;
    sent = true;
    kill('SIGTERM');
  });
  expect(ran.code).toBe(143);
  expect(ran.stdout).toContain('lock staging: released');
  expect(ran.outputs).toMatchObject({ outcome: 'interrupted', deployed: 'false' });
});

describe('alerts', () => {
  let gitea: FakeGitea;
  beforeEach(async () => {
    gitea = await FakeGitea.start({ token: 'gitea-token' });
    gitea.repository.addCommit(SHA);
  });
  afterEach(() => gitea.stop());

  const alerting = (more: Record<string, string> = {}) =>
    inputs({
      'INPUT_ALERT-ISSUE': 'true',
      'INPUT_COMMIT-STATUS': 'true',
      'INPUT_GITEA-TOKEN': 'gitea-token',
      'INPUT_GITEA-WEB-URL': 'https://git.example.com',
      GITHUB_SERVER_URL: gitea.url,
      GITHUB_REPOSITORY: 'acme/server',
      GITHUB_RUN_NUMBER: '12',
      ...more,
    });

  it('114, 115: a run that fails opens an issue, and one that deploys closes it', async () => {
    await setFleet({ acme: 'ok', beta: 'stuck' });
    const failed = await step('main.cjs', alerting());
    expect(failed.code).toBe(1);
    expect(failed.stdout).toContain('alert: opened issue #1, https://git.example.com/acme/server/issues/1\n');
    const [issue] = gitea.issues;
    expect(issue).toMatchObject({
      state: 'open',
      title: `fleet/staging FAILED: ${TAG} (abcdef1) is not proven`,
    });
    expect(issue?.body).toMatch(/beta: stale/);
    expect(issue?.body).toContain('https://git.example.com/acme/server/actions/runs/12?by_index=1');

    await setFleet({ acme: 'ok', beta: 'ok' });
    const deployed = await step('main.cjs', alerting());
    expect(deployed.code).toBe(0);
    expect(deployed.stdout).toMatch(/alert: closed issue #1, 1 failed run since/);
    expect(gitea.issues).toMatchObject([{ state: 'closed' }]);
    expect(gitea.statuses.map(({ context, state }) => `${context} ${state}`)).toEqual(
      ['pending', 'failure', 'pending', 'success'].map((state) => `fleet/staging ${state}`),
    );
  });

  it('112, 116: what fails to be told is a warning, and the address of the webhook is masked and nowhere else', async () => {
    await setFleet({ acme: 'ok', beta: 'stuck' });
    gitea.fail(403);
    const secret = 'https://127.0.0.1:9/services/T0-s3cr3t-path';
    const ran = await step('main.cjs', alerting({ 'INPUT_ALERT-WEBHOOK': secret }));
    expect([ran.code, ran.outputs.outcome]).toEqual([1, 'failed']);
    expect(ran.stdout).toMatch(/warning: alert issue not announced: .*needs "issues: write"/);
    expect(ran.stdout).toMatch(/warning: webhook not announced: .*connection refused/);
    const { warnings } = documentOf(ran.outputs);
    expect(warnings.filter((text) => /not announced/.test(text))).toHaveLength(3);
    expect(ran.stdout).toContain(`::add-mask::${secret}`);
    const told = ran.stdout.replace(/^::add-mask::.*$/gm, '') + ran.summary + JSON.stringify(ran.outputs);
    expect(told).not.toContain('s3cr3t-path');
  });

  it('a second signal ends the telling at once, and not the report', async () => {
    await setFleet({ acme: 'ok', beta: 'ok' });
    const running = { image_tag: 'old', git_sha: '1'.repeat(40) };
    await api('PUT', '/sim/tenants/acme', { roll_ms: 2000, running });
    gitea.fail('silent', { path: /^\/labels/ });
    const left = ['rolling acme', 'lock staging: released'];
    const ran = await step('main.cjs', alerting({ 'INPUT_BATCH-SIZE': '1' }), (stdout, kill) => {
      if (!left[0] || !stdout.includes(left[0])) return;
      left.shift();
      kill('SIGTERM');
    });
    expect([ran.code, ran.outputs.outcome]).toEqual([143, 'interrupted']);
    expect(ran.stdout).toContain('warning: alert issue not announced: stopped');
  });

  it.each([
    ['a secret that is not set', { INPUT_TOKEN: '' }, /FLEET_CP_TOKEN is missing/],
    ['a hold that is neither', { INPUT_HOLD: 'maybe' }, /--hold: "maybe" is neither on nor off/],
  ])('%s: the deploy that never began is told of', async (_name, more, why) => {
    const ran = await step('main.cjs', alerting(more));
    expect(ran.code).toBe(2);
    expect(ran.stdout).toMatch(why);
    expect(ran.stdout).toContain('alert: opened issue #1, https://git.example.com/acme/server/issues/1\n');
    expect(gitea.repository.stateOf(SHA, 'fleet/staging')).toBe('error');
  });

  it('a step that was cut off: the post step ends the pending status that it left', async () => {
    const target_url = 'https://git.example.com/acme/server/actions/runs/12?by_index=1';
    gitea.repository.addStatus(SHA, { context: 'fleet/staging', state: 'pending', target_url });
    const ran = await step('post.cjs', { ...alerting(), STATE_started: 'now' });
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(ran.stdout).toContain('commit status fleet/staging: error (abcdef1)');
    expect(gitea.repository.stateOf(SHA, 'fleet/staging')).toBe('error');
    gitea.fail(401);
    const late = await step('post.cjs', { ...alerting(), STATE_started: 'now' });
    expect([late.code, late.stderr]).toEqual([0, '']);
    expect(late.stdout).toContain('warning: commit status not announced');
  });

  it('without what they need they are a usage error', async () => {
    const ran = await step('main.cjs', alerting({ 'INPUT_GITEA-TOKEN': '' }));
    expect(ran.code).toBe(2);
    expect(ran.stdout).toMatch(/ERROR: GITEA_TOKEN: is empty, and --alert-issue cannot write issues/);
    expect(gitea.exchanges).toEqual([]);
  });
});

describe('the post step', () => {
  it('says nothing after a step that finished, or never began', async () => {
    for (const env of [{}, { STATE_started: 'now', STATE_finished: 'true' }]) {
      expect(await step('post.cjs', env)).toMatchObject({ code: 0, stdout: '', stderr: '' });
    }
  });

  it('leaves a rollout alone that the server runs', async () => {
    const ran = await step('post.cjs', { STATE_started: 'now', STATE_watches: 'true' });
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('goes on on the server') });
  });

  it('tells of a step that was cut off', async () => {
    const ran = await step('post.cjs', { STATE_started: 'now' });
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/cut off[\s\S]*had not asked for the lock/);
  });

  /** Kills the step with SIGKILL while it rolls; its state as a runner would read it. */
  async function killed(more: Record<string, string> = {}) {
    // A roll outlives the step that was killed before, and would bring the tenant on target behind our back.
    while ((await openRolls()) > 0) await new Promise((resolve) => setTimeout(resolve, 50));
    await api('PUT', `/sim/images/${TAG}`, { git_sha: SHA });
    const running = { image_tag: 'old', git_sha: '1'.repeat(40) };
    await api('PUT', '/sim/tenants/acme', { behaviour: 'ok', roll_ms: 3000, running });
    let sent = false;
    const env = { 'INPUT_LOCK-TTL': '10m', 'INPUT_BATCH-SIZE': '1', ...more };
    const main = await step('main.cjs', inputs(env), (stdout, kill) => {
      if (sent || !stdout.includes('rolling acme')) return;
      sent = true;
      kill('SIGKILL');
    });
    expect(main.code).toBeNull();
    expect((await lockStatus()).held).not.toBeNull();
    return main;
  }
  const stateOf = (state: Record<string, string>) =>
    Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]));
  const lockStatus = async () => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const answer = await fetch(`${plane.url}/cp/admin/fleet-locks/staging`, { headers });
    return (await answer.json()) as LockStatus;
  };

  it('after SIGKILL of the step: gives its lock back at once', async () => {
    const main = await killed();
    const { session } = JSON.parse(main.state.claim ?? '') as ClaimHandle;
    expect(main.stdout.indexOf(`::add-mask::${session}`)).toBeGreaterThan(-1);
    expect(
      main.stdout.split('\n').filter((line) => line.includes(session) && !/^::add-mask::/.test(line)),
    ).toEqual([]);
    rmSync(claimFile());
    const started = Date.now();
    const ran = await step('post.cjs', inputs(stateOf(main.state)));
    expect(Date.now() - started).toBeLessThan(5_000);
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(ran.stdout).toContain('lock staging: given back');
    expect(withoutMasks(ran.stdout)).not.toMatch(new RegExp(`${session}|${TOKEN}`));
    expect((await lockStatus()).held).toBeNull();
  });

  it('on Gitea the state goes to stdout too, and nothing else carries it', async () => {
    const main = await killed({ GITEA_ACTIONS: 'true' });
    const line = /^::save-state name=claim::(.*)$/m.exec(main.stdout)?.[1] ?? '';
    expect(JSON.parse(line.replaceAll('%25', '%'))).toEqual(JSON.parse(main.state.claim ?? ''));
    const mask = main.stdout.indexOf(`::add-mask::${(JSON.parse(line) as ClaimHandle).session}`);
    expect(mask).toBeGreaterThan(-1);
    expect(mask).toBeLessThan(main.stdout.indexOf('::save-state name=claim'));
    await step('post.cjs', inputs(stateOf(main.state)));
    expect((await lockStatus()).held).toBeNull();
  });

  it('where the runner lost the state, the file in its folder serves', async () => {
    await killed();
    expect(statSync(claimFile()).mode & 0o777).toBe(0o600);
    const ran = await step('post.cjs', inputs());
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(ran.stdout).toContain('lock staging: given back');
    expect((await lockStatus()).held).toBeNull();
    expect(await step('post.cjs', inputs())).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  it.each([
    ['no token', { INPUT_TOKEN: '' }, /FLEET_CP_TOKEN is missing/],
    ['a wrong token', { INPUT_TOKEN: 'another-token' }, /could not be asked/],
    ['no server', { 'INPUT_CONTROL-PLANE': 'http://127.0.0.1:9' }, /could not be asked/],
  ])('%s: says so and does not fail the job', async (_name, more, says) => {
    const claim = { claimId: randomUUID(), session: 'session-of-nobody' };
    const ran = await step('post.cjs', inputs({ ...more, STATE_claim: JSON.stringify(claim) }));
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(ran.stdout).toMatch(says);
    expect(ran.stdout).toContain('free again once the lease runs out');
  });

  it('a claim that somebody else wrote leads nowhere: address and token are those of the inputs', async () => {
    const stranger = await serve();
    try {
      for (const claimId of [randomUUID(), '../../../../x']) {
        const claim = { url: stranger.url, group: '../..', claimId, session: 's' };
        const ran = await step(
          'post.cjs',
          inputs({ STATE_started: 'now', STATE_claim: JSON.stringify(claim) }),
        );
        expect([ran.code, ran.stderr]).toEqual([0, '']);
      }
      expect(stranger.seen).toEqual([]);
    } finally {
      await stranger.close();
    }
  });

  it('the file of the claim is never written or read through a link', async () => {
    const name = 'fleet-claim---.json';
    const target = join(temp, 'elsewhere');
    writeFileSync(target, JSON.stringify({ claimId: randomUUID(), session: 'planted' }));
    symlinkSync(target, join(temp, name));
    expect(await step('post.cjs', inputs())).toMatchObject({ code: 0, stdout: '' });
    await setFleet({ acme: 'ok' });
    await step('main.cjs', inputs());
    expect(readFileSync(target, 'utf8')).toContain('planted');
  });

  it('a state that is no claim is none', async () => {
    for (const state of ['{', '{}', 'null', '[]']) {
      const ran = await step('post.cjs', { STATE_started: 'now', STATE_claim: state });
      expect([ran.code, ran.stderr]).toEqual([0, '']);
    }
  });

  const claimFile = () =>
    join(temp, readdirSync(temp).find((name) => name.startsWith('fleet-claim')) ?? 'none');
  const withoutMasks = (log: string) => log.replace(/^::add-mask::.*$/gm, '');
});
