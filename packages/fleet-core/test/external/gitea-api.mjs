/**
 * Drives every method of the Gitea client against the fake, and checks each exchange against the API documents that
 * Gitea publishes: path, method, query, request body, status and answer. Build fleet-core first.
 *
 * Usage: node packages/fleet-core/test/external/gitea-api.mjs [FOLDER]; default FLEET_GITEA_API_DIR, else ../shared/data beside the repository. Every
 * gitea-api-*.json in it is checked against; without one there is nothing to do.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const core = createRequire(join(root, 'packages/fleet-core/package.json'));
const Ajv = core('ajv').default;

const OLD = 'a'.repeat(40);
const SHA = 'b'.repeat(40);
const GONE = 'f'.repeat(40);

/** Where servers differ from their own documents, each with its reason. A deviation that never occurs is an error. */
const DEVIATIONS = [
  {
    name: 'an object that is not there is null',
    why: 'Go writes null for a pointer that is nil, and the documents know no null',
    used: false,
  },
  {
    name: 'a status on an unknown commit is answered by 500',
    why: 'documented as 400 or 404; the server reports an internal error',
    used: false,
  },
  {
    name: 'the state of a status comes back in "status"',
    why: 'it is sent in "state"; a client that reads what it sent finds nothing',
    used: false,
  },
  {
    name: 'the list of commits and the variables of an organisation stand in no document here',
    why: 'the documents are a part of the published ones; these two calls are not held against anything',
    used: false,
  },
];
const [NULLS, UNKNOWN_COMMIT, STATUS_FIELD, LEFT_OUT] = DEVIATIONS;
const NOT_IN_DOCUMENTS = /\/repos\/[^/]+\/[^/]+\/commits$|\/orgs\/[^/]+\/actions\/variables\/[^/]+$/;

const { FLEET_GITEA_API_DIR: named } = process.env;
const folder = process.argv[2] ?? (named || join(root, '../shared/data'));
const documents = existsSync(folder)
  ? readdirSync(folder)
      .filter((name) => /^gitea-api-.*\.json$/.test(name))
      .sort()
  : [];
if (!documents.length) {
  console.log('gitea-api: no API document found (gitea-api-*.json), nothing checked');
  process.exit(0);
}
if (!existsSync(join(root, 'packages/fleet-core/dist/index.js'))) {
  console.error('gitea-api: build fleet-core first');
  process.exit(2);
}
const { systemHttp, systemClock } = await import('../../dist/index.js');
const { Gitea, GiteaIssues } = await import('../../dist/program.js');
const { FakeGitea } = await import('../../dist/testing/index.js');

const exchanges = await record().catch((error) => {
  console.error(`gitea-api: the client and the fake do not fit: ${error.message}`);
  process.exit(1);
});
let problems = 0;
for (const name of documents) {
  const found = check(JSON.parse(readFileSync(join(folder, name), 'utf8')));
  for (const problem of found) console.error(`gitea-api: ${basename(name)}: ${problem}`);
  problems += found.length;
}
for (const { name, used } of DEVIATIONS) {
  if (used) continue;
  problems++;
  console.error(`gitea-api: named as a deviation, and never seen: ${name}`);
}
if (problems) process.exit(1);
console.log(
  `gitea-api: ${exchanges.length} exchanges agree with ${documents.map((name) => basename(name, '.json')).join(', ')}`,
);
for (const { name, why } of DEVIATIONS) console.log(`  but for: ${name} (${why})`);

