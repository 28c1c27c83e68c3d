import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { startPlane, TOKEN } from '../support/plane.js';

it('a control plane that is printed shows neither its token nor the password of its database', async () => {
  const plane = await startPlane({});
  const password = new URL(plane.databaseUrl).password;
  expect(password).toMatch(/^\w{20,}$/);
  for (const shown of [inspect(plane, { depth: 20 }), JSON.stringify(plane)]) {
    expect(shown).toContain(plane.url);
    expect(shown).not.toContain(password);
    expect(shown).not.toContain(TOKEN);
  }
  await plane.close();
}, 60_000);
