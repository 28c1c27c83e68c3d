import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { atTerminal, checked, fleet, folder, hasPty, TOKEN } from './cli.js';

const temp = folder();
afterAll(() => temp.remove());
writeFileSync(
  join(temp.path, 'fleet.config.yaml'),
  'environments:\n  staging:\n    control-plane: https://staging-api.example.com\n    tenant-url: https://{slug}.example.com\n',
);
const config = (args: string[], env: Record<string, string> = {}) =>
  fleet(['config', ...args], { cwd: temp.path, env });

describe('fleet config', () => {
  it('tells every value and where it comes from, and no secret', async () => {
    const ran = await config(['--soak', '2m'], { FLEET_BATCH_SIZE: '5' });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toContain('soak: 2m  # --soak\n');
    expect(ran.stdout).toContain('batch-size: 5  # FLEET_BATCH_SIZE\n');
    expect(ran.stdout).toContain('# token: hidden  # FLEET_CP_TOKEN\n');
    expect(ran.stdout).not.toContain(TOKEN);
  });

  it('--json is one document', async () => {
    const ran = await config(['--json']);
    const { schema, settings } = checked(ran.stdout);
    expect(schema).toBe('fleet-config/1');
    expect(settings).toContainEqual({
      name: 'lock-group',
      value: 'staging',
      from: 'as environment',
      secret: false,
    });
    expect(ran.stdout).not.toContain(TOKEN);
  });

  it.skipIf(!hasPty).each([80, 40])('keeps to %i columns and breaks no word', async (columns) => {
    const narrow = await atTerminal(columns, ['config'], { cwd: temp.path });
    const whole = await config([]);
    const words = (text: string) => text.split(/\s+/).filter(Boolean);
    expect(words(narrow)).toEqual(words(whole.stdout));
    for (const line of narrow.split('\n')) {
      if (line.length > columns) expect(line.trim()).not.toContain(' ');
    }
  });

  it('a value that no run would take: exit code 2', async () => {
    const ran = await config(['--soak', '5']);
    expect([ran.code, ran.stderr]).toEqual([2, 'error: --soak: "5" has no unit\nnext: write 5s or 5m\n']);
  });

  it('schema prints the schema of the file', async () => {
    const { stdout, code } = await config(['schema']);
    expect([code, JSON.parse(stdout).properties.environments.description]).toEqual([
      0,
      'named environments; their keys win over those at the top',
    ]);
  });
});
