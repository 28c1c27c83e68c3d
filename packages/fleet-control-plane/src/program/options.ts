import { lockGroupSchema } from '@tenant-fleet/fleet-core/contract';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { ControlPlaneOptions } from '../control-plane.js';
import { REQUESTS_MAX } from '../http/limit.js';
import { MODES, type Mode } from '../modes.js';
import { LOG_LEVELS, type LogLevel } from '../operation/logger.js';
import { tenantNames } from '../sim/names.js';
import { version } from '../version.js';
import { addConfig, type ConfigFlags, rolloutsOf } from './config-file.js';
import { readFleet, readTls, readTokens } from './files.js';
import { addGateway, type GatewayFlags, upstreamOf } from './gateway.js';
import { type PruneFlags, type PruneSettings, pruneCommand } from './prune.js';
import { UsageError } from './read.js';
import { type RestoreFlags, type RestoreSettings, restoreCommand } from './restore-check.js';
import { tokenCommand } from './token.js';

export interface Settings {
  options: ControlPlaneOptions;
  /** Print one JSON line when ready instead of text. */
  json: boolean;
  /** Log JSON objects from this level on; undefined: lines of text. */
  logLevel: LogLevel | undefined;
  /** Stop when standard input ends. */
  stdin: boolean;
  /** Stop when this process is gone. */
  parentPid: number | undefined;
}

export type Parsed =
  | { kind: 'run'; settings: Settings }
  | { kind: 'openapi' }
  | { kind: 'print'; text: string }
  | { kind: 'restore'; settings: RestoreSettings }
  | { kind: 'prune'; settings: PruneSettings }
  | { kind: 'exit'; code: number };

interface Flags extends GatewayFlags, ConfigFlags {
  port: number;
  host: string;
  tenantPort: number;
  tokenFile?: string;
  tokensFile?: string;
  tlsCert?: string;
  tlsKey?: string;
  databaseUrl?: string;
  dataDir?: string;
  mode: Mode;
  lockGroup: string;
  group?: string[];
  queueLimit: number;
  requestLimit: number;
  fleet?: string;
  tenants?: number;
  legacy?: boolean;
  legacyCanary?: boolean;
  json?: boolean;
  logFormat: 'text' | 'json';
  logLevel: LogLevel;
  openapi?: boolean;
  stdin?: boolean;
  parentPid?: number;
}

const integer = (min: number, max: number) => (text: string) => {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max))
    throw new InvalidArgumentError(`must be an integer from ${min} to ${max}.`);
  return value;
};

const groupName = (text: string) => {
  if (!lockGroupSchema.safeParse(text).success)
    throw new InvalidArgumentError('must match ^[a-z0-9][a-z0-9._-]{0,62}$.');
  return text;
};

function command(): Command {
  // Positional: what stands after "token" is for "token".
  const program = new Command('fleet-control-plane')
    .description('Control plane: the fleet lock, alone or in front of whatever rolls the fleet.')
    .version(version)
    .option('--port <n>', 'port of the control plane, 0 for any free one', integer(0, 65535), 0)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--tenant-port <n>', 'port of the simulated tenants, 0 for any free one', integer(0, 65535), 0)
    .option(
      '--token-file <file>',
      'file with a token that may do everything; else the variable FLEET_CP_TOKEN',
    )
    .option(
      '--tokens-file <file>',
      'YAML or JSON file with named tokens, read again when it changes; else the variable FLEET_CP_TOKENS_FILE',
    )
    .option('--tls-cert <file>', 'PEM certificate chain to serve TLS with; needs --tls-key')
    .option('--tls-key <file>', 'PEM private key of --tls-cert')
    .option(
      '--database-url <url>',
      'PostgreSQL to use; else the variable DATABASE_URL; else an embedded server',
    )
    .option(
      '--data-dir <folder>',
      'where the embedded server keeps its data; else a temporary folder, removed at the end',
    )
    .addOption(
      new Option(
        '--mode <mode>',
        'sim: rolls a simulated fleet; gateway: hands rolls to the control plane of --upstream; lock: the lock alone',
      )
        .choices(MODES)
        .default('sim'),
    )
    .option('--lock-group <name>', 'lock group that guards the fleet', groupName, 'staging')
    .option(
      '--group <name>',
      'a lock group that exists; repeatable; without it every valid name does',
      (name: string, all: string[] = []) => [...all, groupName(name)],
    )
    .option('--queue-limit <n>', 'most claims that wait in one group', integer(1, 10_000), 100)
    .option(
      '--request-limit <n>',
      'most requests of one client (a token at an address) in ten seconds, but renewals and releases; 0 for none',
      integer(0, 1_000_000),
      REQUESTS_MAX,
    )
    .option('--fleet <file>', 'YAML or JSON file that describes the simulated fleet')
    .option('--tenants <n>', 'simulate N tenants with made-up names', integer(1, 10_000))
    .option('--legacy', 'behave as a control plane without locks, fences and proofs')
    .option('--legacy-canary', 'ignore a canary that is no tenant instead of refusing it')
    .addOption(
      new Option(
        '--log-format <format>',
        'text: what an operator should know; json: requests and transitions too',
      )
        .choices(['text', 'json'])
        .default('text'),
    )
    .addOption(
      new Option('--log-level <level>', 'least level of --log-format json; debug shows polls and renewals')
        .choices(LOG_LEVELS)
        .default('info'),
    )
    .option('--json', 'print one JSON line when ready, for programs')
    .option('--openapi', 'print the OpenAPI document and exit')
    .option('--stdin', 'stop when standard input ends')
    .option('--parent-pid <pid>', 'stop when this process is gone', integer(1, 2 ** 31 - 1))
    .action(() => {})
    .enablePositionalOptions()
    .showHelpAfterError(false)
    .configureOutput({
      writeErr: (text) =>
        process.stderr.write(
          `${text
            .trim()
            .replace(/^error: /, 'fleet-control-plane: ')
            .replaceAll('\n', ' ')}\n`,
        ),
    })
    .exitOverride();
  return addConfig(addGateway(program));
}

