import { expect, test } from 'vitest';
import { DOCUMENTS } from '../../src/result/documents/index.js';
import { schemasPage } from './made-schemas.js';

test('docs/schemas.md has every document', async () => {
  await expect(schemasPage()).toMatchFileSnapshot('../../../../docs/schemas.md');
});

test('each document is known by the name that it carries', () => {
  for (const [name, schema] of Object.entries(DOCUMENTS)) expect(schema.shape.schema.value).toBe(name);
});
