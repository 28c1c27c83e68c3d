import { expect, test } from 'vitest';
import { lineTeller, renderEvent } from '../../src/render/index.js';
import { play, slugAt } from '../helpers/played.js';

const told = (events: Awaited<ReturnType<typeof play>>['events'], options = {}) => {
  const tell = lineTeller(options);
  return events.flatMap((event) => {
    const text = tell(event);
    return text === null ? [] : [{ at: Date.parse(event.at), text }];
  });
};

test('a small fleet is told change by change', async () => {
  const { events } = await play({ tenants: 12, options: { batchSize: 4 } });
  expect(told(events).map(({ text }) => text)).toEqual(events.flatMap((event) => renderEvent(event) ?? []));
});

test('of a big fleet only its progress is told, every ten seconds, and who stays behind at once', async () => {
  const stuck = [slugAt(41), slugAt(300)];
  const { events } = await play({ tenants: 400, stuck, options: { batchSize: 10, maxStragglers: 5 } });
  const lines = told(events);
  const progress = lines.filter(({ text }) => text.startsWith('progress: '));
  const gaps = progress.slice(1).map(({ at }, index) => at - (progress[index]?.at ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(10_000);
  expect(progress.at(-1)?.text).toMatch(
    /^progress: \d{3} of 400 tenants on target, batch-\d+ \(\d+\/41\) under way$/,
  );
  for (const slug of stuck)
    expect(lines.filter(({ text }) => text.includes(`${slug}: stale`))).toHaveLength(1);
  expect(lines.length - progress.length).toBeLessThan(20);
  expect(told(events, { verbose: true }).length).toBeGreaterThan(800);
});
