/** The table of rules, in the order of the documentation. */

import { ignoreWithoutReason, unusedIgnore } from './ignore.js';
import type { Rule, RuleText } from './rule.js';
import {
  actionRuntime,
  checkoutMissing,
  hostedAction,
  hostlessAction,
  leakingInput,
  movingRef,
  unknownInput,
} from './rules/actions.js';
import {
  cancelInProgress,
  concurrencyAsLock,
  concurrencyGroupTwice,
  runConcurrency,
} from './rules/concurrency.js';
import {
  cancelledCondition,
  cleanupJob,
  constantCondition,
  deadCondition,
  jobIfStatus,
} from './rules/conditions.js';
import { emptyExpression, envContext, unfilledExpression } from './rules/contexts.js';
import {
  duplicateKey,
  duplicateWorkflowName,
  furtherDocument,
  incompleteWorkflow,
  invalidYaml,
  linkedFile,
  shadowedWorkflow,
} from './rules/files.js';
import { deadFilter, deadSchedule } from './rules/filters.js';
import { ignoredEnvironment, jobTimeout, missingPermission } from './rules/keys.js';
import { lockGroupMismatch, unlockedDeploy } from './rules/locks.js';
import { maskedExitCode, maskedFailure, unreadScript } from './rules/masking.js';
import { deployAfterFailure, deployWithoutNeeds, productionBeforeStaging } from './rules/order.js';
import { unownedPackage } from './rules/packages.js';
import {
  expressionInScript,
  rawResponse,
  secretsInComposite,
  shellTrace,
  tokenArgument,
} from './rules/secrets.js';
import { refusedConfig, refusedSetting } from './rules/settings.js';
import {
  calledDeploy,
  dispatchOnly,
  inertTrigger,
  nestedTrigger,
  untrustedTrigger,
  workflowRunTrigger,
} from './rules/triggers.js';

export const RULE_GROUPS: readonly { title: string; rules: readonly Rule[] }[] = [
  {
    title: 'Files that the server drops',
    rules: [
      invalidYaml,
      furtherDocument,
      linkedFile,
      duplicateKey,
      incompleteWorkflow,
      shadowedWorkflow,
      duplicateWorkflowName,
    ],
  },
  {
    title: 'Triggers',
    rules: [
      workflowRunTrigger,
      inertTrigger,
      dispatchOnly,
      nestedTrigger,
      deadFilter,
      deadSchedule,
      calledDeploy,
      untrustedTrigger,
    ],
  },
  { title: 'Order', rules: [deployWithoutNeeds, deployAfterFailure, productionBeforeStaging] },
  {
    title: 'Conditions',
    rules: [deadCondition, constantCondition, jobIfStatus, cancelledCondition, cleanupJob],
  },
  {
    title: 'Locks',
    rules: [
      lockGroupMismatch,
      unlockedDeploy,
      concurrencyAsLock,
      cancelInProgress,
      concurrencyGroupTwice,
      runConcurrency,
    ],
  },
  {
    title: 'Failures that nobody sees',
    rules: [maskedFailure, maskedExitCode, unreadScript, missingPermission],
  },
  { title: 'Expressions', rules: [envContext, emptyExpression, unfilledExpression] },
  {
    title: 'Secrets',
    rules: [rawResponse, tokenArgument, shellTrace, expressionInScript, secretsInComposite, unownedPackage],
  },
  {
    title: 'Keys and actions',
    rules: [
      ignoredEnvironment,
      jobTimeout,
      movingRef,
      hostlessAction,
      hostedAction,
      checkoutMissing,
      unknownInput,
      refusedSetting,
      refusedConfig,
      leakingInput,
      actionRuntime,
    ],
  },
  { title: 'Ignores', rules: [ignoreWithoutReason, unusedIgnore] },
];

/** All rules, with their checks. */
export const ALL_RULES: readonly Rule[] = RULE_GROUPS.flatMap(({ rules }) => rules);

/** All rules as people read them, in the order of the documentation. */
export const RULES: readonly RuleText[] = ALL_RULES.map(({ check: _check, ...text }) => text);
