/** What the builds of the command and the action share: both put everything that they need into a few files. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Schema messages are shown in English only; the other forty languages are a sixth of the bundle. */
export const noLocales = {
  name: 'no-locales',
  setup(build) {
    build.onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({ contents: 'export {}' }));
  },
};

/** Not a name with LICENSE in it: pnpm would then leave out the licence of the package itself. */
export const NOTICES = 'THIRD-PARTY-NOTICES.txt';
const TAKEN = ['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'Apache-2.0'];

/** Writes the licence of every package that went into the bundle beside it; fails where one has none, or an unusual one. */
export const notices = {
  name: 'notices',
  setup(build) {
    build.initialOptions.metafile = true;
    build.onEnd(({ metafile }) => {
      if (!metafile) return;
      const roots = new Set(Object.keys(metafile.inputs).flatMap((path) => rootOf(path) ?? []));
      const texts = new Map([...roots].map((root) => noticeOf(root)));
      const sorted = [...texts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
      writeFileSync(join(build.initialOptions.outdir, NOTICES), sorted.join(`\n${'-'.repeat(80)}\n\n`));
    });
  },
};

/** Folder of the package that a file belongs to; null for a file of this repository. */
function rootOf(path) {
  const [root] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path) ?? [];
  return root ? resolved(root) : null;
}

/** Some packages have a second package.json further down, without a name. */
const resolved = (root) => (existsSync(join(root, 'package.json')) ? root : dirname(root));

function noticeOf(root) {
  const { name, version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  if (!TAKEN.includes(license))
    throw new Error(`${name}@${version}: the licence ${license} is not among those that are taken`);
  const file = readdirSync(root).find((entry) => /^licen[cs]e(?:-\w+)?(?:\.(?:md|txt))?$/i.test(entry));
  if (!file) throw new Error(`${name}@${version} brings no text of its licence (${license})`);
  const id = `${name}@${version}`;
  return [id, `${id}\nLicence: ${license}\n\n${readFileSync(join(root, file), 'utf8').trim()}\n`];
}
