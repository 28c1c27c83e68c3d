/** Which texts are masked in a log, whatever the command does with them. */
import { expect, test } from 'vitest';
import { readSecrets, secretsOf } from '../../src/config/secrets.js';
import { settingOf } from '../../src/config/settings.js';

type Given = Parameters<typeof secretsOf>[0];

const FILES: Record<string, string> = {
  '/typed': 's3cr3t-typed-file\n',
  '/stored': '  s3cr3t-stored-file\n',
  '/empty': ' \n',
};
const files = {
  readFile: async (path: string) => {
    const text = FILES[path];
    if (text === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' });
    return text;
  },
};
const masked = async (flags: Given['flags'], env: Given['env']) =>
  (await secretsOf({ flags, env }, files)).sort();

test.each<[string, Given['flags'], Given['env'], string[]]>([
  ['nothing, where nothing is given', {}, {}, []],
  ['a variable', {}, { FLEET_CP_TOKEN: 's3cr3t' }, ['s3cr3t']],
  ['an input', { token: 's3cr3t' }, {}, ['s3cr3t']],
  ['a file that is typed, without its line end', { 'token-file': '/typed' }, {}, ['s3cr3t-typed-file']],
  ['a file that a variable names', {}, { FLEET_TOKEN_FILE: '/stored' }, ['s3cr3t-stored-file']],
  [
    'those that others win over',
    { token: 's3cr3t-input', 'token-file': '/typed' },
    { FLEET_CP_TOKEN: 's3cr3t-env', FLEET_TOKEN_FILE: '/stored' },
    ['s3cr3t-env', 's3cr3t-input', 's3cr3t-stored-file', 's3cr3t-typed-file'],
  ],
  [
    'every kind, also where the command uses none of them',
    {},
    {
      FLEET_CP_TOKEN: 's3cr3t-cp',
      FLEET_LOCK_TOKEN: 's3cr3t-lock',
      GITEA_TOKEN: 's3cr3t-gitea',
      FLEET_REGISTRY_PASSWORD: 's3cr3t-registry',
      FLEET_ALERT_WEBHOOK: 'https://chat.example.com/s3cr3t',
    },
    ['https://chat.example.com/s3cr3t', 's3cr3t-cp', 's3cr3t-gitea', 's3cr3t-lock', 's3cr3t-registry'],
  ],
  [
    'one that is given twice once',
    {},
    { FLEET_CP_TOKEN: 's3cr3t', FLEET_LOCK_TOKEN: ' s3cr3t ' },
    ['s3cr3t'],
  ],
  [
    'no empty text, which would stand everywhere',
    { token: '', 'token-file': '/empty' },
    { FLEET_CP_TOKEN: '', GITEA_TOKEN: ' ' },
    [],
  ],
  [
    'the others, where one file cannot be read',
    { 'token-file': '/absent' },
    { FLEET_LOCK_TOKEN: 's3cr3t' },
    ['s3cr3t'],
  ],
  ['no setting that is no secret', { 'target-tag': 'main-1' }, { FLEET_CONTROL_PLANE: 'https://cp' }, []],
])('masked: %s', async (_name, flags, env, secrets) => {
  expect(await masked(flags, env)).toEqual(secrets);
});

test.each<[string, Given['flags'], Given['env'], string | undefined]>([
  [
    'of a typed file goes before all',
    { token: 'x', 'token-file': '/typed' },
    { FLEET_CP_TOKEN: 'x' },
    '/typed',
  ],
  [
    'of an input goes before the file of a variable',
    { token: 'x' },
    { FLEET_TOKEN_FILE: '/stored' },
    undefined,
  ],
  ['of a variable goes before it too', {}, { FLEET_CP_TOKEN: 'x', FLEET_TOKEN_FILE: '/stored' }, undefined],
  ['of an empty variable does not', {}, { FLEET_CP_TOKEN: '', FLEET_TOKEN_FILE: '/stored' }, '/stored'],
])('a secret %s', async (_name, flags, env, path) => {
  const secrets = await readSecrets([settingOf('token')], { flags, env }, files);
  expect(secrets).toEqual(path ? { token: FILES[path] } : {});
});
