/** What has to be the case before a fleet is rolled. */
import { usageError } from '../errors.js';
import type { Check } from './check.js';
import type { Config } from './config.js';
import { checkGitea } from './gitea.js';
import { checkImage } from './image.js';
import type { SettingName } from './settings.js';
import { parseSwitch } from './switch.js';

type Gates = Pick<
  Config,
  | 'gitea'
  | 'branch'
  | 'onlyBranch'
  | 'requireContexts'
  | 'killSwitch'
  | 'image'
  | 'hold'
  | 'supersededBy'
  | 'order'
>;

export function checkGates(check: Check, lock: Config['lock']): Gates {
  const { values, gated } = check;
  const { branch = null, killSwitch = null, hold } = values;
  const requireContexts = values.requireContext ?? [];
  if (requireContexts.some((context) => !context)) {
    check.fail(
      'require-context',
      'has an empty name',
      'an empty list of required checks would let everything through',
    );
  }
  // What a rollback leads to is older than the head of its branch.
  const orders = (gated || check.onServer) && check.command !== 'rollback';
  const supersededBy = orders ? supersession(check) : 'off';
  // What tells of a run that never began does so without Gitea, where that is what is missing.
  const announces = check.command === 'announce' && !!values.giteaToken;
  const tells = check.rolls || check.command === 'watch' || announces;
  const users: [SettingName, boolean | undefined][] = [
    ['kill-switch', gated && killSwitch !== null],
    ['require-context', gated && requireContexts.length > 0],
    ['superseded-by', gated && supersededBy === 'head'],
    // What announces nothing needs no right to: a plan runs where secrets are not handed out.
    ['alert-issue', tells && values.alertIssue],
    ['commit-status', tells && values.commitStatus],
  ];
  const gitea = checkGitea(
    check,
    users.filter(([, uses]) => uses).map(([name]) => name),
  );
  if (check.command === 'gates') checkAlone(check, supersededBy);
  if (gated && supersededBy === 'head' && !branch) check.fail('branch', 'is needed by --superseded-by head');
  return {
    gitea,
    branch,
    onlyBranch: values.onlyBranch ?? null,
    requireContexts,
    killSwitch,
    image: gated ? checkImage(check) : null,
    hold: hold === undefined ? null : parseSwitch(hold) === 'armed',
    supersededBy,
    order: supersededBy === 'claim' ? orderOf(check, lock) : null,
  };
}

/** What gates need that are passed without a roll behind them. @throws FleetError `USAGE` where none is configured. */
function checkAlone(check: Check, supersededBy: Config['supersededBy']): void {
  const { expectedSha, hold, image, killSwitch, onlyBranch, requireContext, targetTag } = check.values;
  const ofCommit = !!requireContext?.length || !!image || supersededBy === 'head';
  if (ofCommit) check.need('expected-sha', expectedSha);
  if (image) check.need('target-tag', targetTag);
  if (ofCommit || killSwitch || onlyBranch || hold !== undefined) return;
  throw usageError('no gate is configured: everything would pass', {
    option: check.label('require-context'),
    next: 'give --require-context, --kill-switch, --hold, --image, --only-branch or --superseded-by head',
  });
}

/** What makes this run outdated, where that is not said. */
function supersession({ values }: Check): Config['supersededBy'] {
  if (values.supersededBy) return values.supersededBy;
  // Without a lock there is no claim that could carry an order.
  if (values.order !== undefined && !values.noLock) return 'claim';
  const { branch, giteaToken, repository, giteaUrl } = values;
  return branch && giteaToken && repository && giteaUrl ? 'head' : 'off';
}

function orderOf({ values }: Check, lock: Config['lock']): Config['order'] {
  const { order: number, repository, environment, branch } = values;
  if (number === undefined) return null;
  return { key: `${repository || environment || lock?.group || 'fleet'}@${branch ?? '-'}`, number };
}