/** Reads flags, environment and files. What is wrong is one line on standard error, and exit code 2. */
export async function parseArguments(argv: string[], env: NodeJS.ProcessEnv): Promise<Parsed> {
  try {
    const program = command();
    let other: Parsed | undefined;
    program.addCommand(
      tokenCommand((text) => {
        other = { kind: 'print', text };
      }).copyInheritedSettings(program),
    );
    program.addCommand(
      restoreCommand((flags) => {
        other = { kind: 'restore', settings: restoreSettings(flags, env) };
      }).copyInheritedSettings(program),
    );
    program.addCommand(
      pruneCommand((flags) => {
        other = { kind: 'prune', settings: pruneSettings(flags, env) };
      }).copyInheritedSettings(program),
    );
    const flags = program.parse(argv, { from: 'user' }).opts<Flags>();
    if (other) return other;
    if (flags.openapi) return { kind: 'openapi' };
    return { kind: 'run', settings: await settingsOf(flags, env) };
  } catch (error) {
    if (error instanceof CommanderError) return { kind: 'exit', code: error.exitCode === 0 ? 0 : 2 };
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`fleet-control-plane: ${error.message}\n`);
    return { kind: 'exit', code: 2 };
  }
}

/** The database that flags and environment name; a folder goes before the variable. */
function databaseOf(
  flags: Pick<Flags, 'databaseUrl' | 'dataDir'>,
  env: NodeJS.ProcessEnv,
): { databaseUrl?: string; dataDir?: string } {
  const databaseUrl = flags.databaseUrl ?? (env.DATABASE_URL || undefined);
  if (databaseUrl !== undefined && !/^postgres(?:ql)?:\/\/\S+$/.test(databaseUrl))
    throw new UsageError('the database URL must start with postgres:// or postgresql://.');
  if (flags.databaseUrl && flags.dataDir)
    throw new UsageError('--data-dir is for the embedded server; leave it or --database-url out.');
  if (flags.dataDir) return { dataDir: flags.dataDir };
  return databaseUrl ? { databaseUrl } : {};
}

function pruneSettings(flags: PruneFlags, env: NodeJS.ProcessEnv): PruneSettings {
  const { databaseUrl } = databaseOf(flags, env);
  if (!databaseUrl) throw new UsageError('no database: give --database-url URL or set DATABASE_URL.');
  return { ...flags, databaseUrl };
}

function restoreSettings({ actor, ...flags }: RestoreFlags, env: NodeJS.ProcessEnv): RestoreSettings {
  const database = databaseOf(flags, env);
  if (!database.databaseUrl && !database.dataDir)
    throw new UsageError('no database: give --database-url URL or --data-dir FOLDER.');
  return { ...database, actor };
}

async function settingsOf(flags: Flags, env: NodeJS.ProcessEnv): Promise<Settings> {
  const database = databaseOf(flags, env);
  if (flags.fleet && flags.tenants) throw new UsageError('--fleet and --tenants exclude each other.');
  const upstream = await upstreamOf(flags, flags.mode === 'gateway');
  if (flags.mode !== 'sim' && (flags.fleet || flags.tenants || flags.legacy || flags.legacyCanary))
    throw new UsageError('--fleet, --tenants and --legacy are for --mode sim.');
  const fleet = flags.fleet
    ? await readFleet(flags.fleet)
    : flags.tenants
      ? { tenants: tenantNames(flags.tenants) }
      : undefined;
  return {
    options: {
      ...(await readTokens(flags, env)),
      ...(await readTls(flags)),
      host: flags.host,
      port: flags.port,
      tenantPort: flags.tenantPort,
      mode: flags.mode,
      lockGroup: flags.lockGroup,
      queueLimit: flags.queueLimit,
      requestsMax: flags.requestLimit,
      legacy: flags.legacy ?? false,
      legacyCanary: flags.legacyCanary ?? false,
      ...database,
      ...(upstream && { upstream }),
      ...(await rolloutsOf(flags, env, flags.legacy ?? false)),
      ...(flags.group && { groups: flags.group }),
      ...(fleet && { fleet }),
    },
    json: flags.json ?? false,
    logLevel: flags.logFormat === 'json' ? flags.logLevel : undefined,
    stdin: flags.stdin ?? false,
    parentPid: flags.parentPid,
  };
}
