import { Ajv } from 'ajv';
import { expect, it } from 'vitest';
import { lintResult, RULES, sarifOf } from '../src/index.js';
import { deploying } from './check.js';

const text = { type: 'object', required: ['text'], properties: { text: { type: 'string', minLength: 1 } } };
const level = { enum: ['none', 'note', 'warning', 'error'] };
const object = (properties: object, ...required: string[]) => ({ type: 'object', properties, required });

/** What the published schema of SARIF 2.1.0 requires of the parts that are written here, which are all that it may hold. */
const SCHEMA = object(
  {
    $schema: { type: 'string', format: 'uri' },
    version: { const: '2.1.0' },
    runs: {
      type: 'array',
      items: object(
        {
          tool: object(
            {
              driver: object(
                {
                  name: { type: 'string' },
                  rules: {
                    type: 'array',
                    uniqueItems: true,
                    items: object(
                      {
                        id: { type: 'string' },
                        shortDescription: text,
                        fullDescription: text,
                        help: text,
                        defaultConfiguration: object({ level }),
                      },
                      'id',
                    ),
                  },
                },
                'name',
              ),
            },
            'driver',
          ),
          columnKind: { enum: ['utf16CodeUnits', 'unicodeCodePoints'] },
          results: {
            type: 'array',
            items: object(
              {
                ruleId: { type: 'string' },
                ruleIndex: { type: 'integer', minimum: 0 },
                level,
                message: text,
                locations: {
                  type: 'array',
                  items: object({
                    physicalLocation: object(
                      {
                        artifactLocation: object({
                          uri: { type: 'string', pattern: '^[^/\\s][^\\s]*$' },
                          uriBaseId: { type: 'string' },
                        }),
                        region: object({
                          startLine: { type: 'integer', minimum: 1 },
                          startColumn: { type: 'integer', minimum: 1 },
                        }),
                      },
                      'artifactLocation',
                    ),
                  }),
                },
              },
              'message',
            ),
          },
        },
        'tool',
      ),
    },
  },
  'version',
  'runs',
);

const closed = (schema: unknown): unknown => {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(closed);
  const entries = Object.entries(schema).map(([key, value]) => [key, closed(value)]);
  return { ...Object.fromEntries(entries), ...('properties' in schema && { additionalProperties: false }) };
};

it('a result is SARIF 2.1.0, with each finding at its place', () => {
  const path = '.gitea/workflows/a b#.yml';
  const result = lintResult([{ path, text: deploying({ step: 'continue-on-error: true' }) }]);
  const sarif = sarifOf(result);
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(closed(SCHEMA) as object);
  expect(validate(JSON.parse(JSON.stringify(sarif))) || validate.errors).toBe(true);
  const [{ results, tool }] = sarif.runs;
  expect(tool.driver.rules.map(({ id }) => id)).toEqual(RULES.map(({ id }) => id));
  const [finding] = result.findings;
  expect(results).toHaveLength(result.findings.length);
  expect(results[0]).toMatchObject({
    ruleId: finding?.rule,
    level: finding?.severity,
    message: { text: expect.stringContaining(finding?.message ?? '') },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: '.gitea/workflows/a%20b%23.yml' },
          region: { startLine: finding?.line, startColumn: finding?.column },
        },
      },
    ],
  });
  expect(tool.driver.rules[results[0]?.ruleIndex ?? -1]?.id).toBe(finding?.rule);
});

it('nothing found is SARIF too', () => {
  expect(sarifOf(lintResult([])).runs[0].results).toEqual([]);
});
