/** What the builds of the command and the action share: both put everything that they need into a few files. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** As modules packages are shaken: a third is left of what sends telemetry. */
export const MAIN_FIELDS = ['module', 'main'];

/** Not a name with LICENSE in it: pnpm would then leave out the licence of the package itself. */
export const NOTICES = 'THIRD-PARTY-NOTICES.txt';
const TAKEN = ['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'Apache-2.0'];

/** The bill of materials in the form of CycloneDX. */
export const BILL = 'sbom.cdx.json';

/**
 * Writes the licence of every package that went into the bundle beside it, and the list of them; fails where one has no
 * licence text, or an unusual licence.
 */
export const notices = {
  name: 'notices',
  setup(build) {
    build.initialOptions.metafile = true;
    build.onEnd(({ metafile }) => {
      if (!metafile) return;
      const roots = new Set(Object.keys(metafile.inputs).flatMap((path) => rootOf(path) ?? []));
      const parts = new Map([...roots].map((root) => partOf(root)).map((part) => [part.id, part]));
      const sorted = [...parts.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
      const { outdir } = build.initialOptions;
      // tsup writes the bundle itself, after this.
      mkdirSync(outdir, { recursive: true });
      // Packages of one project bring the same text: it stands with the first of them.
      const first = new Map(sorted.toReversed().map(({ id, text }) => [text, id]));
      const texts = sorted.map(({ id, license, text }) => {
        const there = first.get(text);
        return `${id}\nLicence: ${license}\n\n${there === id ? text : `Its text is that of ${there}.`}\n`;
      });
      writeFileSync(join(outdir, NOTICES), texts.join(`\n${'-'.repeat(80)}\n\n`));
      writeFileSync(join(outdir, BILL), `${JSON.stringify(billOf(sorted), null, 1)}\n`);
    });
  },
};

/** No time and no serial number: the same sources make the same bytes. */
function billOf(parts) {
  const own = JSON.parse(readFileSync('package.json', 'utf8'));
  const component = (type, { name, version, license }) => ({
    type,
    'bom-ref': purlOf(name, version),
    name,
    version,
    purl: purlOf(name, version),
    licenses: [{ license: { id: license } }],
  });
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: component('application', own) },
    components: parts.map((part) => component('library', part)),
  };
}

const purlOf = (name, version) => `pkg:npm/${name.replace('@', '%40')}@${version}`;

/** Folder of the package that a file belongs to; null for a file of this repository. */
function rootOf(path) {
  const [root] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path) ?? [];
  return root ? resolved(root) : null;
}

/** Some packages have a second package.json further down, without a name. */
const resolved = (root) => (existsSync(join(root, 'package.json')) ? root : dirname(root));

function partOf(root) {
  const { name, version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const id = `${name}@${version}`;
  if (!TAKEN.includes(license))
    throw new Error(`${id}: the licence ${license} is not among those that are taken`);
  const file = readdirSync(root).find((entry) => /^licen[cs]e(?:-\w+)?(?:\.(?:md|txt))?$/i.test(entry));
  if (!file) throw new Error(`${id} brings no text of its licence (${license})`);
  return { id, name, version, license, text: readFileSync(join(root, file), 'utf8').trim() };
}
