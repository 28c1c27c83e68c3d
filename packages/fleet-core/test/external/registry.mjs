/**
 * The built image gate against a real registry: anonymous, with a password, and with tokens.
 *
 * Arguments: the registry's program, and a folder that holds htpasswd, key.pem and cert.pem.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, sign } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { gzipSync } from 'node:zlib';
import { redeployFleet } from '../../dist/index.js';

const [, , program, folder] = process.argv;
const SHA = 'b'.repeat(40);
const OTHER = 'c'.repeat(40);
const REPOSITORY = 'team/server';
const USER = 'deployer';
const PASSWORD = 'pass-w0rd-of-tests';
const BASIC = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`;
const CREDENTIALS = { registryUser: USER, registryPassword: PASSWORD };
const SERVICE = 'registry of the test';
const ISSUER = 'issuer of the test';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const EMPTY_TAR = Buffer.alloc(1024);
const START_MS = 30_000;

const children = new Set();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
])
  process.on(signal, () => process.exit(code));

const sha256 = (data) => `sha256:${createHash('sha256').update(data).digest('hex')}`;

/** Starts a registry on a port of the system's choice; resolves to its `host:port`. */
async function startRegistry(name, auth) {
  const home = join(folder, name);
  mkdirSync(home);
  const config = join(home, 'config.json');
  // JSON is YAML too.
  const content = {
    version: 0.1,
    log: { level: 'info', formatter: 'json', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(home, 'data') } },
    http: { addr: '127.0.0.1:0', secret: 'of the test' },
    ...(auth && { auth }),
  };
  writeFileSync(config, JSON.stringify(content));
  const child = spawn(program, ['serve', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  children.add(child);
  child.on('exit', () => children.delete(child));
  const said = [];
  const address = new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${name}: does not listen\n${said.join('\n')}`)),
      START_MS,
    );
    const settle = (done) => (value) => {
      clearTimeout(timer);
      done(value);
    };
    child.on('error', settle(reject));
    child.on('exit', () => settle(reject)(new Error(`${name}: ended\n${said.join('\n')}`)));
    createInterface(child.stderr).on('line', (line) => {
      said.push(line);
      const found = /listening on (127\.0\.0\.1:\d+)/.exec(line);
      if (found) settle(resolve)(found[1]);
    });
  });
  return { host: await address, child };
}

async function stop(child) {
  const ended = once(child, 'exit');
  child.kill();
  await ended;
}

/** Pushes what a build pushes, by hand. */
function pusher(host, authorization) {
  const call = async (method, url, status, body, headers = {}) => {
    const answer = await fetch(new URL(url, `http://${host}`), {
      method,
      body,
      headers: { ...headers, ...(authorization && { authorization }) },
    });
    assert.equal(answer.status, status, `${method} ${url}: HTTP ${answer.status}, ${await answer.text()}`);
    return answer;
  };
  const blob = async (data) => {
    const started = await call('POST', `/v2/${REPOSITORY}/blobs/uploads/`, 202);
    const place = new URL(started.headers.get('location'), `http://${host}`);
    place.searchParams.set('digest', sha256(data));
    await call('PUT', place.href, 201, data, { 'content-type': 'application/octet-stream' });
    return { digest: sha256(data), size: data.length };
  };
  const manifest = async (reference, document) => {
    const text = JSON.stringify({ schemaVersion: 2, ...document });
    const url = `/v2/${REPOSITORY}/manifests/${reference ?? sha256(text)}`;
    const answer = await call('PUT', url, 201, text, { 'content-type': document.mediaType });
    return { digest: answer.headers.get('docker-content-digest'), size: text.length };
  };
  const image = async (reference, revision) => {
    const layer = gzipSync(EMPTY_TAR);
    const config = Buffer.from(
      JSON.stringify({
        architecture: 'amd64',
        os: 'linux',
        config: revision === null ? {} : { Labels: { 'org.opencontainers.image.revision': revision } },
        rootfs: { type: 'layers', diff_ids: [sha256(EMPTY_TAR)] },
      }),
    );
    return manifest(reference, {
      mediaType: MANIFEST,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...(await blob(config)) },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...(await blob(layer)) }],
    });
  };
  const index = async (reference, revision) => {
    const entry = (child, os, architecture) => ({
      mediaType: MANIFEST,
      ...child,
      platform: { os, architecture },
    });
    return manifest(reference, {
      mediaType: INDEX,
      manifests: [
        entry(await image(null, null), 'unknown', 'unknown'),
        entry(await image(null, OTHER), 'linux', 'arm64'),
        entry(await image(null, revision), 'linux', 'amd64'),
      ],
    });
  };
  return { image, index };
}

/** A fleet of one tenant that runs whatever is rolled; it is not what is tried here. */
const fleet = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  response.setHeader('content-type', 'application/json');
  if (request.method === 'GET') return response.end(JSON.stringify({ git_sha: SHA }));
  const plan = JSON.parse(body).dry_run === true;
  response.end(
    JSON.stringify({ ok: true, results: [{ slug: 'acme', ssm_status: plan ? 'DryRun' : 'Success' }] }),
  );
});

/** Hands out the tokens that the registry believes, to whoever has the password. */
const tokens = createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  const url = new URL(request.url, 'http://127.0.0.1');
  const anonymous = request.headers.authorization === undefined && readable === 'everybody';
  if (
    (request.headers.authorization !== BASIC && !anonymous) ||
    url.searchParams.get('service') !== SERVICE
  ) {
    response.statusCode = 401;
    return response.end(JSON.stringify({ errors: [{ code: 'UNAUTHORIZED' }] }));
  }
  const [, name, actions] = url.searchParams.get('scope')?.split(':') ?? [];
  response.end(JSON.stringify({ token: mint(name, actions.split(',')) }));
});
let readable = 'nobody';

