import { describe, expect, it } from 'vitest';
import { type FleetResult, type Outcome, resultSchema, type TenantStatus } from '../../src/index.js';
import { renderJunit } from '../../src/render/index.js';

function resultOf(outcome: Outcome, tenants: Record<string, TenantStatus>, reason = 'why'): FleetResult {
  const of = (status: TenantStatus) => Object.values(tenants).filter((one) => one === status).length;
  return resultSchema.parse({
    ...{ schema: 'fleet-result/1', outcome, reason, environment: 'staging', lock: null, calls: [] },
    deployed: outcome.startsWith('succeeded'),
    ...{ target_tag: 'main-1', expected_sha: 'b'.repeat(40), exit_code: 0, warnings: [], next: ['look'] },
    ...{ started_at: '2026-01-02T03:00:00.000Z', finished_at: '2026-01-02T03:00:42.500Z' },
    counts: {
      ...{ enumerated: Object.keys(tenants).length, on_target: of('on_target'), stale: of('stale') },
      ...{ unreachable: 0, invalid: 0, unhealthy: 0, excused: of('excused') },
    },
    tenants: Object.entries(tenants).map(([slug, status]) => ({
      ...{ slug, status, phase: null, observed_sha: 'a'.repeat(40), probes: 2, baseline_sha: null },
      ...{ on_target_after_ms: status === 'on_target' ? 1500 : null, detail: null },
    })),
  });
}

/** Each test, and how it came out. */
const casesOf = (xml: string) =>
  [...xml.matchAll(/<testcase classname="staging" name="([^"]*)" time="[\d.]+"(\/>|>\s*<(\w+))/g)].map(
    ([, name, , inner]) => `${name} ${inner ?? 'passed'}`,
  );

describe('a result as JUnit', () => {
  it.each<[Outcome, Record<string, TenantStatus>, string[]]>([
    ['succeeded', { a: 'on_target', b: 'excused' }, ['verdict passed', 'a passed', 'b skipped']],
    [
      'succeeded_with_quarantine',
      { a: 'on_target', b: 'on_target', c: 'stale' },
      ['verdict passed', 'a passed', 'b passed', 'c skipped'],
    ],
    ['failed', { a: 'on_target', b: 'stale' }, ['verdict failure', 'a passed', 'b failure']],
    ['planned', { a: 'stale' }, ['verdict skipped', 'a skipped']],
    ['held', { a: 'stale' }, ['verdict skipped', 'a failure']],
    ['superseded', {}, ['verdict skipped']],
    ['handed_over', {}, ['verdict skipped']],
    ['refused', {}, ['verdict failure']],
    ['control_plane_error', {}, ['verdict failure']],
    ['interrupted', {}, ['verdict failure']],
  ])('%s', (outcome, tenants, cases) => {
    const xml = renderJunit(resultOf(outcome, tenants));
    expect(casesOf(xml)).toEqual(cases);
    const count = (end: string) => cases.filter((one) => one.endsWith(end)).length;
    expect(xml).toContain(
      `<testsuites tests="${cases.length}" failures="${count(' failure')}" skipped="${count(' skipped')}" time="42.500">`,
    );
  });

  it('says why, and nothing in it breaks the document', () => {
    const xml = renderJunit(resultOf('failed', { a: 'on_target', b: 'stale' }, '<b>&"\u0000\ud800'));
    expect(xml).toContain('<failure message="stale: answers aaaaaaa">not rolled, asked 2 times</failure>');
    expect(xml).toContain('&lt;b&gt;&amp;&quot;\ufffd\ufffd\nlook</failure>');
    expect(xml).toContain('name="a" time="1.500"/>');
  });
});
