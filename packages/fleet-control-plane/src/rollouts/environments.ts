/** The environments that this server rolls by itself: its own configuration file, and what a request may change of it. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { isFleetError } from '@tenant-fleet/fleet-core';
import {
  type Config,
  loadConfig,
  POLICY_SETTINGS,
  type PolicyBound,
  parseDuration,
  policyBoundsSchema,
  type SettingName,
  settingOf,
} from '@tenant-fleet/fleet-core/config';
import type { RolloutOrder, RolloutPolicy } from '@tenant-fleet/fleet-core/contract';
import leven from 'leven';
import { Problem } from '../problem.js';
import { SELF_URL } from './self.js';

/** A takeover begins after six seconds of silence: a lease that lives no longer would be lost by then. */
const LOCK_TTL_MIN_MS = 15_000;
/** Settings that name a file with a secret. */
const SECRET_FILES = [
  'token-file',
  'lock-token-file',
  'gitea-token-file',
  'registry-password-file',
  'alert-webhook-file',
] as const satisfies SettingName[];

export interface EnvironmentsFile {
  path: string;
  /** The file, parsed. */
  content: unknown;
}

interface Environment {
  name: string;
  /** Files with secrets, by the name of their setting. */
  files: Partial<Record<SettingName, string>>;
  bounds: Partial<Record<SettingName, PolicyBound>>;
  lockGroup: string;
}

/** Every environment of the file, checked. */
export class Environments {
  private constructor(
    private readonly path: string,
    /** The file without what only a server reads, as JSON. */
    private readonly text: string,
    private readonly known: ReadonlyMap<string, Environment>,
    private readonly token: string | undefined,
  ) {}

  /**
   * @param token Serves where an environment names no file for its own.
   * @throws Error that says what is wrong with which environment.
   */
  static async open({ path, content }: EnvironmentsFile, token: string | undefined): Promise<Environments> {
    const file = mapping(content, path);
    const sections = mapping(file.environments ?? {}, `environments in ${path}`);
    const shared = extract(file, path);
    const known = new Map<string, Environment>();
    const stripped: Record<string, unknown> = {};
    for (const [name, section] of Object.entries(sections)) {
      const own = extract(
        mapping(section ?? {}, `environments.${name} in ${path}`),
        `environments.${name} in ${path}`,
      );
      const environment = {
        name,
        lockGroup: name,
        ...own,
        files: { ...shared.files, ...own.files },
        bounds: { ...shared.bounds, ...own.bounds },
      };
      known.set(name, environment);
      stripped[name] = own.rest;
    }
    if (!known.size)
      throw new Error(`${path} names no environments: this server would have nothing to roll.`);
    const text = JSON.stringify({ ...shared.rest, environments: stripped });
    const environments = new Environments(path, text, known, token);
    for (const environment of known.values()) {
      const config = await environments.resolve(environment, EXAMPLE).catch((error) => {
        throw new Error(`${error.message}${isFleetError(error) && error.next ? ` (${error.next})` : ''}`);
      });
      environment.lockGroup = checkLock(environment.name, path, config);
    }
    return environments;
  }

  get names(): string[] {
    return [...this.known.keys()];
  }

  /** @throws Problem 404 for a name that is none. */
  lockGroupOf = (name: string): string => this.find(name).lockGroup;

  /**
   * The configuration of a rollout. Files with secrets are read anew: a token may have been rotated.
   *
   * @throws Problem 404 for an unknown environment, 422 for what the request may not say.
   */
  async configOf(order: RolloutOrder): Promise<Config> {
    const environment = this.find(order.environment);
    const { policy = {} } = order;
    for (const [name, value] of Object.entries(policy)) checkBound(environment, name, value);
    try {
      const config = await this.resolve(environment, order);
      // Whoever types the next command has neither the server's file nor its secrets.
      const typed = { ...policyAsTyped(order), 'on-server': true };
      return { ...config, order: order.order ?? config.order, typed };
    } catch (error) {
      if (!isFleetError(error) || error.code !== 'USAGE') throw error;
      throw refused(`${error.message}.`, error.next ?? 'Correct the policy and send it again.');
    }
  }

  private async resolve(environment: Environment, order: RolloutOrder): Promise<Config> {
    const { name, files } = environment;
    const folder = dirname(resolve(this.path));
    const flags = {
      config: this.path,
      environment: name,
      ...Object.fromEntries(Object.entries(files).map(([key, file]) => [key, resolve(folder, file)])),
      'target-tag': order.target_tag,
      'expected-sha': order.expected_sha,
      ...policyAsTyped(order),
    };
    const env = this.token === undefined ? {} : { FLEET_CP_TOKEN: this.token };
    const read = (path: string) => (path === this.path ? Promise.resolve(this.text) : readFile(path, 'utf8'));
    return loadConfig('redeploy', { flags, env }, { readFile: read });
  }

