/** Whether the token may do at Gitea what the configuration asks for. Writes nothing. */
import { Gitea } from '../clients/gitea/gitea.js';
import { GiteaIssues } from '../clients/gitea/issues.js';
import { type Read, whyNot } from '../clients/gitea/request.js';
import type { Config } from '../config/config.js';
import type { StageContext } from '../context.js';
import type { DoctorCheck } from '../result/doctor.js';
import { oneLine } from '../text/sanitize.js';
import { shortSha } from '../text/words.js';
import { ok, problem, skipped, warning } from './check.js';

const CALL_MS = 10_000;
const OWNERS =
  "a job's own token lacks it: put a token of the owner into a secret and hand it over as GITEA_TOKEN";

/** @param source Where the token comes from; null: there is none. */
export async function checkGitea(
  config: Config,
  source: string | null,
  { http, signal }: Pick<StageContext, 'http' | 'signal'>,
): Promise<DoctorCheck[]> {
  const { gitea: access } = config;
  if (!access) return [skipped('gitea', 'nothing that is configured needs it')];
  const options = { ...access, http, signal, timeoutMs: CALL_MS };
  const gitea = new Gitea(options);
  const repository = await gitea.repository();
  const where = `${access.url} as ${access.repository}`;
  if (repository.kind !== 'read') {
    const next = 'check --gitea-url, --repository and GITEA_TOKEN (scope read:repository)';
    return [problem('gitea', `${where} cannot be read: ${whyNot(repository)}`, next)];
  }
  const token = source ? `the token comes from ${source}` : 'without a token';
  const checks: (DoctorCheck | Promise<DoctorCheck>)[] = [ok('gitea', `${where} can be read, ${token}`)];
  if (config.killSwitch) checks.push(killSwitch(config, gitea));
  if (config.branch) checks.push(branch(config, gitea));
  if (config.announcing.commitStatus) checks.push(mayPush(repository.value.permissions?.push));
  if (config.announcing.issue) checks.push(issues(new GiteaIssues(options), repository.value.has_issues));
  return Promise.all(checks);
}

async function killSwitch(config: Config, gitea: Gitea): Promise<DoctorCheck> {
  const name = 'kill switch';
  const variable = `${config.killSwitch}`;
  const read = await gitea.variable(variable);
  if (read.kind === 'read' || read.kind === 'absent')
    return ok(
      name,
      `${variable} can be read: ${read.kind === 'read' ? oneLine(read.value, 40) || 'empty' : 'not set'}`,
    );
  const says = `${variable} cannot be read: ${whyNot(read)}`;
  if (read.kind === 'forbidden' && config.hold !== null)
    return warning(name, `${says}; the value of --hold counts instead`, OWNERS);
  const next =
    read.kind === 'forbidden'
      ? `${OWNERS}; or pass --hold`
      : 'an unread kill switch stops every roll: look at Gitea';
  return problem(name, says, next);
}

/** The branch, and with it whether the checks of its newest commit can be read. */
async function branch(config: Config, gitea: Gitea): Promise<DoctorCheck> {
  const name = `${config.branch}`;
  const head = await gitea.branchHead(name);
  if (head.kind !== 'read')
    return problem(
      'branch',
      `the head of ${oneLine(name, 80)} cannot be read: ${whyNot(head)}`,
      'check --branch',
    );
  const at = `${oneLine(name, 80)} is at ${shortSha(head.value)}`;
  if (!config.requireContexts.length) return ok('branch', at);
  const read: Read<ReadonlyMap<string, unknown>> = await gitea.statuses(head.value);
  if (read.kind !== 'read') {
    const next = 'give the token read:repository';
    return problem('required checks', `${at}; its checks cannot be read: ${whyNot(read)}`, next);
  }
  const missing = config.requireContexts.filter((context) => !read.value.has(context));
  if (!missing.length) return ok('required checks', `${at}, and every required check is named there`);
  const names = missing.map((one) => JSON.stringify(oneLine(one, 80))).join(', ');
  return warning(
    'required checks',
    `${at}, where ${names} is not named: a check of another name is waited for in vain`,
    'compare --require-context with the checks of the commit',
  );
}

function mayPush(push: boolean | null | undefined): DoctorCheck {
  const name = 'commit status';
  if (push) return ok(name, 'the user of the token may write to the repository; nothing was written');
  const why = push === false ? 'may not' : 'is not known to be allowed to';
  return warning(
    name,
    `the user of the token ${why} write to the repository (--commit-status)`,
    'give it "contents: write" (scope write:repository)',
  );
}

async function issues(client: GiteaIssues, has: boolean | null | undefined): Promise<DoctorCheck> {
  const name = 'alert issue';
  if (has === false)
    return problem(
      name,
      'issues are switched off in the repository',
      'switch them on, or leave --alert-issue out',
    );
  const read = await client.labels();
  if (read.kind === 'read') return ok(name, 'issues can be read; nothing was written');
  return warning(
    name,
    `issues cannot be read: ${whyNot(read)}`,
    'give the token "issues: write" (scope write:issue)',
  );
}
