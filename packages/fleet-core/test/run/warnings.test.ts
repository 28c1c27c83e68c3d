import { expect, test } from 'vitest';
import { FakeFleet } from '../helpers/fake-fleet.js';
import { run } from '../helpers/run.js';

test('a tag that names another commit than the expected one is warned of, and stays what was asked for', async () => {
  const fleet = await FakeFleet.start(['acme']);
  try {
    const { result, sink } = await run({ ...fleet.options, targetTag: 'main-4f2c1a9' });
    expect(result.outcome).toBe('succeeded');
    expect(result.warnings.join()).toContain('the tag main-4f2c1a9 names the commit 4f2c1a9');
    expect(sink.of('warning')[0]?.reason).toContain('main-4f2c1a9');
  } finally {
    await fleet.stop();
  }
});
