import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkOptions } from '../../src/config/check-options.js';
import { renderStatus } from '../../src/render/status.js';
import { readStatus } from '../../src/status/status.js';
import { FakeFleet, json, NEW, OLD } from '../helpers/fake-fleet.js';
import { FakeLock } from '../helpers/fake-lock.js';

let fleet: FakeFleet;
beforeEach(async () => {
  fleet = await FakeFleet.start(['acme', 'birch', 'cobalt'], NEW);
});
afterEach(() => fleet.stop());

const look = (over: Parameters<typeof checkOptions>[1] = {}) => {
  const { controlPlane, controlPlaneToken, tenantUrl } = fleet.options;
  return readStatus(
    checkOptions('status', { controlPlane, controlPlaneToken, tenantUrl, lockGroup: 'staging', ...over }),
  );
};
const text = (status: Awaited<ReturnType<typeof look>>) => renderStatus(status).map((line) => line.text);

describe('one look at a fleet', () => {
  it('without a lock, a record or a group: says what it cannot know, and that is no failure', async () => {
    fleet.tenants.set('cobalt', OLD);
    const status = await look();
    expect(status).toMatchObject({ exit_code: 0, lock: { known: false }, last_proven: { known: false } });
    expect(text(status)).toContain(`  1 on ${OLD.slice(0, 7)}: cobalt`);
    expect(text(status).join('\n')).toMatch(/Lock: not known: .*serves no fleet lock/);
    expect(text(await look({ lockGroup: undefined }))).toContain('Lock: not known: no lock group is named');
  });

  it('asks every tenant once and rolls nothing', async () => {
    await look();
    expect(fleet.probes.toSorted()).toEqual(['acme', 'birch', 'cobalt']);
    expect(fleet.rolls).toEqual([]);
  });

  it('asks a large fleet without a word of Node about it', async () => {
    for (let number = 0; number < 30; number++) fleet.tenants.set(`tenant-${number}`, NEW);
    const warned: string[] = [];
    const hear = (warning: Error) => void warned.push(warning.message);
    process.on('warning', hear);
    await look();
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', hear);
    expect(warned).toEqual([]);
  });

  it('gives up on tenants that are silent, and is done in three seconds', async () => {
    fleet.tenants.set('birch', () => {});
    const status = await look();
    expect(status.took_ms).toBeLessThan(3_000);
    expect(status.tenants).toMatchObject({ value: { unread: [{ slug: 'birch', status: 'unreachable' }] } });
  });

  it('tells of the lock what frees it', async () => {
    const lock = new FakeLock(fleet);
    lock.held = 8;
    const holder = { name: 'fleet redeploy staging', actor: 'ann', host: 'laptop', sha: NEW };
    lock.status = (_, response) =>
      lock.show(
        response,
        {},
        { holder, step: 'rolling batch-2', ttl_seconds: 30, last_renew_seconds_ago: 6 },
      );
    const status = await look();
    expect(status.lock).toMatchObject({ known: true, value: { frees_in_seconds: 24 } });
    expect(text(status)).toContain(
      'Lock staging: held by ann@laptop for 5s, commit bbbbbbb, doing: rolling batch-2, frees itself in 24s unless it renews',
    );
  });

  it.each<[string, Parameters<typeof json>[1], RegExp]>([
    ['refuses the token', 401, /does not accept the token/],
    ['is down', 503, /503/],
  ])('a control plane that %s is exit code 5, and said', async (_case, code, why) => {
    fleet.planAnswer = (response) => json(response, code, {});
    const status = await look();
    expect(status).toMatchObject({ exit_code: 5, tenants: { known: false } });
    expect(text(status).join('\n')).toMatch(why);
    expect(fleet.plans).toBe(1);
  });

  it('an empty fleet is no good news', async () => {
    fleet.tenants.clear();
    const [first] = renderStatus(await look());
    expect(first).toMatchObject({ text: expect.stringContaining('lists no tenant'), tone: 'bad' });
  });
});
