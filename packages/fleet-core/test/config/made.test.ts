import { expect, test } from 'vitest';
import { optionTypes, reference } from './made.js';

test('the options of the library are those of the settings', async () => {
  await expect(optionTypes()).toMatchFileSnapshot('../../src/config/setting-options.ts');
});

test('docs/settings.md has every setting', async () => {
  await expect(reference()).toMatchFileSnapshot('../../../../docs/settings.md');
});