function mint(name, actions) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const certificate = readFileSync(join(folder, 'cert.pem'), 'utf8').replace(/-----.*-----|\s/g, '');
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: ISSUER,
    aud: SERVICE,
    sub: USER,
    jti: String(now),
    iat: now,
    nbf: now - 60,
    exp: now + 300,
    access: [{ type: 'repository', name, actions }],
  };
  const signed = `${part({ typ: 'JWT', alg: 'ES256', x5c: [certificate] })}.${part(claims)}`;
  const key = { key: readFileSync(join(folder, 'key.pem'), 'utf8'), dsaEncoding: 'ieee-p1363' };
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
}

const listen = async (server) => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${server.address().port}`;
};

const fleetUrl = await listen(fleet);
const tokenUrl = await listen(tokens);

/** Runs the whole pipeline, and checks how it ends and what it says. */
async function expectRun(name, options, outcome, said, meanwhile = async () => {}) {
  const events = [];
  let waited;
  const result = await redeployFleet(
    {
      controlPlane: fleetUrl,
      controlPlaneToken: 'token-of-the-fleet',
      tenantUrl: `${fleetUrl}/{slug}`,
      expectedSha: SHA,
      noLock: true,
      imageWaitMs: 0,
      timeoutMs: 60_000,
      ...options,
    },
    {
      ports: {
        emit: (event) => {
          events.push(event);
          if (event.code === 'gate.waiting') waited ??= meanwhile();
        },
      },
    },
  );
  await waited;
  const passed = events.find((event) => event.code === 'gate.passed' && event.gate === 'image');
  const text = outcome === 'succeeded' ? (passed?.detail ?? '(the gate was not passed)') : result.reason;
  assert.equal(result.outcome, outcome, `${name}: ${result.reason}`);
  assert.ok(text.includes(said), `${name}: ${JSON.stringify(text)} lacks ${JSON.stringify(said)}`);
  assert.ok(!JSON.stringify(events).includes(PASSWORD), `${name}: the password is in an event`);
  console.log(`ok  ${name}: ${text}`);
}

/** What holds in each way of signing in. */
async function expectGate(way, host, push, credentials) {
  const image = `${host}/${REPOSITORY}`;
  const options = { image, ...credentials };
  await expectRun(`${way}, absent`, { ...options, targetTag: 'absent' }, 'refused', 'there is no such tag');
  const one = await push.image('one', SHA);
  await expectRun(`${way}, image`, { ...options, targetTag: 'one' }, 'succeeded', one.digest.slice(0, 19));
  const many = await push.index('many', SHA);
  await expectRun(`${way}, index`, { ...options, targetTag: 'many' }, 'succeeded', many.digest.slice(0, 19));
  await push.image('moved', OTHER);
  await expectRun(
    `${way}, other commit`,
    { ...options, targetTag: 'moved' },
    'refused',
    `built from ${OTHER}`,
  );
  await push.image('bare', null);
  await expectRun(`${way}, no label`, { ...options, targetTag: 'bare' }, 'refused', 'cannot be proven');
  const late = { ...options, targetTag: 'late', imageWaitMs: 2_000 };
  await expectRun(`${way}, late`, late, 'succeeded', 'built from bbbbbbb', () => push.image('late', SHA));
}

const wrong = { registryUser: USER, registryPassword: 'wr0ng-password' };
const DENIED = 'does not accept the credentials';
const LOCKED = 'without credentials';

try {
  const open = await startRegistry('anonymous');
  const away = { image: `${open.host}/team/other`, targetTag: 'one' };
  await expectRun('anonymous, no repository', away, 'refused', 'there is no such tag');
  await expectGate('anonymous', open.host, pusher(open.host), {});
  await stop(open.child);
  const gone = { image: `${open.host}/${REPOSITORY}`, targetTag: 'one' };
  await expectRun('stopped', gone, 'refused', 'connection refused');

  const basic = await startRegistry('basic', {
    htpasswd: { realm: 'registry', path: join(folder, 'htpasswd') },
  });
  await expectGate('basic', basic.host, pusher(basic.host, BASIC), CREDENTIALS);
  const closed = { image: `${basic.host}/${REPOSITORY}`, targetTag: 'one' };
  await expectRun('basic, wrong password', { ...closed, ...wrong }, 'refused', DENIED);
  await expectRun('basic, no password', closed, 'refused', LOCKED);
  await stop(basic.child);

  const bearer = await startRegistry('bearer', {
    token: {
      realm: `${tokenUrl}/token`,
      service: SERVICE,
      issuer: ISSUER,
      rootcertbundle: join(folder, 'cert.pem'),
    },
  });
  const push = pusher(bearer.host, `Bearer ${mint(REPOSITORY, ['pull', 'push'])}`);
  await expectGate('bearer', bearer.host, push, CREDENTIALS);
  const guarded = { image: `${bearer.host}/${REPOSITORY}`, targetTag: 'one' };
  await expectRun('bearer, wrong password', { ...guarded, ...wrong }, 'refused', DENIED);
  await expectRun('bearer, no password', guarded, 'refused', LOCKED);
  readable = 'everybody';
  await expectRun('bearer, token for everybody', guarded, 'succeeded', 'built from bbbbbbb');
} finally {
  for (const server of [fleet, tokens]) {
    server.closeAllConnections();
    server.close();
  }
  await Promise.all([...children].map(stop));
}
