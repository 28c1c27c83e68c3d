/** A run as lines, one for each change; few for a fleet so big that nobody would read them. */
import type { FleetEvent } from '../events/events.js';
import { plural } from '../text/words.js';
import { type RenderOptions, renderEvent } from './event.js';

/** From this many tenants, or waves, on each of them is no news any more. */
const MANY_TENANTS = 50;
const MANY_WAVES = 20;
const EVERY_MS = 10_000;

/** @returns The line of the event that comes next, or null where it is not worth one. */
export function lineTeller(options: RenderOptions = {}): (event: FleetEvent) => string | null {
  const tenants = new Set<string>();
  const onTarget = new Set<string>();
  let waves = 0;
  let wave = '';
  let told = Number.NEGATIVE_INFINITY;
  const learn = (event: FleetEvent) => {
    if (event.code === 'plan.ready') {
      waves = event.waves.length;
      for (const slug of event.on_target) onTarget.add(slug);
      for (const slug of [...event.on_target, ...event.waves.flatMap(({ slugs }) => slugs)])
        tenants.add(slug);
    }
    if (event.code === 'verify.started') for (const slug of event.slugs) tenants.add(slug);
    if (event.code === 'wave.started') wave = `, ${event.phase} (${event.wave}/${event.waves}) under way`;
    if (event.code === 'tenant.changed') {
      if (event.status === 'on_target') onTarget.add(event.slug);
      else onTarget.delete(event.slug);
    }
  };
  return (event) => {
    learn(event);
    const isProgress =
      (tenants.size > MANY_TENANTS &&
        event.code === 'tenant.changed' &&
        (event.status === 'on_target' || event.status === 'waiting')) ||
      (waves > MANY_WAVES && ['wave.started', 'wave.proven', 'verify.started'].includes(event.code));
    if (!isProgress || options.verbose) return renderEvent(event, options);
    const now = Date.parse(event.at);
    if (now - told < EVERY_MS) return null;
    told = now;
    return `progress: ${onTarget.size} of ${plural(tenants.size, 'tenant')} on target${wave}`;
  };
}
