/**
 * Holds every entrance of the packages against its committed report, `packages/NAME/api/ENTRANCE.api.md`.
 *
 *   node tools/house/api.mjs [--write]
 *
 * Build first. Ends with 1 where a public name came, went or changed; --write takes the change into the report.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { write } = parseArgs({ options: { write: { type: 'boolean', default: false } } }).values;
const PACKAGES = ['fleet-core', 'fleet-lint', 'fleet-control-plane', 'fleet-conformance'];
const none = { logLevel: ExtractorLogLevel.None };

let changed = 0;
for (const name of PACKAGES) {
  const folder = join(root, 'packages', name);
  const packageJsonFullPath = join(folder, 'package.json');
  const { exports } = JSON.parse(readFileSync(packageJsonFullPath, 'utf8'));
  for (const [subpath, { types }] of Object.entries(exports)) {
    const entrance = subpath === '.' ? 'index' : basename(subpath);
    const reportFolder = join(folder, 'api');
    mkdirSync(reportFolder, { recursive: true });
    const { apiReportChanged } = Extractor.invoke(
      ExtractorConfig.prepare({
        packageJsonFullPath,
        configObjectFullPath: undefined,
        configObject: {
          projectFolder: folder,
          mainEntryPointFilePath: join(folder, types),
          // The extractor cannot follow the conditional globals of @types/node; those of the browser are plain.
          compiler: {
            overrideTsconfig: {
              extends: '../../tsconfig.base.json',
              compilerOptions: { lib: ['ES2023', 'DOM'] },
              files: [types],
            },
            skipLibCheck: true,
          },
          apiReport: {
            enabled: true,
            reportFolder,
            reportTempFolder: join(folder, 'node_modules/.api'),
            reportFileName: `${entrance}.api.md`,
          },
          docModel: { enabled: false },
          dtsRollup: { enabled: false },
          newlineKind: 'lf',
          messages: {
            compilerMessageReporting: { default: none },
            extractorMessageReporting: { default: none },
            tsdocMessageReporting: { default: none },
          },
        },
      }),
      {
        localBuild: write,
        showVerboseMessages: false,
        messageCallback: (message) => {
          message.handled = true;
        },
      },
    );
    if (!apiReportChanged) continue;
    changed += 1;
    const report = `packages/${name}/api/${entrance}.api.md`;
    console.log(write ? `${report}: written` : `${report}: the public surface is another one by now`);
  }
}
if (changed && !write) {
  console.log(
    'Is that wanted? Then take it over, and tell users by a changeset: node tools/house/api.mjs --write',
  );
  process.exit(1);
}
