/** The inputs of the shared composite action, `.gitea/actions/redeploy-fleet`: those of the step, less a few. */
import { type NamedSetting, type SettingName, settingsFor } from './settings.js';

const SECRET = 'a secret of the workflow comes in as it is; nothing has to be written to a file';

/** What the composite does not hand on to the step, and why. */
export const COMPOSITE_LEAVES_OUT: Readonly<Partial<Record<SettingName, string>>> = {
  'token-file': SECRET,
  'lock-token-file': SECRET,
  'gitea-token-file': SECRET,
  'registry-password-file': SECRET,
  'alert-webhook-file': SECRET,
  'no-lock': 'several workflows call it, and only the lock keeps their rolls apart',
  order: 'it is the number of the run; another one would let an older run pass for a newer',
  repository: 'it speaks of the repository whose run calls it',
};

/** The settings that the composite takes, in the order of the table. */
export const compositeSettings = (): NamedSetting[] =>
  settingsFor('redeploy').filter(({ name }) => !(name in COMPOSITE_LEAVES_OUT));
