/** Options that are as they have to be. */
import type { FleetOptions } from '../../src/config/options.js';

export const SHA = '0123456789abcdef0123456789abcdef01234567';
export const TOKEN = 's3cr3t-value';
export const good: FleetOptions = {
  environment: 'staging',
  controlPlane: 'https://cp.example.com',
  controlPlaneToken: TOKEN,
  tenantUrl: 'https://{slug}.example.com',
  targetTag: 'staging-0123456',
  expectedSha: SHA,
};
export const gitea = {
  giteaUrl: 'https://git.example.com/',
  giteaToken: 'gitea-token',
  repository: 'owner/name',
  branch: 'main',
};
