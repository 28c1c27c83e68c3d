/** What is left when all are gone, and secrets where none belong. */
import type { History, Violation } from '../history.js';

export function remains(history: History): Violation[] {
  const texts = [
    ...history.outputs,
    ...history.runs.map((run) => ({ who: run.command.run, text: run.stdout + run.stderr })),
  ];
  const leaks = texts.flatMap(({ who, text }) =>
    history.secrets.some((secret) => text.includes(secret)) ? [`${who} printed a secret`] : [],
  );
  return [
    ...history.remains.map((what) => ({ rule: 'remains', what })),
    ...leaks.map((what) => ({ rule: 'secret', what })),
  ];
}
