/** When what happened to whom, read off the events of a run as they come. */
import type { EventData } from '../events/events.js';
import type { Clock } from '../io/clock.js';
import type { TimelineEntry, TimelineEvent } from '../result/result.js';

type TenantChanged = Extract<EventData, { code: 'tenant.changed' }>;

/** Keeps each thing once for a tenant and its roll, so that a tenant that flaps for an hour fills no document. */
export class Timeline {
  readonly entries: TimelineEntry[] = [];
  readonly #clock: Clock;
  readonly #start: number;
  readonly #expectedSha: string | null;
  readonly #seen = new Map<string, Set<TimelineEvent>>();
  #waiting = false;

  /**
   * @param expectedSha Lower-case commit, or null where none is known.
   * @param sinceMs How long ago the run began, where another process began it.
   */
  constructor(clock: Clock, expectedSha: string | null, sinceMs = 0) {
    this.#clock = clock;
    this.#start = clock.monotonic() - sinceMs;
    this.#expectedSha = expectedSha;
  }

  note(event: EventData): void {
    switch (event.code) {
      case 'lock.waiting':
        // Told at every poll.
        if (!this.#waiting) this.#add(event.code, {});
        this.#waiting = true;
        break;
      case 'lock.acquired':
      case 'lock.draining':
      case 'lock.lost':
        this.#add(event.code, {});
        break;
      case 'wave.started':
        this.#add(event.code, { phase: event.phase });
        for (const slug of event.slugs) {
          this.#seen.delete(slug);
          this.#once('tenant.rolled', slug, { phase: event.phase });
        }
        break;
      case 'wave.proven':
      case 'wave.unproven':
        this.#add(event.code, { phase: event.phase });
        break;
      case 'soak.started':
      case 'soak.passed':
        this.#add(event.code, { slug: event.slug });
        break;
      case 'tenant.changed':
        this.#answer(event);
    }
  }

  /** Takes in what an earlier process of this run has noted. */
  restore(entries: readonly TimelineEntry[]): void {
    for (const { event, slug } of entries) {
      if (slug === undefined) continue;
      const seen = event === 'tenant.rolled' ? undefined : this.#seen.get(slug);
      this.#seen.set(slug, (seen ?? new Set()).add(event as TimelineEvent));
    }
    this.entries.push(...entries);
    this.entries.sort((one, other) => one.at_ms - other.at_ms);
  }

  #answer({ slug, status, observed_sha: sha }: TenantChanged): void {
    if (status === 'on_target') return this.#once('tenant.proven', slug);
    if (sha !== null && sha === this.#expectedSha) this.#once('tenant.flipped', slug);
    else if (sha !== null && this.#fellBack(slug)) this.#once('tenant.flapped', slug);
    else if (sha !== null) this.#once('tenant.answered', slug);
    if (status !== 'waiting') this.#once('tenant.given_up', slug);
  }

  /** It had answered the expected commit. The proof that may follow is told again, once. */
  #fellBack(slug: string): boolean {
    const seen = this.#seen.get(slug);
    if (!seen || seen.has('tenant.flapped')) return false;
    const [flipped, proven] = [seen.delete('tenant.flipped'), seen.delete('tenant.proven')];
    return flipped || proven;
  }

  #once(event: TimelineEvent, slug: string, more: { phase?: string } = {}): void {
    const seen = this.#seen.get(slug) ?? new Set();
    if (seen.has(event)) return;
    this.#seen.set(slug, seen.add(event));
    this.#add(event, { slug, ...more });
  }

  #add(event: TimelineEvent, about: { phase?: string; slug?: string }): void {
    this.entries.push({ at_ms: Math.round(this.#clock.monotonic() - this.#start), event, ...about });
  }
}
