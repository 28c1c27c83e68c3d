/** Examines what a deploy from here would need, each with what mends it. Sends what a plan sends, and changes nothing. */
import type { Config } from '../config/config.js';
import { layersOf, loadConfig } from '../config/load.js';
import { type Given, sourceOf } from '../config/secrets.js';
import { settingOf } from '../config/settings.js';
import type { RunContext } from '../context.js';
import { isFleetError } from '../errors.js';
import { systemPorts } from '../ports.js';
import { DOCTOR_SCHEMA, type DoctorCheck, type DoctorReport } from '../result/doctor.js';
import { ok, problem, problemOf, skipped, warning } from './check.js';
import { checkControlPlane, checkLock, checkWatch, type TokenSources } from './control-plane.js';
import { checkGitea } from './gitea.js';
import { checkMachine, isPlain, type Machine } from './machine.js';

export type { Machine } from './machine.js';

/**
 * @param given What was typed, with the environment.
 * @param machine The tools of this machine.
 * @returns Every finding, the bad ones too. @throws the reason of `context.signal`.
 */
export async function examine(
  given: Given,
  machine: Machine,
  context: RunContext = {},
): Promise<DoctorReport> {
  const ports = systemPorts(context.ports);
  const signal = context.signal ?? new AbortController().signal;
  const io = { ...ports, emit: () => {}, signal };
  const { config, checks } = await readConfig(given, ports);
  const urls = config ? addressesOf(config) : [];
  checks.push(...(await checkMachine(machine, given.env, urls, ports)));
  if (config?.refusal) checks.push(problem('event', config.refusal.message, config.refusal.next));
  else if (config) {
    const event = config.trigger.event;
    checks.push(ok('event', event ? `${event}: secrets may be sent` : 'a person: no CI names an event'));
    const sources = sourcesOf(given);
    const found = await Promise.all([
      checkControlPlane(config, sources, io),
      checkLock(config, sources, io),
      checkGitea(config, sourceName('gitea-token', given), io),
      checkWatch(config, io),
    ]);
    checks.push(...found.flat(), ...checkWebhook(config, given));
  }
  return {
    schema: DOCTOR_SCHEMA,
    at: new Date(ports.clock.wall()).toISOString(),
    environment: config?.environment ?? null,
    checks,
    exit_code: checks.some(({ state }) => state === 'problem') ? 1 : 0,
  };
}

/** The configuration of a roll; where that is not complete, what is there of it. */
async function readConfig(
  given: Given,
  files: Parameters<typeof loadConfig>[2],
): Promise<{ config: Config | null; checks: DoctorCheck[] }> {
  const checks: DoctorCheck[] = [];
  try {
    const { file } = await layersOf('doctor', given, files);
    checks.push(
      file
        ? ok(
            'configuration',
            `${file.path}${given.flags.config ? ', by --config' : given.env.FLEET_CONFIG ? ', by FLEET_CONFIG' : ', found'}`,
          )
        : warning(
            'configuration',
            'no fleet.config.yaml here or above: all of it comes from flags and variables',
            'write one: fleet init',
          ),
    );
    const config = await loadConfig('doctor', given, files);
    checks.push(ok('settings', 'what a roll needs is there'));
    for (const { url, setting } of plainOf(config))
      checks.push(problem('settings', `${setting}: ${url} can be read on the way`, 'use https://'));
    return { config, checks };
  } catch (error) {
    if (!isFleetError(error) || error.code !== 'USAGE') throw error;
    checks.push(problemOf('settings', error));
  }
  const config = await loadConfig('status', given, files).catch(() => null);
  return { config, checks };
}

const plainOf = ({ gitea }: Config) =>
  gitea?.token && isPlain(gitea.url) ? [{ setting: 'gitea-url', url: gitea.url }] : [];

const addressesOf = ({ controlPlane, lock, gitea, image, tenantUrl }: Config): string[] => [
  ...new Set(
    [controlPlane, lock?.url, gitea?.url, image?.registry, tenantUrl.replace('{slug}', 'x')].filter(
      (url): url is string => !!url && URL.canParse(url),
    ),
  ),
];

function sourceName(
  name: 'token' | 'lock-token' | 'gitea-token' | 'alert-webhook',
  given: Given,
): string | null {
  const from = sourceOf(settingOf(name), given);
  return from ? `${from.option}${from.path === undefined ? '' : ` (${from.path})`}` : null;
}

const sourcesOf = (given: Given): TokenSources => {
  const controlPlane = sourceName('token', given);
  return { controlPlane, lock: sourceName('lock-token', given) ?? controlPlane };
};

/** Its address is a secret, and a try would be read by people. */
function checkWebhook({ announcing }: Config, given: Given): DoctorCheck[] {
  if (!announcing.webhook) return [];
  return [
    skipped(
      'webhook',
      `not tried: people would read it; its address comes from ${sourceName('alert-webhook', given)}`,
    ),
  ];
}
