/** Whom a run tells how it ended, as configured. */
import type { Check } from './check.js';

export interface Announcing {
  /** What the alert is about: the environment, else the lock group. */
  name: string;
  issue: boolean;
  commitStatus: boolean;
  /** A secret: whoever knows it can write into the channel. */
  webhook: string | null;
  /** Base of links for people. */
  webUrl: string | null;
}

export const checkAnnouncing = ({ values }: Check, name: string | undefined): Announcing => ({
  name: name ?? 'fleet',
  issue: values.alertIssue ?? false,
  commitStatus: values.commitStatus ?? false,
  webhook: values.alertWebhook ?? null,
  webUrl: values.giteaWebUrl ?? values.giteaUrl ?? null,
});
