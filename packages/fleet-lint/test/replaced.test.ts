// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are expressions of workflows
/** The kind of workflow that fleet replaces: a hundred lines of shell, with most of what is known to go wrong. */
import { expect, it } from 'vitest';
import { lintWorkflows } from '../src/index.js';

const REPLACED = `name: redeploy-tenants
on:
  workflow_run:
    workflows: [publish]
    types: [completed]
permissions:
  contents: read
concurrency:
  group: redeploy-tenants
  cancel-in-progress: false
jobs:
  redeploy:
    if: \${{ github.event.workflow_run.conclusion == 'success' }}
    runs-on: ubuntu-latest
    environment: staging
    continue-on-error: true
    timeout-minutes: 25
    steps:
      - name: Wait for the registry
        run: sleep 30
      - name: Redeploy
        env:
          CP_URL: \${{ vars.CP_URL || 'https://staging-api.example.com' }}
          CP_TOKEN: \${{ secrets.CP_TOKEN }}
          TARGET_TAG: \${{ inputs.target_tag || 'staging-latest' }}
        run: |
          set -euo pipefail
          BODY=$(jq -nc --arg tag "$TARGET_TAG" '{
            target_tag: $tag, confirm: true
          }')
          echo "POST $CP_URL/cp/admin/tenants/redeploy-fleet"
          RESPONSE=$(mktemp)
          set +e
          curl -sS -o "$RESPONSE" -w '%{http_code}' \\
            -m 1200 \\
            -H "Authorization: Bearer $CP_TOKEN" \\
            -X POST "$CP_URL/cp/admin/tenants/redeploy-fleet" \\
            -d "$BODY" >code
          set -e
          HTTP_CODE=$(cat code 2>/dev/null || echo "000")
          echo "HTTP $HTTP_CODE"
          cat "$RESPONSE" | jq . || cat "$RESPONSE"
          {
            echo "| slug | error |"
            jq -r '.results[]? | "| \\(.slug) | \\(.error // "-") |"' "$RESPONSE" || true
          } >> "$GITHUB_STEP_SUMMARY"
          FAILED=$(jq -r '.results[]? | select(.healthz_ok != true) | .slug' "$RESPONSE" 2>/dev/null || true)
          [ "$HTTP_CODE" = 200 ] || exit 1
      - name: Verify
        run: |
          for slug in $SLUGS; do
            BODY=$(curl -sS "https://$slug.staging.example.com/buildinfo" || true)
            echo "$BODY" | jq -r .git_sha
          done
`;

it('finds what is known to go wrong in it, and nothing else', () => {
  const found = lintWorkflows([{ path: '.gitea/workflows/redeploy.yml', text: REPLACED }]);
  const at = (text: string) => REPLACED.slice(0, REPLACED.indexOf(text)).split('\n').length;
  expect(found.map(({ rule, line }) => [rule, line])).toEqual([
    ['workflow-run-trigger', at('workflow_run:')],
    ['untrusted-trigger', at('redeploy:\n    if')],
    ['ignored-environment', at('environment: staging')],
    ['masked-failure', at('continue-on-error')],
    ['empty-expression', at('TARGET_TAG:')],
    ['concurrency-as-lock', at('curl -sS -o')],
    ['token-argument', at('-H "Authorization')],
    ['raw-response', at('cat "$RESPONSE" | jq')],
    ['raw-response', at('jq -r \'.results[]? | "|')],
  ]);
});
