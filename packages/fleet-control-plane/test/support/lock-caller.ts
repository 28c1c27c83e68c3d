import type { Snapshot } from './lock-invariants.js';
import type { Answer, Client } from './plane.js';
import type { Call, Plan } from './reference.js';

/** Sends the calls of a run as clients would, and puts answers and audit log into the words of the reference. */
export class Caller {
  readonly plans: (Plan & { id: string; session: string })[] = [];
  private readonly tokens: number[] = [];
  private seen = 0;

  /** The number that a client sends for a token of the reference; one that was never granted is beyond all. */
  private token = (ordinal: number) => this.tokens[ordinal - 1] ?? 2 ** 52 + ordinal;

  /** @param epoch wall-clock time of the reference's zero. */
  async send(call: Call, client: Client, epoch: number): Promise<string> {
    const plan = 'claim' in call ? this.plans[call.claim] : undefined;
    const session = 'session' in call && call.session === 'other' ? 'another-session' : plan?.session;
    switch (call.do) {
      case 'put':
        return short(await this.put(call, client, session ?? '', 0));
      case 'renew': {
        const body = {
          session,
          fencing_token: this.token(call.token),
          ...(call.step && { step: call.step }),
        };
        const { status, body: said } = await client.post(`claims/${plan?.id}/renew`, body);
        return status === 200 ? `200 held ttl ${said.ttl_seconds * 1000}${drains(said)}` : `${status}`;
      }
      case 'release': {
        const fence = call.token === null ? {} : { fencing_token: this.token(call.token) };
        const { status, body } = await client.post(`claims/${plan?.id}/release`, {
          session,
          ...fence,
          result: call.proven ? 'proven' : 'none',
        });
        return status === 200
          ? `200 ${body.state}${body.already ? ' already' : ''}`
          : `${status} ${body.error}`;
      }
      case 'break': {
        const who = { actor: 'ada', reason: 'why', confirm_alive: call.confirm };
        const { status, body } = await client.post('break', {
          fencing_token: this.token(call.token),
          ...who,
        });
        return `${status} ${body.error ?? body.state}`;
      }
      case 'freeze': {
        const until = call.until === null ? {} : { until: new Date(epoch + call.until).toISOString() };
        const who = { actor: 'ada', reason: 'why', replace: call.replace };
        const { status, body } = await client.post('freeze', { ...who, ...until });
        return `${status} ${body.error ?? 'frozen'}`;
      }
      case 'unfreeze': {
        const { status, body } = await client.post('unfreeze', { actor: 'ada', reason: 'why' });
        return `${status} ${body.error ?? 'unfrozen'}`;
      }
      case 'roll':
        return rollAnswer(await this.roll(call, client));
    }
  }

  put(call: Extract<Call, { do: 'put' }>, client: Client, session: string, wait: number) {
    const { order, ttlMs, maxHoldMs } = call.plan;
    const path = `${client.lock}/claims/${this.plans[call.claim]?.id}?wait_seconds=${wait}`;
    return client.call('PUT', path, {
      session,
      ttl_seconds: ttlMs / 1000,
      holder: { name: call.body === 'own' ? `claim ${call.claim}` : 'somebody else' },
      ...(order && { order }),
      ...(maxHoldMs && { max_hold_seconds: maxHoldMs / 1000 }),
    });
  }

  roll(call: Extract<Call, { do: 'roll' }>, client: Client): Promise<Answer> {
    const group = call.group === 'own' ? client.group : 'another-fleet';
    return client.redeploy(
      { target_tag: `x-${'a'.repeat(40)}`, only_slugs: [call.slow ? 'slow' : 'acme'] },
      call.token === null ? {} : { 'fleet-lock-group': group, 'fleet-fence': String(this.token(call.token)) },
    );
  }

  ordinalOf(token: number): number {
    return this.tokens.indexOf(token) + 1;
  }

  ordinal(answer: string): string {
    return answer.replace(/#(\d+)/, (_, token) => String(this.ordinalOf(Number(token))));
  }

  /** The audit log, one line a row. */
  read(events: Snapshot['events']): string[] {
    for (; this.seen < events.length; this.seen += 1) {
      const event = events[this.seen];
      if (event?.kind === 'granted' && event.token !== null) this.tokens.push(event.token);
    }
    return events.map(({ kind, id }) =>
      id === null ? kind : `${kind} ${this.plans.findIndex((plan) => plan.id === id)}`,
    );
  }
}

const drains = (body: { draining?: unknown }) => (body.draining ? ' draining' : '');

export const rollAnswer = ({ status, body }: Answer) =>
  status === 200 ? '200 rolled' : `${status} ${body.error}`;

export function short({ status, body }: Answer): string {
  if (status === 200)
    return `200 held token #${body.fencing_token} ttl ${body.ttl_seconds * 1000}${drains(body)}`;
  if (status === 202) {
    const behind = body.holder ? body.holder.name.replace('claim ', '') : null;
    const place = `${body.position} of ${body.queue_length}`;
    return `202 queued ${place} behind ${behind}${body.frozen ? ' frozen' : ''}`;
  }
  if (body.error === 'superseded' || body.error === 'outdated')
    return `409 ${body.error} by ${body.by?.number}`;
  return `${status} ${body.error === 'claim_over' ? body.state : body.error}`;
}
