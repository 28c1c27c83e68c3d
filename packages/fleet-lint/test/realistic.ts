/** The two workflows of a consumer as they should be, with their local action and configuration. */
import type { LintFile } from '../src/index.js';

export const PUBLISH = `name: publish
on:
  push:
    branches: [main]
permissions:
  contents: write
  issues: write
  packages: write
jobs:
  test:
    runs-on: ubuntu-latest
    timeout-minutes: 20
    steps:
      - uses: actions/checkout@v4
      - run: make test
  build:
    needs: test
    runs-on: ubuntu-latest
    outputs:
      tag: \${{ steps.tag.outputs.tag }}
    steps:
      - uses: actions/checkout@v4
      - id: tag
        run: echo "tag=staging-\${GITHUB_SHA::7}" >> "$GITHUB_OUTPUT"
      - uses: docker/login-action@v3
        with:
          registry: \${{ vars.REGISTRY }}
          username: \${{ github.actor }}
          password: \${{ secrets.REGISTRY_TOKEN }}
      - name: Build and push
        env:
          TAG: \${{ steps.tag.outputs.tag }}
        run: |
          set -euo pipefail
          # Layers of the last build are reused; without them it is only slower.
          docker pull "$IMAGE:cache" || true
          docker buildx build --push \\
            --label "org.opencontainers.image.revision=$GITHUB_SHA" \\
            --tag "registry.example.com/team/server:$TAG" .
  deploy-staging:
    needs: build
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Roll the staging fleet
        id: fleet
        uses: ./.gitea/actions/redeploy-fleet
        with:
          environment: staging
          target-tag: \${{ needs.build.outputs.tag }}
          expected-sha: \${{ github.sha }}
          token: \${{ secrets.STAGING_CP_TOKEN }}
          gitea-token: \${{ github.token }}
          hold: \${{ vars.STAGING_DEPLOY_HOLD }}
          alert-issue: 'true'
          commit-status: 'true'
      - name: Say how it went
        if: \${{ always() && steps.fleet.outputs.outcome != '' }}
        run: echo "\${{ steps.fleet.outputs.outcome }}"
  notify:
    needs: [build, deploy-staging]
    if: always()
    runs-on: ubuntu-latest
    steps:
      - if: needs.deploy-staging.result == 'failure'
        run: |
          curl -sS -X POST -d '{"text":"the staging deploy failed"}' "$HOOK" || true
        env:
          HOOK: \${{ secrets.HOOK }}
`;

export const STAGING = `name: staging
on:
  push:
    branches:
      - staging
    paths-ignore: ['docs/**']
  workflow_dispatch:
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: docker build -t "registry.example.com/team/server:staging-\${GITHUB_SHA::7}" . && docker push "registry.example.com/team/server:staging-\${GITHUB_SHA::7}"
  deploy:
    needs: [build]
    if: github.ref == 'refs/heads/staging' || github.event_name == 'workflow_dispatch'
    runs-on: ubuntu-latest
    timeout-minutes: 60
    env:
      FLEET_ENVIRONMENT: staging
    steps:
      - uses: actions/checkout@v4
      - name: Roll
        timeout-minutes: 50
        env:
          FLEET_CP_TOKEN: \${{ secrets.STAGING_CP_TOKEN }}
        run: |
          set -euo pipefail
          npx -y @tenant-fleet/fleet-cli@0.1.0 redeploy \\
            --target-tag "staging-\${GITHUB_SHA::7}" \\
            --expected-sha "$GITHUB_SHA" \\
            --report-json result.json
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: report
          path: result.json
`;

export const ACTION = `name: Redeploy fleet
description: Rolls the fleet
inputs:
  environment: { description: which, required: true }
  target-tag: { description: tag }
  expected-sha: { description: commit }
  token: { description: token }
  gitea-token: { description: token }
  hold: { description: switch }
  alert-issue: { description: issue }
  commit-status: { description: status }
outputs:
  outcome:
    description: how it ended
    value: \${{ steps.roll.outputs.outcome }}
runs:
  using: composite
  steps:
    - id: roll
      uses: https://git.example.com/tenant-fleet/fleet/packages/fleet-action@v0.1.0
      with:
        environment: \${{ inputs.environment }}
        target-tag: \${{ inputs.target-tag }}
        expected-sha: \${{ inputs.expected-sha }}
        token: \${{ inputs.token }}
        gitea-token: \${{ inputs.gitea-token }}
        hold: \${{ inputs.hold }}
        alert-issue: \${{ inputs.alert-issue }}
        commit-status: \${{ inputs.commit-status }}
`;

export const CONFIG = `batch-size: 3
environments:
  staging:
    control-plane: https://staging-api.example.com
    tenant-url: https://{slug}.staging.example.com
  production:
    control-plane: https://api.example.com
    tenant-url: https://{slug}.example.com
`;

export const REALISTIC: LintFile[] = [
  { path: '.gitea/workflows/publish.yml', text: PUBLISH },
  { path: '.gitea/workflows/staging.yml', text: STAGING },
  { path: '.gitea/actions/redeploy-fleet/action.yml', text: ACTION },
  { path: 'fleet.config.yaml', text: CONFIG },
];
