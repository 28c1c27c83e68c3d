/** Whether the exit code of a command becomes that of its script. */
import { Climb, type Loss, type Walk } from './climb.js';
import { commandsIn, innerScript, type Parsed, pathTo, type ShellOptions, wordsOf } from './shell.js';

/**
 * Follows the exit code of the command at a position up to the end of its script.
 *
 * @param retries Whether a text runs such a command again, so that its exit code counts in place of the first.
 */
export function lossOf(
  parsed: Parsed,
  position: number,
  options: ShellOptions,
  retries: (text: string) => boolean,
): Loss | undefined {
  const trap = commandsIn(parsed.script).find((command) => {
    const [name, action = '', ...signals] = wordsOf(command);
    return (
      name === 'trap' && /\bexit\s+0\b/.test(action) && signals.some((one) => /^(?:EXIT|0|ERR)$/.test(one))
    );
  });
  if (trap) return { at: trap.pos, text: '`trap` ends the script with 0' };
  return follow({ ...parsed, position, options, retries, functions: [], follow });
}

function follow(walk: Walk): Loss | undefined {
  const path = pathTo(walk, walk.position);
  const command = path.at(-1);
  if (command?.type !== 'Command') return undefined;
  const inner = innerScript(command, walk.position, walk.options, walk.text);
  if (inner) {
    const lost = follow({ ...walk, ...inner, position: walk.position - inner.from });
    if (lost) return { ...lost, at: lost.at + inner.from };
  }
  // The status with which a trap ends counts where a failure ends the script.
  if (inner && wordsOf(command)[0] === 'trap')
    return walk.options.errexit
      ? undefined
      : { at: command.pos, text: '`trap` drops the exit code of the deploy' };
  const away = detached(wordsOf(command));
  if (away) return { at: command.pos, text: away };
  return new Climb(walk, path).result();
}

/** Commands that do not wait for what they start, or do not pass its exit code on. */
function detached(words: readonly string[]): string | undefined {
  const line = words.join(' ');
  const starts =
    /(?:^|\s)(?:screen\s+-\w*d|tmux\s+new|at\s|batch\b|setsid\s+(?:-f|--fork)|start-stop-daemon\b|(?:docker|podman)\s+(?:compose\s+)?(?:run|exec)\s+(?:\S+\s+)*?(?:-d|--detach)\s)/.exec(
      `${line} `,
    );
  if (starts) return `\`${starts[0].trim().split(' ', 1)[0]}\` starts it and does not wait for its exit code`;
  if (/^(?:\S*\/)?systemd-run\b/.test(line) && !/\s(?:--wait|--scope|--pipe|-P)\s/.test(line))
    return '`systemd-run` starts it and does not wait for its exit code';
  if (words[0] === 'find' && words.includes('-exec') && words.at(-1) !== '+')
    return '`find -exec` does not pass its exit code on';
  return undefined;
}
