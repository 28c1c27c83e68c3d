/** A roll that is refused for as long as another one of the fleet runs. */
import type { Fence, Sent } from '../clients/control-plane/redeploy.js';
import type { StageContext } from '../context.js';
import { oneLine } from '../text/sanitize.js';

/** A refusal comes at once: a call that lasts longer was admitted. */
const REFUSED_WITHIN_MS = 3_000;

/** Tells of it once, and as a step of its own until the roll is admitted. */
export class DrainingWait {
  #waits = false;

  /** @param doing Tells what is being done. @param step What is done once the roll is admitted. */
  constructor(
    private readonly context: Pick<StageContext, 'clock' | 'emit'>,
    private readonly phase: string,
    private readonly doing: (step: string) => void,
    private readonly step: string,
  ) {}

  /** The call was refused. @param own An earlier call of this roll may be the one that runs. */
  refused({ problem }: Sent, own: boolean, fence: Fence | null): void {
    if (this.#waits) return;
    this.#waits = true;
    this.doing('draining');
    const { fencing_token: token, slugs = [], since_seconds: since } = problem?.draining ?? {};
    this.context.emit({
      code: 'call.draining',
      phase: this.phase,
      own: own || (token !== undefined && token === fence?.fencingToken),
      fencing_token: token ?? null,
      slugs: slugs.map((slug) => oneLine(slug, 63)),
      since_ms: since === undefined ? null : Math.round(since * 1000),
    });
  }

  /** Sends once more. */
  async send(call: () => Promise<Sent>): Promise<Sent> {
    if (!this.#waits) return call();
    const admitted = () => {
      this.#waits = false;
      this.doing(this.step);
    };
    const cancel = this.context.clock.timer(REFUSED_WITHIN_MS, admitted);
    return call().finally(cancel);
  }
}
