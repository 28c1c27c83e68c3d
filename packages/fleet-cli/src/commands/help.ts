/** `fleet help`: a topic, or the help of a command. */
import { didYouMean } from '@tenant-fleet/fleet-core/config';
import { oneLine, usageError } from '@tenant-fleet/fleet-core/program';
import type { Command } from 'commander';
import type { OutputFlags } from '../flags.js';
import { Terminal } from '../terminal/console.js';
import { TOPICS } from './help-topics.js';

/** @throws FleetError `USAGE` for what is neither. */
export async function runHelp(program: Command, words: string[], output: OutputFlags): Promise<number> {
  const terminal = new Terminal(output);
  const [first] = words;
  const topic = words.length === 1 && first && Object.hasOwn(TOPICS, first) ? TOPICS[first] : undefined;
  if (topic) {
    for (const line of topic.text()) terminal.line('stdout', line);
    return 0;
  }
  let command = program;
  for (const word of words) {
    const below = command.commands.find((one) => one.name() === word);
    if (!below) throw unknown(words, command);
    command = below;
  }
  command.outputHelp();
  if (command === program) {
    terminal.line('stdout', '\nTopics, each with fleet help TOPIC:');
    for (const [name, { about }] of Object.entries(TOPICS))
      terminal.line('stdout', `  ${name.padEnd(12)} ${about}`);
  }
  return 0;
}

function unknown(words: string[], at: Command) {
  const names = [...Object.keys(TOPICS), ...at.commands.map((one) => one.name())];
  const near = didYouMean(words.at(-1) ?? '', names);
  const asked = oneLine(words.join(' '), 60);
  return usageError(`there is no command and no topic ${JSON.stringify(asked)}`, {
    next: near ?? `topics are ${Object.keys(TOPICS).join(', ')}; fleet --help lists commands`,
  });
}
