import { describe, expect, it } from 'vitest';
import { type SettingInForce, settingsInForce } from '../../src/config/in-force.js';
import { renderSettings } from '../../src/render/settings.js';

const FILE = `
batch-size: 4
environments:
  staging:
    control-plane: https://cp.example.com
    ephemeral: [e2e-*]
`;

type Given = Parameters<typeof settingsInForce>[0];

/** What is in force, with the file above and the named ones beside it. */
async function inForce(flags: Given['flags'], env: Given['env'] = {}, files: Record<string, string> = {}) {
  const all: Record<string, string> = { 'fleet.config.yaml': FILE, ...files };
  const readFile = async (path: string) => {
    const text = all[path];
    if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    return text;
  };
  const settings = await settingsInForce({ flags, env }, { readFile });
  return { settings, of: (name: string) => settings.find((one) => one.name === name) as SettingInForce };
}

describe('settings in force', () => {
  it.each<[string, Given['flags'], Given['env'], SettingInForce['value'], string | null]>([
    ['soak', { soak: '2m' }, { FLEET_SOAK: '90s' }, '2m', '--soak'],
    ['soak', {}, { FLEET_SOAK: '90s' }, '90s', 'FLEET_SOAK'],
    ['soak', {}, {}, '60s', 'default'],
    ['probe-timeout', {}, { FLEET_PROBE_TIMEOUT: '1500ms' }, '1500ms', 'FLEET_PROBE_TIMEOUT'],
    ['batch-size', {}, {}, 4, 'batch-size in fleet.config.yaml'],
    ['confirmations', {}, {}, 1, 'default'],
    ['ephemeral', {}, {}, ['e2e-*'], 'environments.staging.ephemeral in fleet.config.yaml'],
    ['environment', {}, {}, 'staging', 'the only one in fleet.config.yaml'],
    ['lock-group', {}, {}, 'staging', 'as environment'],
    ['lock-group', { 'lock-group': 'g' }, {}, 'g', '--lock-group'],
    ['lock-url', {}, {}, 'https://cp.example.com', 'as control-plane'],
    ['config', {}, {}, 'fleet.config.yaml', 'found'],
    ['canary', {}, {}, null, null],
  ])('%s, given %j and %j, is %j from %s', async (name, flags, env, value, from) => {
    expect((await inForce(flags, env)).of(name)).toEqual({ name, value, from, secret: false });
  });

  it.each<[Given['flags'], Given['env'], string]>([
    [{ 'token-file': 't' }, { FLEET_CP_TOKEN: 'secret-in-variable' }, '--token-file'],
    [{}, { FLEET_CP_TOKEN: 'secret-in-variable', FLEET_TOKEN_FILE: 't' }, 'FLEET_CP_TOKEN'],
    [{}, { FLEET_TOKEN_FILE: 't' }, 'FLEET_TOKEN_FILE'],
  ])('tells of a secret, given %j and %j, only what gave it', async (flags, env, from) => {
    const { settings, of } = await inForce(flags, env, { t: 'secret-in-file' });
    expect(of('token')).toEqual({ name: 'token', value: null, from, secret: true });
    expect(of('lock-token')).toEqual({ name: 'lock-token', value: null, from: 'as token', secret: true });
    expect(JSON.stringify(settings) + renderSettings(settings).join('\n')).not.toMatch(/secret-in-/);
  });

  it('has every setting but the names of files, once', async () => {
    const names = (await inForce({})).settings.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain('alert-webhook');
    expect(names).not.toContain('token-file');
  });

  it('refuses what a run would refuse', async () => {
    await expect(inForce({ soak: '5' })).rejects.toMatchObject({ code: 'USAGE', option: '--soak' });
    await expect(inForce({}, { FLEET_CANARY: 'NOT_A_SLUG' })).rejects.toMatchObject({
      option: 'FLEET_CANARY',
    });
  });

  it('shows lines that a configuration file takes', async () => {
    const lines = renderSettings(
      (await inForce({ 'tenant-url': 'https://{slug}.example.com', canary: 'no' })).settings,
    );
    expect(lines).toContain('tenant-url: "https://{slug}.example.com"  # --tenant-url');
    expect(lines).toContain('canary: "no"  # --canary');
    expect(lines).toContain('batch-size: 4  # batch-size in fleet.config.yaml');
    expect(lines.at(-1)).toMatch(/^# not set: control-plane-host, /);
  });
});