  private find(name: string): Environment {
    const found = this.known.get(name);
    if (found) return found;
    const near = this.names
      .map((one) => ({ one, distance: leven(one, name) }))
      .sort((a, b) => a.distance - b.distance)[0];
    const nearest = near && near.distance <= 3 ? near.one : null;
    throw new Problem(
      404,
      'unknown_environment',
      `This server has no environment "${name}".`,
      nearest ? `Did you mean "${nearest}"?` : `It has ${this.names.join(', ')}.`,
      { extra: nearest ? { nearest } : {} },
    );
  }
}

/** What a check of the file takes in place of a request. */
const EXAMPLE: RolloutOrder = {
  environment: '',
  target_tag: 'none',
  expected_sha: '1'.repeat(40),
  holder: { name: 'check of the configuration' },
};

const written = (value: RolloutPolicy[string]) => (typeof value === 'number' ? String(value) : value);

const policyAsTyped = ({ policy = {} }: RolloutOrder) =>
  Object.fromEntries(Object.entries(policy).map(([name, value]) => [name, written(value)]));

function mapping(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new Error(`${where} must be a mapping of names to values.`);
}

/** Takes out what only a server reads, and puts its own address where `self` stands. */
function extract(section: Record<string, unknown>, where: string) {
  const { 'policy-bounds': bounds = {}, environments: _environments, ...rest } = section;
  const files: Partial<Record<SettingName, string>> = {};
  for (const name of SECRET_FILES) {
    const value = rest[name];
    delete rest[name];
    if (value === undefined) continue;
    if (typeof value !== 'string' || !value) throw new Error(`${name} of ${where} must name a file.`);
    files[name] = value;
  }
  for (const name of ['control-plane', 'lock-url']) if (rest[name] === 'self') rest[name] = SELF_URL;
  const parsed = policyBoundsSchema().safeParse(bounds);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Error(
      `policy-bounds of ${where} is not valid at "${issue?.path.join('.')}": ${issue?.message}. It may name ${POLICY_SETTINGS.join(', ')}.`,
    );
  }
  return { rest, files, bounds: parsed.data };
}

/** @returns The lock group. @throws Error where another process could not take the rollout over. */
function checkLock(name: string, path: string, { lock, handOver, dryRun }: Config): string {
  const bad = (what: string) => new Error(`environments.${name} in ${path}: ${what}.`);
  if (handOver) throw bad('on-server names this very server: leave it out');
  if (dryRun || !lock)
    throw bad('a rollout on the server takes the lock, and rolls: leave no-lock and dry-run out');
  if (lock.url !== SELF_URL)
    throw bad('the lock of a rollout on the server is that of this server: write lock-url: self');
  if (lock.ttlMs < LOCK_TTL_MIN_MS)
    throw bad(
      `lock-ttl must be at least ${LOCK_TTL_MIN_MS / 1000}s: another server needs that long to take over`,
    );
  return lock.group;
}

function checkBound(
  { name: environment, bounds }: Environment,
  key: string,
  value: RolloutPolicy[string],
): void {
  const bound = Object.hasOwn(bounds, key) ? bounds[key as SettingName] : undefined;
  if (bound === undefined) {
    const open = Object.keys(bounds);
    throw refused(
      `A request may not say "${key.slice(0, 40)}" for ${environment}.`,
      open.length
        ? `Leave it out: a request may say ${open.join(', ')}.`
        : 'Leave it out: the configuration of the server fixes its policy.',
    );
  }
  if (bound === true) return;
  const { min, max, 'one-of': oneOf } = bound;
  const shown = JSON.stringify(value).slice(0, 80);
  const measure = measureOf(key as SettingName);
  const size = measure(value);
  if ((min !== undefined && !(size >= measure(min))) || (max !== undefined && !(size <= measure(max)))) {
    const range = [min !== undefined && `at least ${min}`, max !== undefined && `at most ${max}`].filter(
      Boolean,
    );
    throw refused(`${key} ${shown} is out of bounds for ${environment}.`, `Give ${range.join(' and ')}.`);
  }
  if (oneOf && ![value].flat().every((one) => oneOf.includes(String(one))))
    throw refused(`${key} ${shown} is out of bounds for ${environment}.`, `Give one of ${oneOf.join(', ')}.`);
}

/** How large a value of a setting is; NaN, which is in no range, for one that has no size. */
function measureOf(name: SettingName): (value: unknown) => number {
  if (settingOf(name).kind !== 'duration') return (value) => Number(value);
  return (value) => {
    try {
      return parseDuration(String(value), name);
    } catch {
      return Number.NaN;
    }
  };
}

const refused = (detail: string, next: string) => new Problem(422, 'policy_refused', detail, next);
