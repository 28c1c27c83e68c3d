import { describe, expect, test } from 'vitest';
import { type Lane, pictureOf } from '../../src/render/page/picture.js';
import { renderSummary } from '../../src/render/summary.js';
import { play, slugAt } from '../helpers/played.js';

const drawn = async (given: Parameters<typeof play>[0]) => {
  const { result } = await play(given);
  return { result, picture: pictureOf(result) };
};
const spansOf = (lane?: Lane) => lane?.spans.map(({ kind, from, to }) => `${kind} ${from}-${to}`);
const marksOf = (lane?: Lane) => lane?.marks.map(({ kind, at }) => `${kind} ${at}`);

describe('the picture of a rollout', () => {
  test('a lane for every tenant, those not proven first, the others as they were rolled', async () => {
    const { picture } = await drawn({
      tenants: 4,
      stuck: ['birch'],
      options: { canary: 'cobalt', maxStragglers: 1 },
    });
    expect(picture?.lanes.map(({ name, proven }) => `${name} ${proven}`)).toEqual([
      'birch false',
      'cobalt true',
      'acme true',
      'dunes true',
    ]);
    expect(picture?.bands.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'wave canary',
      'soak soak',
      'wave batch-1',
    ]);
    const [wave, soak, batch] = picture?.bands ?? [];
    expect(soak).toMatchObject({ to: wave?.to });
    expect(batch).toMatchObject({ from: wave?.to, to: picture?.endMs });
  });

  test('of a tenant: its roll, the old commit, the proof; or that it was given up', async () => {
    const { picture, result } = await drawn({
      tenants: 2,
      stuck: ['birch'],
      options: { confirmations: 2, soakMs: 0 },
    });
    const [birch, acme] = picture?.lanes ?? [];
    const at = (event: string, slug: string) =>
      result.timeline?.find((one) => one.event === event && one.slug === slug)?.at_ms;
    const [answered, flipped, proven] = ['answered', 'flipped', 'proven'].map((what) =>
      at(`tenant.${what}`, 'acme'),
    );
    expect(spansOf(acme)).toEqual([
      `silent 0-${answered}`,
      `other ${answered}-${flipped}`,
      `confirming ${flipped}-${proven}`,
    ]);
    expect(marksOf(acme)).toEqual(['rolled 0', `proven ${proven}`]);
    expect(marksOf(birch)?.[1]).toBe(`given_up ${at('tenant.given_up', 'birch')}`);
    expect(acme?.words).toMatch(
      /^acme, on target: rolled at 0ms, first answer, with another commit, at .*, proven at /,
    );
  });

  test('of many tenants: one lane for each wave, and for each that is not proven', async () => {
    const stuck = [slugAt(3), slugAt(70)];
    const { picture } = await drawn({ tenants: 90, stuck, options: { batchSize: 30, maxStragglers: 5 } });
    expect(picture?.lanes.map(({ name }) => name)).toEqual([
      ...stuck,
      'canary · 1',
      'batch-1 · 29',
      'batch-2 · 30',
      'batch-3 · 28',
    ]);
    expect(picture?.lanes.at(-1)?.marks).toHaveLength(28);
  });

  test('of very many: waves side by side together, and a word on those left out', async () => {
    const stuck = Array.from({ length: 45 }, (_, index) => slugAt(index * 4));
    const { picture } = await drawn({
      tenants: 200,
      stuck,
      options: { canary: '', batchSize: 2, maxStragglers: 60, settleBudgetMs: 15_000 },
    });
    expect(picture).toMatchObject({ left: 5 });
    expect(picture?.lanes.length).toBeLessThanOrEqual(80);
    expect(picture?.lanes[40]?.name).toMatch(/^batch-1 to \d+ · \d+$/);
  });

  test('nothing to draw where nothing was rolled', async () => {
    expect((await drawn({ tenants: 3, options: { hold: 'true' } })).picture).toBeNull();
  });
});

test('the summary draws the same as a chart, whose syntax no name can break', async () => {
  const { result } = await play({ tenants: 3, stuck: ['birch'], options: { maxStragglers: 1 } });
  const named = { ...result.tenants[1], slug: 'birch: crit, 0\n```' };
  const tenants = result.tenants.map((tenant) => (tenant.slug === 'birch' ? named : tenant));
  const timeline = result.timeline?.map((one) => (one.slug === 'birch' ? { ...one, slug: named.slug } : one));
  const summary = renderSummary({ ...result, tenants, timeline } as typeof result);
  const [, chart = ''] = /```mermaid\n(.*?)```/s.exec(summary) ?? [];
  expect(chart.split('\n').slice(0, 2)).toEqual([
    'gantt',
    expect.stringMatching(/^ {2}title \d.* from start to verdict$/),
  ]);
  expect(chart).toMatch(/^ {2}✕ birch_ crit_ 0____ :crit, \d+, \d+$/m);
  expect(chart).toMatch(/^ {2}✓ acme :done, \d+, \d+$/m);
  expect(chart).toMatch(/^ {2}· soak :\d+, \d+$/m);
});
