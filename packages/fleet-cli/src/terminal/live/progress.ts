/** What a run has come to, as its events tell it. Times are milliseconds since 1970, as the events carry them. */
import type { FleetEvent } from '@tenant-fleet/fleet-core';

export interface Wave {
  phase: string;
  slugs: string[];
  state: 'to come' | 'rolling' | 'verifying' | 'soaking' | 'proven' | 'not proven';
  /** Its tenants that are on target. */
  proven: Set<string>;
  from: number | null;
  to: number | null;
}

type TenantChanged = Extract<FleetEvent, { code: 'tenant.changed' }>;

const short = (sha: string) => sha.slice(0, 7);

export class Progress {
  title = 'fleet';
  startedAt: number | null = null;
  timeoutMs = 0;
  /** What is being done, since when, and how long it may last where that is known. */
  doing: { what: string; since: number; lastsMs: number | null } = {
    what: 'starting',
    since: 0,
    lastsMs: null,
  };
  waves: Wave[] = [];
  /** Every tenant that the run is about. */
  readonly tenants = new Set<string>();
  readonly onTarget = new Set<string>();
  /** What those answer that are asked and not proven yet. */
  readonly waiting = new Map<string, string>();
  /** Whose time is over, and why. */
  readonly behind = new Map<string, string>();

  follow(event: FleetEvent): void {
    const now = Date.parse(event.at);
    const begin = (what: string, lastsMs: number | null = null) => {
      this.doing = { what, since: now, lastsMs };
    };
    switch (event.code) {
      case 'run.started': {
        const { command, environment, target_tag: tag, expected_sha: sha } = event;
        const target = tag && sha ? `${tag} (${short(sha)})` : (tag ?? (sha ? short(sha) : 'no target'));
        const verb = { redeploy: 'Rolling', plan: 'Planning', verify: 'Verifying' }[command];
        this.title = `${verb} ${environment ?? 'the fleet'}: ${target}`;
        this.startedAt = now;
        this.timeoutMs = event.timeout_ms;
        return begin('at the gates');
      }
      case 'gate.waiting':
        return this.#keep(`waiting for ${event.pending.join(', ')}`, now - event.waited_ms);
      case 'lock.waiting': {
        const whose = event.holder ? `, held by ${event.holder.actor ?? event.holder.name}` : '';
        const what = `place ${event.position} of ${event.queue_length} in the queue of ${event.group}${whose}`;
        return this.#keep(what, now - event.waited_ms);
      }
      case 'lock.draining':
        return this.#keep('waiting for an older roll to end', now - event.since_ms);
      case 'lock.acquired':
        return begin('looking at the fleet');
      case 'plan.ready':
        this.waves = event.waves.map(({ phase, slugs }) => waveOf(phase, slugs));
        for (const slug of [...event.on_target, ...this.waves.flatMap(({ slugs }) => slugs)])
          this.tenants.add(slug);
        for (const slug of event.on_target) this.onTarget.add(slug);
        return begin('planned');
      case 'wave.started':
        Object.assign(this.#wave(event.phase, event.slugs), { state: 'rolling', from: now });
        return begin(`rolling ${event.phase}, wave ${event.wave} of ${event.waves}`);
      case 'verify.started': {
        const wave = this.#current;
        if (wave) wave.state = 'verifying';
        for (const slug of event.slugs) this.tenants.add(slug);
        const what = wave ? `verifying ${wave.phase}` : `verifying ${event.slugs.length} tenants`;
        return begin(what, event.settle_budget_ms);
      }
      case 'soak.started': {
        const wave = this.waves.find(({ slugs }) => slugs.includes(event.slug));
        if (wave) Object.assign(wave, { state: 'soaking', from: wave.from ?? now });
        return begin(`watching canary ${event.slug}`, event.soak_ms);
      }
      case 'wave.proven':
        return this.#end(event.phase, 'proven', now);
      case 'wave.unproven':
        for (const slug of event.stragglers) if (!this.behind.has(slug)) this.behind.set(slug, 'not proven');
        return this.#end(event.phase, 'not proven', now);
      case 'call.retry':
        return begin(`${event.phase}: ${event.reason}, asking again`, event.wait_ms);
      case 'call.unknown':
        return begin(`${event.phase}: the answer was lost, asking the tenants`);
      case 'tenant.changed':
        return this.#hear(event);
      case 'lock.released':
        return begin('telling how it ended');
      case 'run.finished':
        return begin('');
      case 'heartbeat':
        this.doing = {
          what: event.doing,
          since: now - event.elapsed_ms,
          lastsMs: event.left_ms === null ? null : event.elapsed_ms + event.left_ms,
        };
    }
  }

  /** The wave that is under way. */
  get #current(): Wave | undefined {
    return this.waves.find(({ from, to }) => from !== null && to === null);
  }

  /** A planned wave, or one that nobody planned. */
  #wave(phase: string, slugs: string[]): Wave {
    const planned = this.waves.find((wave) => wave.phase === phase);
    if (planned) return planned;
    const wave = waveOf(phase, slugs);
    this.waves.push(wave);
    for (const slug of slugs) this.tenants.add(slug);
    return wave;
  }

  #end(phase: string, state: Wave['state'], now: number): void {
    const wave = this.waves.find((one) => one.phase === phase);
    if (wave) Object.assign(wave, { state, from: wave.from ?? now, to: now });
    this.doing = { what: `${phase} ${state}`, since: now, lastsMs: null };
  }

  /** The same wait, told again with news, goes on. */
  #keep(what: string, since: number): void {
    this.doing = { what, since, lastsMs: null };
  }

  #hear({ slug, status, observed_sha: sha, detail }: TenantChanged): void {
    this.tenants.add(slug);
    const wave = this.waves.findLast(({ slugs }) => slugs.includes(slug));
    this.waiting.delete(slug);
    this.behind.delete(slug);
    if (status === 'on_target') {
      this.onTarget.add(slug);
      wave?.proven.add(slug);
      return;
    }
    this.onTarget.delete(slug);
    wave?.proven.delete(slug);
    const why = detail ?? (sha ? `answers ${short(sha)}` : 'no answer');
    if (status === 'waiting') this.waiting.set(slug, why);
    else this.behind.set(slug, `${status.replaceAll('_', ' ')}, ${why}`);
  }
}

const waveOf = (phase: string, slugs: string[]): Wave => ({
  ...{ phase, slugs, state: 'to come', proven: new Set<string>() },
  ...{ from: null, to: null },
});