/** Calls each method of the client; rejects where one was forgotten. */
async function record() {
  const fake = await FakeGitea.start({ repository: 'acme/server', token: 'token' });
  const { repository } = fake;
  repository.addCommit(OLD);
  repository.addCommit(SHA, [OLD], 'main');
  repository.variables.set('FREEZE', 'off');
  repository.addStatus(SHA, { context: 'ci', state: 'success' });
  repository.addIssue({ title: 'a pull request', isPull: true });
  const options = {
    url: fake.url,
    token: 'token',
    repository: 'acme/server',
    http: systemHttp(systemClock),
    signal: new AbortController().signal,
  };
  const called = new Set();
  const watched = (client) =>
    new Proxy(client, {
      get: (target, name) => {
        called.add(`${target.constructor.name}.${String(name)}`);
        const value = target[name];
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  const gitea = watched(new Gitea(options));
  const issues = watched(new GiteaIssues(options));
  const kinds = [
    ['read', await gitea.repository()],
    ['read', await gitea.variable('FREEZE')],
    ['absent', await gitea.variable('NONE')],
    ['read', await gitea.branchHead('main')],
    ['read', await gitea.commitsBetween(OLD, SHA)],
    ['read', await gitea.history(SHA, 1)],
    ['read', await gitea.line(SHA)],
    ['absent', await gitea.history(GONE, 1)],
    ['read', await gitea.recentTasks()],
    ...(await Promise.all(
      ['pending', 'success', 'error', 'failure', 'warning'].map(async (state) => [
        'read',
        await gitea.setStatus(SHA, {
          context: 'fleet/staging',
          state,
          description: 'in words',
          target_url: 'https://git.example.com/acme/server/actions/runs/7?by_index=1',
        }),
      ]),
    )),
    [
      'unreadable',
      await gitea.setStatus(GONE, { context: 'fleet/staging', state: 'error', description: '' }),
    ],
    ['read', await gitea.statuses(SHA)],
    ['read', await issues.createLabel({ name: 'fleet-alert', color: '#d73a4a', description: 'in words' })],
    ['read', await issues.labels()],
    ['read', await issues.create({ title: 'a title', body: 'a body' }, [1])],
    ['read', await issues.open()],
    ['read', await issues.open('fleet-alert')],
    ['read', await issues.addLabel(2, 1)],
    ['read', await issues.edit(2, { title: 'another', body: 'another', state: 'closed' })],
    ['read', await issues.comment(2, 'a comment')],
    ['absent', await issues.comment(99, 'to nobody')],
  ];
  const off = await issues.areSwitchedOff();
  await fake.stop();
  if (off) throw new Error('issues count as switched off');
  kinds.forEach(([kind, read], index) => {
    if (read.kind !== kind) throw new Error(`call ${index}: expected ${kind}, got ${JSON.stringify(read)}`);
  });
  for (const { prototype, name } of [Gitea, GiteaIssues]) {
    for (const method of Object.getOwnPropertyNames(prototype)) {
      if (method === 'constructor' || called.has(`${name}.${method}`)) continue;
      throw new Error(`${name}.${method} is not driven here`);
    }
  }
  return fake.exchanges;
}

/** Everything in the exchanges that one document does not know or allow. */
function check(document) {
  const strict = closed(document);
  const ajv = new Ajv({
    strict: false,
    allErrors: true,
    formats: { int64: true, email: true, 'date-time': isDate },
  });
  ajv.addSchema(strict, 'document');
  const validate = (schema, value) => {
    const test = ajv.compile(rebased(schema));
    return test(value)
      ? []
      : test.errors.map(
          ({ instancePath, message, params }) =>
            `${instancePath || 'the whole'} ${message} ${JSON.stringify(params)}`,
        );
  };
  return exchanges.flatMap((exchange) => {
    const at = `${exchange.method} ${exchange.path}`;
    const operation = operationOf(document, exchange);
    if (!operation && exchange.method === 'GET' && NOT_IN_DOCUMENTS.test(exchange.path)) {
      LEFT_OUT.used = true;
      return [];
    }
    if (!operation) return [`${at}: no such path or method`];
    return [
      ...queryProblems(operation, exchange),
      ...bodyProblems(operation, exchange, validate),
      ...answerProblems(document, operation, exchange, validate),
    ].map((problem) => `${at}: ${problem}`);
  });
}

function operationOf({ basePath, paths }, { method, path }) {
  for (const [template, operations] of Object.entries(paths)) {
    const pattern = template.replace(/[.]/g, '\\.').replace(/\{[^}]+\}/g, '[^/]+');
    if (new RegExp(`^${basePath}${pattern}$`).test(path)) return operations[method.toLowerCase()];
  }
  return undefined;
}

function queryProblems(operation, { query }) {
  const known = new Map(
    (operation.parameters ?? []).filter((one) => one.in === 'query').map((one) => [one.name, one]),
  );
  return Object.entries(query).flatMap(([name, value]) => {
    const parameter = known.get(name);
    if (!parameter) return [`query: ${name} is not known`];
    if (parameter.type === 'integer' && !/^\d+$/.test(value))
      return [`query: ${name}=${value} is no integer`];
    if (parameter.enum && !parameter.enum.includes(value)) return [`query: ${name}=${value} is not allowed`];
    return [];
  });
}

function bodyProblems(operation, { body }, validate) {
  const parameter = (operation.parameters ?? []).find((one) => one.in === 'body');
  if (body === null) return parameter?.required ? ['body: is missing'] : [];
  if (!parameter) return ['body: none is expected'];
  return validate(parameter.schema, body).map((problem) => `body: ${problem}`);
}

function answerProblems(document, operation, { path, method, status, answer }, validate) {
  if (status === 500 && method === 'POST' && path.endsWith(`/statuses/${GONE}`)) {
    UNKNOWN_COMMIT.used = true;
    return [];
  }
  const reference = operation.responses[status];
  if (!reference) return [`answer: HTTP ${status} is not documented`];
  const response = reference.$ref ? document.responses[reference.$ref.split('/').at(-1)] : reference;
  if (!response.schema) return [];
  if (answer?.status !== undefined && path.includes('/statuses/')) STATUS_FIELD.used = true;
  return validate(response.schema, withoutNulls(answer)).map((problem) => `answer: ${problem}`);
}

function withoutNulls(value) {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      if (inner !== null) return [[name, withoutNulls(inner)]];
      NULLS.used = true;
      return [];
    }),
  );
}

/** The document with every object closed: a field that it does not name is a mistake of ours. */
function closed(document) {
  const definitions = Object.entries(document.definitions).map(([name, schema]) => [
    name,
    schema.properties ? { ...schema, additionalProperties: false } : schema,
  ]);
  return { definitions: Object.fromEntries(definitions) };
}

function rebased(schema) {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/definitions/', '"document#/definitions/'));
}

function isDate(text) {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(text);
}
