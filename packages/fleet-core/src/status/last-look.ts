/** The last look of a watch, as Gitea keeps it on the proven commit. */
import { Gitea } from '../clients/gitea/gitea.js';
import { whyNot } from '../clients/gitea/request.js';
import type { Config } from '../config/config.js';
import type { Http } from '../io/http.js';
import type { Known } from '../result/status.js';
import type { LastLook } from '../result/watch.js';
import { oneLine } from '../text/sanitize.js';

/** Context of the commit status that keeps it. */
export const watchContext = (name: string): string => oneLine(`fleet-watch/${name}`, 100);

const CALL_MS = 2_000;

/** @returns null where no Gitea is configured, or nothing is proven that it could be kept on. */
export async function readLastLook(
  config: Config,
  proven: string | null,
  { http, signal = new AbortController().signal }: { http: Http; signal?: AbortSignal | undefined },
): Promise<Known<LastLook | null> | null> {
  const { gitea, announcing } = config;
  if (!gitea || !proven) return null;
  const read = await new Gitea({ ...gitea, http, signal, timeoutMs: CALL_MS }).statuses(proven);
  if (read.kind !== 'read') return { known: false, why: whyNot(read), next: null };
  const row = read.value.get(watchContext(announcing.name));
  if (!row?.created_at) return { known: true, value: null };
  const well = (row.status ?? row.state) === 'success';
  return { known: true, value: { at: row.created_at, well, says: oneLine(row.description ?? '', 140) } };
}
