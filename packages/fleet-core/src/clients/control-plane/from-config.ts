/** The control plane as a configuration names it, and who asks it. */
import type { Config } from '../../config/config.js';
import type { StageContext } from '../../context.js';
import { CLIENT_HEADER } from '../../contract.js';
import { isWebAddress } from '../../io/address.js';
import { VERSION } from '../../version.js';
import type { CallLog } from './call-log.js';
import { RedeployClient, type RequestPolicy } from './redeploy.js';

/** Says in the log of the control plane who asks: `fleet/1.2.3 redeploy https://ci.example/run/7`. */
export function clientHeader(
  { command, trigger }: Pick<Config, 'command' | 'trigger'>,
  hostname: string,
): Record<string, string> {
  const where = isWebAddress(trigger.runUrl) ? trigger.runUrl : hostname;
  const text = `fleet/${VERSION} ${command} ${where}`;
  return { [CLIENT_HEADER]: text.replace(/[^\x20-\x7e]/g, '?').slice(0, 200) };
}

/** The control plane of a configuration. */
export function redeployClient(
  config: Config,
  hostname: string,
  policy: RequestPolicy,
  context: StageContext,
  calls: CallLog,
): RedeployClient {
  const { controlPlane: url, controlPlaneToken: token } = config;
  return new RedeployClient({ url, token, client: clientHeader(config, hostname) }, policy, context, calls);
}
