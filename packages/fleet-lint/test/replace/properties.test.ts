/** Whatever a workflow looks like: what is put in its place is one that servers read, and nothing is thrown. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { replaceCalls } from '../../src/index.js';
import { OLD_PUBLISH, OLD_STAGING } from './old.js';

const numRuns = Number(process.env.FLEET_TEST_PROPERTY_RUNS ?? 100);
const path = '.gitea/workflows/deploy.yml';
const USES = 'https://git.example.com/tenant-fleet/fleet/.gitea/actions/redeploy-fleet@v0.1.0';
/** Servers read the first document of a file, and mind no other. */
const isYaml = (text: string) =>
  parseAllDocuments(text, { uniqueKeys: false }).every(({ errors }) => errors.length === 0);

/** A workflow of which lines were taken out, doubled, moved in or out, or had something put behind them. */
const workflow = fc
  .tuple(
    fc.constantFrom(OLD_PUBLISH, OLD_STAGING),
    fc.array(
      fc.record({
        at: fc.nat(200),
        what: fc.constantFrom('drop', 'double', 'indent', 'outdent', 'put'),
        text: fc.constantFrom(
          '# x',
          ' # x',
          '"',
          "'",
          '|',
          ' &a',
          ' *a',
          '- ',
          '{',
          '${{',
          '\r',
          '\t',
          '---',
          'é',
        ),
      }),
      { maxLength: 4 },
    ),
  )
  .map(([text, edits]) => {
    const lines = text.split('\n');
    for (const { at, what, text: put } of edits) {
      const line = at % lines.length;
      const old = lines[line] ?? '';
      const made = {
        drop: [],
        double: [old, old],
        indent: [`  ${old}`],
        outdent: [old.replace(/^ {2}/, '')],
        put: [`${old}${put}`],
      };
      lines.splice(line, 1, ...made[what as 'drop']);
    }
    return lines.join('\n');
  });

it('what is put in place of a deploy by hand is YAML where the file was, and is not replaced again', () => {
  const environment = () => 'staging';
  fc.assert(
    fc.property(workflow, (text) => {
      const found = replaceCalls({ path, text }, { uses: USES, environment });
      if (!found) return;
      expect(isYaml(text)).toBe(true);
      expect(isYaml(found.after)).toBe(true);
      for (const { place } of found.left) expect(place.line).toBeLessThanOrEqual(text.split('\n').length);
      const again = replaceCalls({ path, text: found.after }, { uses: USES, environment });
      if (again) expect(again.left.map(({ message }) => message).join()).toContain('do it by hand');
    }),
    // What failed once is tried first.
    { numRuns, examples: [[`${OLD_STAGING}---`]] },
  );
});
