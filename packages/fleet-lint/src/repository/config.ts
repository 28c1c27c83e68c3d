/** What the configuration file says of locks. */
import { entriesOf, type Source, textOf } from '../syntax/source.js';
import { valueAt } from './workflow.js';

const NAMES = ['control-plane', 'lock-group', 'environment'] as const;
type Name = (typeof NAMES)[number];

export interface FleetConfig {
  source: Source;
  /** Values of all environments. */
  shared: Partial<Record<Name, string>>;
  environments: { name: string; node: import('yaml').Node; values: Partial<Record<Name, string>> }[];
}

export function readFleetConfig(source: Source): FleetConfig {
  const read = (node: unknown) => {
    const values: Partial<Record<Name, string>> = {};
    for (const { key, value } of entriesOf(source, node)) {
      const name = NAMES.find(
        (one) =>
          one ===
          key
            .replace(/([a-z])([A-Z])/g, '$1-$2')
            .replaceAll('_', '-')
            .toLowerCase(),
      );
      const text = textOf(source, value);
      if (name && text) values[name] = text;
    }
    return values;
  };
  const listed = entriesOf(source, valueAt(entriesOf(source, source.root), 'environments'));
  return {
    source,
    shared: read(source.root),
    environments: listed.map(({ key, keyNode, value }) => ({
      name: key,
      node: keyNode,
      values: read(value),
    })),
  };
}
