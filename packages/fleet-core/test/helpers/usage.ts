import { expect } from 'vitest';
import { type FleetError, isFleetError } from '../../src/errors.js';

/** The usage error that the work ends with; it has the shape that every usage error has. */
export async function usageOf(work: () => unknown): Promise<FleetError> {
  let error: unknown;
  try {
    await work();
  } catch (caught) {
    error = caught;
  }
  if (!isFleetError(error)) throw error ?? new Error('nothing was refused');
  expect(error.code).toBe('USAGE');
  expect(error.option).toBeTruthy();
  for (const text of [error.message, error.next ?? '', error.option])
    expect(text).not.toMatch(/[\u0000-\u001f]/);
  expect(error.message.length).toBeLessThanOrEqual(500);
  return error;
}
