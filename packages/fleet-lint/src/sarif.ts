/** The findings as SARIF 2.1.0, which code hosts and editors read. */
import type { LintResult } from './result.js';
import type { Severity } from './rule.js';
import { RULES } from './rules.js';

/** The part of SARIF that a result fills. */
export interface SarifLog {
  $schema: string;
  version: '2.1.0';
  runs: [SarifRun];
}

/** One run of the linter. */
export interface SarifRun {
  tool: { driver: { name: string; rules: SarifRule[] } };
  columnKind: 'utf16CodeUnits';
  results: SarifFinding[];
}

/** A rule, whether anything was found by it or not. */
export interface SarifRule {
  id: string;
  shortDescription: { text: string };
  fullDescription: { text: string };
  help: { text: string };
  defaultConfiguration: { level: Severity };
}

/** A finding at its place. */
export interface SarifFinding {
  ruleId: string;
  ruleIndex: number;
  level: Severity;
  message: { text: string };
  locations: [
    {
      physicalLocation: {
        /** From the root of the repository, as a relative URI. */
        artifactLocation: { uri: string; uriBaseId: '%SRCROOT%' };
        region: { startLine: number; startColumn: number };
      };
    },
  ];
}

/** A result as SARIF. `strict` and whether it passed have no place there: exit codes say that. */
export function sarifOf({ findings }: LintResult): SarifLog {
  const indexes = new Map(RULES.map(({ id }, index) => [id, index]));
  const rules = RULES.map(({ id, severity, shape, why, next }): SarifRule => {
    return {
      id,
      shortDescription: { text: shape },
      fullDescription: { text: why },
      help: { text: next },
      defaultConfiguration: { level: severity },
    };
  });
  const results = findings.map(({ rule, severity, message, why, next, file, line, column }): SarifFinding => {
    const uri = file.split('/').map(encodeURIComponent).join('/');
    return {
      ruleId: rule,
      ruleIndex: indexes.get(rule) ?? -1,
      level: severity,
      message: { text: `${message}. Why: ${why}. Next: ${next}.` },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri, uriBaseId: '%SRCROOT%' },
            region: { startLine: line, startColumn: column },
          },
        },
      ],
    };
  });
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver: { name: 'fleet lint', rules } }, columnKind: 'utf16CodeUnits', results }],
  };
}
