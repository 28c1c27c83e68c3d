import { describe, expect, it } from 'vitest';
import { type FleetResult, resultSchema } from '../../src/index.js';
import { renderHtml } from '../../src/render/index.js';

const tenant = (slug: string, rest: Partial<FleetResult['tenants'][number]> = {}) => ({
  slug,
  status: 'on_target' as const,
  phase: 'batch-1',
  observed_sha: 'a'.repeat(40),
  probes: 2,
  on_target_after_ms: 2000,
  detail: null,
  baseline_sha: null,
  ...rest,
});

const evil = `<script>alert("x")</script><img src=x onerror='y'>&`;

const document_: FleetResult = resultSchema.parse({
  schema: 'fleet-result/1',
  outcome: 'failed',
  deployed: false,
  reason: `reason ${evil}`,
  environment: `env ${evil}`,
  target_tag: `tag ${evil}`,
  expected_sha: `sha ${evil}`,
  started_at: '2026-01-02T03:00:00.000Z',
  finished_at: '2026-01-02T03:00:42.000Z',
  lock: { group: `lock ${evil}`, fencing_token: null, waited_ms: 5000 },
  counts: { enumerated: 2, on_target: 1, stale: 1, unreachable: 0, invalid: 0, unhealthy: 0, excused: 0 },
  tenants: [
    tenant('acme'),
    tenant(`slug ${evil}`, {
      status: 'stale',
      observed_sha: `observed ${evil}`,
      on_target_after_ms: null,
      phase: `phase ${evil}`,
      detail: `detail ${evil}`,
    }),
  ],
  calls: [
    {
      kind: 'roll',
      phase: `phase ${evil}`,
      slugs: [`slug ${evil}`],
      started_at: '2026-01-02T03:00:00.000Z',
      duration_ms: 5,
      http_status: null,
      outcome: 'unknown',
      ok: null,
    },
  ],
  exit_code: 1,
  warnings: [`warning ${evil}`],
  next: [`next ${evil}`],
});

describe('the HTML report', () => {
  const html = renderHtml(document_);

  it('escapes every text', () => {
    expect(html).not.toContain('<script');
    expect(html).not.toContain('<img');
    for (const field of [
      'reason',
      'env',
      'tag',
      'sha',
      'lock',
      'slug',
      'observed',
      'phase',
      'detail',
      'warning',
      'next',
    ]) {
      expect(html).toContain(`${field} &lt;script&gt;`);
    }
  });

  it('needs no script and no network', () => {
    expect(html.replace(/"[^"]*"/g, '""')).not.toMatch(/<[^>]*\b(?:src|href)=|@import|url\(/i);
    expect(html).toContain("default-src 'none'");
  });

  it('puts the verdict first and the tenants that need somebody before the others', () => {
    expect(html).toMatch(/<h1 class="bad">FAILED/);
    expect(html.indexOf('slug &lt;')).toBeLessThan(html.indexOf('<b>acme</b>'));
  });

  it('is one well-formed tree', () => {
    const open: string[] = [];
    for (const [, closing, name = ''] of html.matchAll(/<(\/?)([a-z0-9]+)[^>]*>/g)) {
      if (name === 'meta' || name === 'html') continue;
      if (closing) expect(open.pop()).toBe(name);
      else open.push(name);
    }
    expect(open).toEqual([]);
  });
});
