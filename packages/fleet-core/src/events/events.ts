import type { WaitedFor } from '../contract.js';
import type { FleetResult, Policy, TenantStatus } from '../result/result.js';

/** What a run tells while it runs. `code` is stable; every text in an event is already safe to print. */
export type FleetEvent = { at: string } & EventData;

export type EventData =
  | {
      code: 'run.started';
      command: 'redeploy' | 'plan' | 'verify';
      environment: string | null;
      target_tag: string | null;
      expected_sha: string | null;
      control_plane: string | null;
      timeout_ms: number;
      /** What the run goes by, as resolved from flags, variables, file and defaults; null for `verify`. */
      policy: Policy | null;
    }
  /** A server runs it from here on; this process only watches. */
  | { code: 'run.handed_over'; id: string; environment: string; control_plane: string }
  /** Another process of the server goes on with the run, for the n-th time. */
  | { code: 'run.taken_over'; takeovers: number; host: string }
  | { code: 'run.paused'; actor: string; reason: string; limit_ms: number }
  | { code: 'run.resumed'; actor: string; reason: string }
  | { code: 'gate.passed'; gate: string; detail: string }
  /** A gate that said no. In a dry run it is shown and not obeyed. */
  | {
      code: 'gate.stopped';
      gate: string;
      outcome: 'refused' | 'held' | 'superseded';
      reason: string;
      obeyed: boolean;
    }
  | { code: 'gate.waiting'; gate: string; pending: string[]; waited_ms: number }
  | {
      code: 'lock.waiting';
      group: string;
      position: number;
      queue_length: number;
      holder: WaitedFor | null;
      waited_ms: number;
    }
  | { code: 'lock.acquired'; group: string; fencing_token: number; waited_ms: number; ttl_ms: number }
  /** The lock server gave no usable answer; it is asked on. Told once for one reason. */
  | { code: 'lock.unanswered'; group: string; reason: string; waited_ms: number }
  /** The lease is held, and not used before the roll under this older token has ended. No slugs: the whole fleet. */
  | {
      code: 'lock.draining';
      group: string;
      fencing_token: number;
      slugs: string[];
      since_ms: number;
      /** How much longer it is waited for. */
      at_most_ms: number;
    }
  /** A renewal got no answer; the lease is usable for `usable_ms` more. */
  | { code: 'lock.renew_failed'; group: string; usable_ms: number; reason: string }
  | { code: 'lock.recovered'; group: string }
  | { code: 'lock.lost'; group: string; reason: string }
  /** Nothing more is granted: this run was asked to freeze the lock behind it. */
  | { code: 'lock.frozen'; group: string; reason: string }
  | { code: 'lock.released'; group: string }
  | { code: 'lock.release_failed'; group: string; reason: string; free_after_ms: number }
  | {
      code: 'plan.ready';
      tenants: number;
      on_target: string[];
      /** `soak_only`: a canary on target that is watched again, and not rolled. */
      waves: { phase: string; slugs: string[]; soak_only?: true }[];
      strategy: 'scoped' | 'single-call';
      dry_run: boolean;
    }
  | { code: 'wave.started'; phase: string; slugs: string[]; wave: number; waves: number }
  | {
      code: 'wave.answered';
      phase: string;
      http_status: number | null;
      ok: boolean | null;
      duration_ms: number;
    }
  | { code: 'wave.proven'; phase: string; slugs: string[]; duration_ms: number }
  | { code: 'wave.unproven'; phase: string; stragglers: string[]; tolerated: boolean }
  | { code: 'call.retry'; phase: string; attempt: number; wait_ms: number; reason: string }
  /**
   * The control plane refuses the roll until one that still runs has ended. Told once, however often it says so. `own`:
   * that one may be of this very run. Null: the control plane does not say; no slugs: the whole fleet, or not said.
   */
  | {
      code: 'call.draining';
      phase: string;
      own: boolean;
      fencing_token: number | null;
      slugs: string[];
      since_ms: number | null;
    }
  /** The answer to a real roll was lost: the tenants are asked what happened. */
  | { code: 'call.unknown'; phase: string; reason: string }
  /** Text of the control plane, masked and bounded; for verbose output only. */
  | { code: 'call.detail'; phase: string; slug: string | null; text: string }
  | { code: 'soak.started'; slug: string; soak_ms: number }
  | { code: 'soak.passed'; slug: string; probes: number }
  | {
      code: 'tenant.changed';
      slug: string;
      status: TenantStatus | 'waiting';
      observed_sha: string | null;
      detail: string | null;
      after_ms: number;
      /** Tenants of this verification that are on target, and how many it has. */
      on_target: number;
      of: number;
    }
  | { code: 'verify.started'; slugs: string[]; settle_budget_ms: number }
  /** Every tenant of a verification was asked once, and `open` are not on target: they are asked on. */
  | { code: 'verify.looked'; on_target: number; of: number; open: string[]; settle_budget_ms: number }
  | { code: 'verify.finished'; on_target: number; of: number; duration_ms: number }
  /** The commit status of the environment; `error` on an earlier commit settles a run that was killed. */
  | {
      code: 'status.shown';
      context: string;
      state: 'pending' | 'success' | 'error' | 'failure' | 'warning';
      sha: string;
    }
  /** The alert issue of the environment; `runs` failed in a row since `since`. */
  | {
      code: 'alert.issue';
      action: 'opened' | 'updated' | 'closed';
      number: number;
      url: string;
      runs: number;
      since: string;
    }
  /** The webhook took a message. */
  | { code: 'alert.sent'; about: 'failure' | 'recovery' }
  | { code: 'warning'; reason: string }
  /**
   * At least every 30 s while nothing else is said: CI servers end jobs that fall silent. Both times are those of what
   * is being done; `left_ms` is null where nobody knows how long it may take.
   */
  | { code: 'heartbeat'; doing: string; elapsed_ms: number; left_ms: number | null }
  | { code: 'run.finished'; result: FleetResult };

export type EventCode = FleetEvent['code'];
