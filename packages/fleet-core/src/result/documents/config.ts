/** What `fleet config` prints. */
import * as z from 'zod';

export const configSchema = z.object({
  schema: z.literal('fleet-config/1'),
  settings: z.array(
    z.object({
      name: z.string(),
      value: z
        .union([z.string(), z.number(), z.boolean(), z.array(z.string())])
        .nullable()
        .describe('as the configuration file would have it; null: not set, or a secret'),
      from: z
        .string()
        .nullable()
        .describe('flag, variable, key of a file, or the setting that it follows; null: not set'),
      secret: z.boolean().describe('there is one, and it is never told'),
    }),
  ),
});
