import { describe, expect, test } from 'vitest';
import { checkOptions } from '../../src/config/check-options.js';
import type { Config } from '../../src/config/config.js';
import { claimIdSchema, holderSchema, type WaitedFor } from '../../src/contract.js';
import { claimIdOf } from '../../src/lock/claim-id.js';
import { cleanHolder, holderOf } from '../../src/lock/holder.js';

const SHA = 'b'.repeat(40);

describe('a claim id', () => {
  const trigger = {
    runId: '7',
    runAttempt: '1',
    job: 'deploy',
    runUrl: 'https://git.example.com/o/r/actions/runs/7',
  };

  test('is a valid UUID of version 5, the same every time', () => {
    const id = claimIdOf(trigger, 'staging');
    expect(claimIdSchema.parse(id)).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(claimIdOf({ ...trigger }, 'staging')).toBe(id);
    expect(id).toBe('8a430dbf-3f96-55dd-9c3c-5919935209af');
  });

  test('differs by whatever makes it another claim', () => {
    const ids = [
      claimIdOf(trigger, 'staging'),
      claimIdOf(trigger, 'production'),
      claimIdOf({ ...trigger, runId: '8' }, 'staging'),
      claimIdOf({ ...trigger, runAttempt: '2' }, 'staging'),
      claimIdOf({ ...trigger, job: 'deploy-2' }, 'staging'),
      claimIdOf({ ...trigger, runUrl: 'https://git.example.com/o/other/actions/runs/7' }, 'staging'),
      claimIdOf({ ...trigger, runId: '7","1' }, 'staging'),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('is made by chance outside CI', () => {
    for (const outside of [{}, { ...trigger, runId: undefined }, { ...trigger, job: '' }])
      expect(claimIdOf(outside, 'staging')).toBeUndefined();
  });
});

describe('a holder', () => {
  const config = (rest: Parameters<typeof checkOptions>[1] = {}): Config =>
    checkOptions('redeploy', {
      environment: 'staging',
      controlPlane: 'https://cp.example.com',
      controlPlaneToken: 's3cr3t-value',
      tenantUrl: 'https://{slug}.example.com',
      targetTag: 'staging-1',
      expectedSha: SHA,
      giteaUrl: 'https://git.example.com',
      giteaToken: 's3cr3t-gitea',
      repository: 'o/r',
      branch: 'main',
      ...rest,
    });

  test('says who, for what, from where', () => {
    const runUrl = 'https://git.example.com/o/r/actions/runs/7';
    expect(holderOf(config({ trigger: { actor: 'anna', runUrl } }), 'runner-1')).toEqual({
      name: 'fleet redeploy staging',
      actor: 'anna',
      run_url: runUrl,
      repository: 'o/r',
      branch: 'main',
      sha: SHA,
      host: 'runner-1',
    });
  });

  test.each<[string, Parameters<typeof checkOptions>[1], string]>([
    [
      'everything too long',
      {
        environment: 'e'.repeat(400),
        lockGroup: 'x',
        branch: 'b'.repeat(900),
        repository: `o/${'r'.repeat(900)}`,
        trigger: { actor: 'a'.repeat(900), runUrl: `https://git.example.com/${'r'.repeat(3_000)}` },
      },
      'h'.repeat(900),
    ],
    ['an address that is no web page', { trigger: { runUrl: 'javascript:alert(1)' } }, 'h'],
    ['an address that is none', { trigger: { runUrl: 'o/r/actions/runs/7' } }, 'h'],
    [
      'nothing known',
      { environment: undefined, lockGroup: 'x', branch: undefined, giteaUrl: undefined, trigger: {} },
      '',
    ],
    ['empty texts', { trigger: { actor: '', runUrl: '' } }, ''],
  ])('is one that the lock server takes: %s', (_name, rest, host) => {
    const holder = holderOf(config(rest), host);
    expect(holderSchema.safeParse(holder).error).toBeUndefined();
    expect(JSON.stringify(holder)).not.toContain('s3cr3t');
  });

  test('of somebody else is made safe to print', () => {
    const hostile: WaitedFor = {
      name: 'x\n::error::y',
      actor: '\u001b[31mroot',
      run_url: 'javascript:alert(1)',
      repository: 'r'.repeat(900),
      branch: null,
      sha: '\u202e0',
      host: 'a\tb',
      step: '##[group]',
      held_for_seconds: 5,
      alive: true,
    };
    const clean = cleanHolder(hostile);
    expect(clean).toMatchObject({
      name: 'x : :error: :y',
      actor: '[31mroot',
      step: '# #[group]',
      alive: true,
    });
    expect([clean.sha, clean.host]).toEqual(['0', 'a b']);
    expect([clean.run_url, clean.branch, clean.repository?.length]).toEqual([undefined, undefined, 160]);
    expect(cleanHolder({ name: 'x', run_url: 'https://git.example.com/7' }).run_url).toBe(
      'https://git.example.com/7',
    );
  });
});
