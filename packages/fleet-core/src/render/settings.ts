/** Settings with their origin as lines that a configuration file could take. */
import type { SettingInForce } from '../config/in-force.js';
import { oneLine } from '../text/sanitize.js';

/** What is set, one a line, then the names of what is not. */
export function renderSettings(settings: readonly SettingInForce[]): string[] {
  const isSet = ({ from }: SettingInForce) => from !== null;
  const unset = settings.filter((one) => !isSet(one)).map(({ name }) => name);
  return [...settings.filter(isSet).map(lineOf), ...(unset.length ? [`# not set: ${unset.join(', ')}`] : [])];
}

function lineOf({ name, value, from, secret }: SettingInForce): string {
  const origin = oneLine(`${from}`, 300);
  // Neither may stand in a configuration file.
  if (secret) return `# ${name}: hidden  # ${origin}`;
  if (name === 'config') return `# ${name}: ${oneLine(`${value}`, 300)}  # ${origin}`;
  const text = Array.isArray(value)
    ? `[${value.map((one) => quoted(one)).join(', ')}]`
    : typeof value === 'string'
      ? quoted(value)
      : `${value}`;
  return `${name}: ${text}  # ${origin}`;
}

/** What YAML would read as something else stands in quotes. */
function quoted(text: string): string {
  const line = oneLine(text, 500);
  return /^[A-Za-z/][\w./:@%+-]*$/.test(line) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(line)
    ? line
    : /^\d+(?:ms|s|m|h)$/.test(line)
      ? line
      : JSON.stringify(line);
}
