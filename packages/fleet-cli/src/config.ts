/** The configuration of a command, and the secrets that this process knows since. */
import { systemPorts } from '@tenant-fleet/fleet-core';
import {
  type Command,
  type Config,
  type Given,
  loadConfig,
  secretsOf,
} from '@tenant-fleet/fleet-core/config';

const secrets = new Set<string>();

/** @throws FleetError `USAGE` before any request. */
export async function configOf(command: Command, flags: Given['flags']): Promise<Config> {
  const given = { flags, env: process.env };
  const ports = systemPorts();
  for (const secret of await secretsOf(given, ports)) secrets.add(secret);
  return loadConfig(command, given, ports);
}

/** For what nobody foresaw, which may carry anything. */
export function withoutSecrets(text: string): string {
  return [...secrets].reduce((rest, secret) => rest.replaceAll(secret, '[secret]'), text);
}
