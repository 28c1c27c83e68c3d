/** The files that a repository without any deploy gets. */
import { CHECKOUT } from '@tenant-fleet/fleet-lint';

/** What is asked, and what deploys by hand or the repository itself may answer. */
export interface Answers {
  environment: string;
  controlPlane: string;
  tenantUrl: string;
  /** What `uses:` names: the composite action with its pin. */
  action: string;
}

/** Settings of an environment, by name. */
export type Fleet = Record<string, string | number | string[]>;

/** What the configuration file says first, and what it says only where it is known. */
const ORDER = ['control-plane', 'tenant-url', 'canary', 'soak', 'batch-size', 'max-stragglers', 'ephemeral'];

export function configText(fleets: ReadonlyMap<string, Fleet>): string {
  const place = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  const lines = [...fleets].flatMap(([environment, fleet]) => [
    `  ${environment}:`,
    ...Object.entries(fleet)
      .sort(([one], [other]) => place(one) - place(other))
      .map(([name, value]) => `    ${name}: ${yamlOf(value)}`),
  ]);
  return `# All settings: fleet config schema. What is in force: fleet config --environment NAME.\nenvironments:\n${lines.join('\n')}\n`;
}

/** Plain where YAML reads it as the same text, else quoted. */
const yamlOf = (value: Fleet[string]): string =>
  Array.isArray(value)
    ? `[${value.map(yamlOf).join(', ')}]`
    : typeof value === 'number' || /^[A-Za-z][\w./:{}-]*$|^\d+[a-z]+$|^[a-z][\w-]*\*$/.test(value)
      ? String(value)
      : JSON.stringify(value);

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: expressions of workflows
/** Build and deploy in one workflow. The build fails until somebody puts the real one in its place. */
export function deployWorkflow({ environment, action }: Answers): string {
  return `# Main branch: builds the image, then puts it in front of the tenants of ${environment} and proves it.
name: deploy
on:
  push:
    branches: [main]
# No \`concurrency:\`: servers ignore it or drop queued runs. The lock of the environment keeps rolls apart.
jobs:
  build:
    runs-on: ubuntu-latest
    outputs:
      tag: \${{ steps.image.outputs.tag }}
    steps:
      - uses: ${CHECKOUT}
      - id: image
        run: |
          # Put the build of your image here. /buildinfo of every tenant has to answer {"git_sha": "$GITHUB_SHA"}.
          echo "tag=main-$(git rev-parse --short=7 HEAD)" >> "$GITHUB_OUTPUT"
          echo "deploy.yml builds no image yet: put your build and push into the step 'image'"
          exit 1
  deploy:
    # In one workflow with the build: \`workflow_run\` does nothing before Gitea 1.25.
    needs: build
    if: github.event_name == 'push' && github.ref == 'refs/heads/main'
    runs-on: ubuntu-latest
    # Read from Gitea 1.26 on, where every scope that is not listed is none: commit status, alert issue.
    permissions:
      contents: write
      issues: write
    steps:
      - uses: ${CHECKOUT}
      - uses: ${action}
        with:
          environment: ${environment}
          target-tag: \${{ needs.build.outputs.tag }}
          expected-sha: \${{ github.sha }}
          token: \${{ secrets.FLEET_CP_TOKEN }}
          # As a value, since the token of a job may not read variables.
          hold: \${{ vars.FLEET_HOLD }}
`;
}
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: expressions of workflows
