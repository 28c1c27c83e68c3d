import { expect, test } from 'vitest';
import { issueUrlOf, runUrlOf } from '../../src/config/links.js';
import { resolveOptions } from '../../src/config/resolve.js';

test.each([
  ['https://git.example.com', 'https://git.example.com/o/r/actions/runs/12?by_index=1'],
  ['https://git.example.com/', 'https://git.example.com/o/r/actions/runs/12?by_index=1'],
  ['https://example.com/git//', 'https://example.com/git/o/r/actions/runs/12?by_index=1'],
  ['http://gitea:3000', 'http://gitea:3000/o/r/actions/runs/12?by_index=1'],
])('the page of a run at %s', (webUrl, url) => {
  expect(runUrlOf(webUrl, 'o/r', '12')).toBe(url);
});

test('there is none where a part is missing', () => {
  expect(runUrlOf(undefined, 'o/r', '12')).toBeUndefined();
  expect(runUrlOf('https://git.example.com', '', '12')).toBeUndefined();
  expect(runUrlOf('https://git.example.com', 'o/r', undefined)).toBeUndefined();
});

test('the page of an issue', () => {
  expect(issueUrlOf('https://example.com/git/', 'o/r', 7)).toBe('https://example.com/git/o/r/issues/7');
});

const ci = {
  GITHUB_SERVER_URL: 'http://10.0.0.5:3000',
  GITHUB_REPOSITORY: 'o/r',
  GITHUB_RUN_NUMBER: '12',
};
test.each([
  [
    'what people open',
    { FLEET_GITEA_WEB_URL: 'https://git.example.com/git/', FLEET_GITEA_URL: 'http://x' },
    'https://git.example.com/git',
  ],
  [
    'else the server that is asked',
    { FLEET_GITEA_URL: 'https://git.example.com' },
    'https://git.example.com',
  ],
  ['else what CI names', { FLEET_GITEA_WEB_URL: '' }, 'http://10.0.0.5:3000'],
])('links begin with %s', (_name, env, base) => {
  const { options } = resolveOptions('redeploy', { flags: {}, env: { ...ci, ...env } });
  expect(options.trigger?.runUrl).toBe(`${base}/o/r/actions/runs/12?by_index=1`);
});
