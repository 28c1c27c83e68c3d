/** The OpenAPI document, as people generate clients from it. */
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { beforeAll, expect, it } from 'vitest';
import { openApiDocument } from '../../src/openapi-document.js';

// biome-ignore lint/suspicious/noExplicitAny: an OpenAPI document has no one shape
let document: any;
beforeAll(async () => {
  document = await openApiDocument();
});
const operations = () =>
  // biome-ignore lint/suspicious/noExplicitAny: as above
  Object.values<any>(document.paths).flatMap((path) => Object.values<any>(path));

it('is clean by the rules that its readers go by', async () => {
  const config = await createConfig({
    extends: ['recommended'],
    // What asks for no token and takes no parameter refuses nobody.
    rules: { 'operation-4xx-response': 'off' },
  });
  const source = JSON.stringify(document);
  const problems = await lintFromString({ source, config, absoluteRef: 'openapi.json' });
  expect(
    problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`),
  ).toEqual([]);
});

it('gives every call a name of its own, a tag that is described, and words for its answers', () => {
  const ids = operations().map(({ operationId }) => operationId);
  expect(ids.filter(Boolean)).toHaveLength(new Set(ids).size);
  const tags = document.tags.map(({ name }: { name: string }) => name);
  for (const { operationId, tags: own, responses, summary } of operations()) {
    expect([operationId, own?.length, tags.includes(own?.[0])]).toEqual([operationId, 1, true]);
    expect(summary).toBeTruthy();
    expect(JSON.stringify(responses)).not.toContain('Default Response');
  }
});

it('describes each part of the contract once, with examples that fit it', () => {
  const { schemas } = document.components;
  expect(Object.keys(schemas)).toEqual(
    expect.arrayContaining(['ClaimRequest', 'ClaimHeld', 'Problem', 'Rollout']),
  );
  expect(Object.keys(schemas).filter((name) => /Input$/.test(name))).toEqual([]);
  for (const strict of ['RedeployRequest', 'RolloutOrder'])
    expect(schemas[strict].additionalProperties).toBe(false);
  expect(schemas.ClaimRequest.examples[0]).toMatchObject({ ttl_seconds: 30, order: { number: 7 } });
  // A refusal stands in dozens of places, and is described in one.
  expect(JSON.stringify(document.paths)).not.toContain('"detail"');
});
