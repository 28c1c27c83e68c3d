/** Section 3: the redeploy call. */
import { slugSchema } from '@tenant-fleet/fleet-core/contract';
import type { Bench, Case } from '../case.js';
import { NO_SUCH_IMAGE, type ScratchFleet } from '../fleet.js';
import { must, Unproven } from '../miss.js';

/**
 * Three brakes: a dry run, of no tenant that there is, to no image that there is. A server that ignores one of them, or
 * two, still rolls nothing.
 */
export const HARMLESS = {
  target_tag: NO_SUCH_IMAGE,
  confirm: true,
  dry_run: true,
  only_slugs: ['conformance-no-such-tenant'],
};

const scratch = ({ fleet }: Bench): ScratchFleet => {
  if (!fleet) throw new Unproven('it needs a scratch fleet');
  return fleet;
};

export const redeploy: Case[] = [
  {
    id: '3.01',
    title: 'The redeploy call needs the token',
    loses: 'whoever reaches the server can roll the fleet',
    async check({ server }) {
      for (const token of [null, 'not-the-token-of-this-server']) {
        const answer = await server.redeploy(HARMLESS, { token });
        must(
          answer.status === 401 || answer.status === 403,
          `${answer} to ${token ? 'a wrong' : 'no'} token`,
        );
      }
    },
  },
  {
    id: '3.02',
    title: 'A request without "confirm" is refused with 400',
    loses: 'an incomplete request rolls the fleet',
    async check({ server }) {
      for (const confirm of [undefined, false]) {
        const answer = await server.redeploy({ ...HARMLESS, confirm });
        must(answer.status === 400, `${answer}, not 400`);
      }
    },
  },
  {
    id: '3.03',
    title: 'A dry run answers rows that say DryRun, or a refusal',
    loses: 'a plan cannot be told from a roll',
    async check({ server }) {
      const answer = await server.redeploy(HARMLESS);
      const { results } = (answer.json ?? {}) as { results?: { ssm_status?: string }[] };
      const rolled = (results ?? []).find(({ ssm_status }) => ssm_status !== 'DryRun');
      must(answer.status < 500 && !rolled, `${answer}${rolled ? ' with a row that is no DryRun' : ''}`);
    },
  },
  {
    id: '3.10',
    title: 'A dry run lists every tenant by slug and phase, and rolls none',
    loses: '`fleet plan` rolls the fleet',
    full: true,
    async check(bench) {
      const fleet = scratch(bench);
      await fleet.unchangedBy(async (slugs) => {
        const rows = await fleet.plan();
        const wrong = rows.find(
          (row) => row.ssm_status !== 'DryRun' || !row.phase || !slugSchema.safeParse(row.slug).success,
        );
        must(
          rows.length > 0 && !wrong,
          `a dry run answered ${rows.length ? 'a row without slug, phase or DryRun' : 'no row'}`,
        );
        must(new Set(slugs).size === slugs.length, 'a dry run lists a tenant twice');
      });
    },
  },
  {
    id: '3.11',
    title: 'Canary and batches are planned as they were asked for',
    loses: 'the whole fleet is rolled before the canary is proven',
    full: true,
    async check(bench) {
      const fleet = scratch(bench);
      const slugs = await fleet.slugs();
      const canary = slugs.at(-1);
      if (slugs.length < 3) throw new Unproven('it needs three tenants');
      const rows = await fleet.plan({ canary_slug: canary, batch_size: 1 });
      must(rows[0]?.slug === canary && rows[0]?.phase === 'canary', 'the canary is not planned first');
      const batches = rows.slice(1).map(({ phase }) => phase);
      must(
        batches.join() === batches.map((_, index) => `batch-${index + 1}`).join(),
        `batches of one are planned as ${batches.slice(0, 4).join(', ')}`,
      );
    },
  },
  {
    id: '3.12',
    title: 'An empty only_slugs is refused with 400, and rolls nothing',
    loses: 'a filter that matched nobody rolls everybody',
    full: true,
    async check(bench) {
      const fleet = scratch(bench);
      const holder = await bench.group.holder();
      await fleet.unchangedBy(async () => {
        const answer = await fleet.roll({ only_slugs: [] }, fleet.fence(holder));
        must(answer.status === 400, `${answer}, not 400`);
      });
    },
  },
];
