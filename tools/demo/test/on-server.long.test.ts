/** The demo of rollouts on the server. */
import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { demo, temp } from './run-demo.js';

it('--on-server: the server that rolls is killed, the other goes on, and nobody is rolled twice', async () => {
  const ran = await demo(['--', '--on-server']);
  expect(ran.output).toMatch(/kill -9 \d+[\s\S]*taken over by[\s\S]*DEPLOYED: staging runs staging-4f2c1a9/);
  expect(ran.output.match(/DEPLOYED/g)).toHaveLength(1);
  // What fleet logs stays whole in a pipe.
  const own = ran.output
    .split('\n')
    .filter((line) => /^(\$|Starting|First|At|That|By|All|Exit) ?/.test(line));
  expect(own.filter((line) => line.length > 80)).toEqual([]);
  expect(ran.output.trim().split('\n').at(-1)).toBe('Exit code 0: one verdict, and nobody was rolled twice.');
  expect([ran.code, readdirSync(temp)]).toEqual([0, []]);
});
