import { setTimeout } from 'node:timers/promises';
import { must } from './miss.js';

export const sleep = (seconds: number): Promise<void> => setTimeout(seconds * 1000);

/** What something answers, and how many seconds that took. */
export async function timed<T>(work: Promise<T>): Promise<[T, seconds: number]> {
  const begun = performance.now();
  const result = await work;
  return [result, (performance.now() - begun) / 1000];
}

/** @throws Miss where a call that was to wait answered at once. */
export function mustWait(seconds: number, asked: number, call: string): void {
  must(seconds >= asked - 0.5, `${call} was to wait ${asked} s, and answered after ${seconds.toFixed(1)} s`);
}

/** Longest time, in seconds, that a server may take to tell a waiter. */
export const PROMPT_SECONDS = 5;

/** @throws Miss where a waiter was told late. */
export function mustWake(seconds: number, call: string): void {
  must(seconds <= PROMPT_SECONDS, `${call} was told ${seconds.toFixed(1)} s after it`);
}
