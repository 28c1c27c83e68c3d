/** The commands below `fleet rollout`: rollouts that the control plane runs itself. */
import { hostname } from 'node:os';
import type { FleetEvent } from '@tenant-fleet/fleet-core';
import type { Layers } from '@tenant-fleet/fleet-core/config';
import {
  actOnRollout,
  attachRollout,
  auditNoteOf,
  listRollouts,
  ROLLOUT_STATES,
  showRollout,
  usageError,
} from '@tenant-fleet/fleet-core/program';
import {
  renderEvent,
  renderServerRollout,
  renderServerRollouts,
  toneOf,
} from '@tenant-fleet/fleet-core/render';
import type { Command } from 'commander';
import { configOf, userName } from '../config.js';
import type { Finish, OutputFlags } from '../flags.js';
import { addJson, type RolloutCommand, settingsFor, typedFlags } from '../options.js';
import { Terminal } from '../terminal/console.js';
import { show } from '../terminal/result.js';
import { exitCodeOfSignal, interruptible } from '../terminal/signals.js';

type Add = (name: RolloutCommand, description: string, parent: Command) => Command;
type Typed = Layers['flags'];

export function addRolloutCommands(program: Command, add: Add, finish: Finish): void {
  const rollout = program
    .command('rollout')
    .helpCommand(false)
    .description('Rollouts that the control plane runs itself, as redeploy --on-server starts them');
  const serve = <Flags>(
    name: RolloutCommand,
    description: string,
    flags: (command: Command) => Command,
    work: (typed: Typed, flags: Flags, id: string) => Promise<number>,
  ) => {
    const command = flags(addJson(add(name, description, rollout)));
    command.action(async () => {
      finish(
        await work(typedFlags(command, settingsFor(name)), command.opts() as Flags, command.args[0] ?? ''),
      );
    });
  };
  const id = (command: Command) => command.argument('<ID>', 'what the list begins its line with');
  const reason = (command: Command) => id(command).option('--reason <TEXT>', 'why: whoever watches is told');

  serve(
    'rollout list',
    'Show rollouts of the server, newest first',
    (command) =>
      command
        .option('--state <NAME>', ROLLOUT_STATES.join(', '))
        .option('-n <N>', 'how many, at most 100 (default: 20)'),
    runList,
  );
  serve('rollout show', 'Show one rollout, with its verdict once it has ended', id, runShow);
  serve(
    'rollout attach',
    'Follow a rollout from its first event to its verdict; Ctrl-C leaves it running',
    (command) => id(command).option('--quiet', 'only the closing block and errors'),
    runAttach,
  );
  serve('rollout pause', 'Pause before the next wave', reason, act('pause'));
  serve('rollout resume', 'Go on after a pause', reason, act('resume'));
  serve('rollout abort', 'End before the next wave', reason, act('abort'));
}

const runList = (typed: Typed, output: OutputFlags & { state?: string; n?: string }) =>
  withSignal(output, async (terminal, signal) => {
    const config = await configOf('rollout', typed);
    const limit = output.n ?? '20';
    if (!/^(?:[1-9]\d?|100)$/.test(limit))
      throw usageError('-n: give a number from 1 to 100', { option: '-n' });
    const state = ROLLOUT_STATES.find((one) => one === output.state);
    if (output.state !== undefined && !state)
      throw usageError(`--state: give one of ${ROLLOUT_STATES.join(', ')}`, { option: '--state' });
    const rollouts = await listRollouts(
      config,
      {
        limit: Number(limit),
        ...(config.environment ? { environment: config.environment } : {}),
        ...(state ? { state } : {}),
      },
      { signal },
    );
    if (output.json) terminal.document({ schema: 'fleet-rollouts/1', rollouts });
    else for (const { text, tone } of renderServerRollouts(rollouts)) terminal.line('stdout', text, tone);
    if (!rollouts.length) terminal.line('stderr', 'No rollout of that kind was handed over to this server.');
    return 0;
  });

const runShow = (typed: Typed, output: OutputFlags, id: string) =>
  withSignal(output, async (terminal, signal) => {
    const rollout = await showRollout(await configOf('rollout', typed), id, { signal });
    if (output.json) terminal.document({ schema: 'fleet-server-rollout/1', ...rollout });
    else for (const { text, tone } of renderServerRollout(rollout)) terminal.line('stdout', text, tone);
    return 0;
  });

const runAttach = (typed: Typed, output: OutputFlags, id: string) =>
  withSignal(output, async (terminal, signal) => {
    const config = await configOf('rollout', typed);
    const emit = (event: FleetEvent) => {
      const line = output.quiet ? null : renderEvent(event, output);
      if (line !== null) terminal.line('stderr', line, toneOf(event));
    };
    const result = await attachRollout(config, id, { ports: { emit }, signal });
    show(result, output, terminal);
    return result.exit_code;
  });

const act =
  (deed: 'pause' | 'resume' | 'abort') =>
  (typed: Typed, output: OutputFlags & { reason?: string }, id: string) =>
    withSignal(output, async (terminal, signal) => {
      const config = await configOf('rollout', typed);
      const note = auditNoteOf(config, output.reason, { user: userName(), host: hostname() });
      const rollout = await actOnRollout(config, id, deed, note, { signal });
      if (output.json) terminal.document({ schema: 'fleet-server-rollout/1', ...rollout });
      else for (const { text, tone } of renderServerRollout(rollout)) terminal.line('stdout', text, tone);
      return 0;
    });

const withSignal = (
  output: OutputFlags,
  work: (terminal: Terminal, signal: AbortSignal) => Promise<number>,
): Promise<number> => {
  const terminal = new Terminal(output);
  return interruptible(
    terminal,
    async (signal) => {
      try {
        return await work(terminal, signal);
      } catch (error) {
        if (signal.aborted) return exitCodeOfSignal(signal.reason);
        throw error;
      }
    },
    { says: null },
  );
};
