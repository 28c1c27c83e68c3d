/** The gate "branch head", where a moved branch supersedes its older commits. */
import { whyNot } from '../clients/gitea/request.js';
import { FleetError } from '../errors.js';
import { oneLine } from '../text/sanitize.js';
import { type Gate, type Gates, gitea, refused } from './gate.js';

export function headGate(io: Gates): Gate[] {
  return io.config.supersededBy === 'head' && io.config.branch
    ? [['branch head', () => checkHead(io, io.config.branch as string)]]
    : [];
}

async function checkHead(io: Gates, branch: string): Promise<string> {
  const { config } = io;
  const read = await gitea(io).branchHead(branch);
  if (read.kind !== 'read')
    throw refused(
      `the head of ${oneLine(branch, 80)} cannot be read: ${whyNot(read)}`,
      'check --branch, --repository and GITEA_TOKEN, or use --superseded-by claim',
    );
  if (config.expectedSha === null || read.value === config.expectedSha)
    return `${oneLine(branch, 80)} is at ${read.value.slice(0, 7)}`;
  throw new FleetError('SUPERSEDED', `${oneLine(branch, 80)} has moved on to ${read.value.slice(0, 7)}`, {
    outcome: 'superseded',
    next: 'nothing to do: the run of the newer commit deploys',
  });
}
