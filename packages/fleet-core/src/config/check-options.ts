/** Stage 1: everything that a run needs to know, checked before the first request. */

import { parseTarget } from '../text/target.js';
import { checkAnnouncing } from './alerts.js';
import type { BatchPolicy } from './batch.js';
import { Check, flagLabel, type Label } from './check.js';
import type { Config } from './config.js';
import { checkGates } from './gates.js';
import { checkHandOver } from './hand-over.js';
import { hidden } from './hide.js';
import { checkLock } from './lock.js';
import type { Command, FleetOptions } from './options.js';
import type { SettingName } from './settings.js';
import { checkTarget } from './target.js';
import { askedBy } from './trigger.js';
import { type Receiver, refusalOf } from './trust.js';

/**
 * Checks options and fills in the defaults.
 *
 * @throws FleetError `USAGE` that names the option, what is wrong with it and what is allowed.
 */
export function checkOptions(
  command: Command,
  options: FleetOptions,
  label: Label = flagLabel,
  inFile?: (name: SettingName) => boolean,
  searched?: string,
): Config {
  const check = new Check(command, options, label, inFile, searched);
  const { values } = check;
  const target = checkTarget(check);
  const lock = checkLock(check);
  const gates = checkGates(check, lock);
  const handOver = checkHandOver(check);
  check.done();
  const trigger = values.trigger ?? {};
  const announcing = checkAnnouncing(check, values.environment ?? lock?.group ?? values.lockGroup);
  const config: Config = {
    command,
    environment: values.environment ?? null,
    ...target,
    strategy: values.strategy,
    canary: values.canary ?? null,
    soakMs: values.soakMs,
    ...checkBatches(check),
    maxStragglers: values.maxStragglers,
    ephemeral: values.ephemeral ?? [],
    force: values.force ?? false,
    only: values.only ?? [],
    exclude: values.exclude ?? [],
    minTenants: values.minTenants,
    allowMissing: values.allowMissing ?? [],
    settleBudgetMs: values.settleBudgetMs,
    probeTimeoutMs: values.probeTimeoutMs,
    probeConcurrency: values.probeConcurrency,
    confirmations: values.confirmations,
    lock,
    ...gates,
    handOver,
    announcing,
    watch: { maxAgeMs: values.maxAgeMs, maxLagMs: values.maxLagMs, maxQuietMs: values.maxQuietMs },
    timeoutMs: values.timeoutMs,
    dryRun: check.dryRun,
    trigger,
    askedBy: askedBy(trigger),
    warnings: warningsOf({ ...target, image: gates.image }),
    refusal: null,
  };
  const refusal = refusalOf(check, receiversOf(check, config));
  return hidden(refusal ? withoutSecrets({ ...config, refusal }) : config);
}

/** @throws FleetError `USAGE` for what cannot hold together. */
function checkBatches(check: Check): BatchPolicy {
  const { batchSize, batchGrowth, batchMax, strategy } = check.values;
  if (batchGrowth > 1 && strategy === 'single-call')
    check.fail(
      'batch-growth',
      'the control plane, which rolls the batches of a single call, knows no growth',
      'leave it out, or give --strategy scoped',
    );
  if (batchMax !== undefined && typeof batchSize === 'number' && batchMax < batchSize)
    check.fail('batch-max', `${batchMax} is below the batch size, which is ${batchSize}`);
  return { batchSize, batchGrowth, batchMax: batchMax ?? null };
}

function warningsOf({
  targetTag,
  expectedSha,
  image,
}: Pick<Config, 'targetTag' | 'expectedSha' | 'image'>): string[] {
  const { tag, digest } = parseTarget(targetTag);
  const warnings = commitWarning(tag, expectedSha);
  if (digest && !image)
    warnings.push('no --image is given: the digest of --target-tag goes to the control plane unseen');
  return warnings;
}

/** A tag that ends in a commit says which one it was built from. */
function commitWarning(tag: string, expectedSha: string | null): string[] {
  const [, commit = ''] = /(?:^|[-_.])([0-9a-f]{7,40})$/i.exec(tag) ?? [];
  // A date is made of the same digits.
  const isCommit = /[a-f]/i.test(commit) && /\d/.test(commit);
  if (!isCommit || !expectedSha || expectedSha.startsWith(commit.toLowerCase())) return [];
  const expected = expectedSha.slice(0, commit.length);
  return [
    `the tag ${tag} names the commit ${commit}, and the expected one is ${expected}: one of them is not what is meant`,
  ];
}

/** Every address that the command sends a secret to. */
function receiversOf({ values }: Check, config: Config): Receiver[] {
  const { controlPlane, controlPlaneToken, lock, gitea, image, announcing } = config;
  const receivers: Receiver[] = [];
  if (controlPlaneToken) receivers.push({ setting: 'control-plane', url: controlPlane });
  if (lock) receivers.push({ setting: values.lockUrl ? 'lock-url' : 'control-plane', url: lock.url });
  if (gitea?.token) receivers.push({ setting: 'gitea-url', url: gitea.url });
  if (image?.credentials) receivers.push({ setting: 'image', url: image.registry });
  if (announcing.webhook) receivers.push({ setting: 'alert-webhook', url: announcing.webhook });
  return receivers;
}

/** What is refused cannot leak: there is nothing left to send. */
const withoutSecrets = (config: Config): Config => ({
  ...config,
  controlPlaneToken: '',
  lock: config.lock && { ...config.lock, token: '' },
  gitea: null,
  image: null,
  announcing: { ...config.announcing, webhook: null },
});
