import * as z from 'zod';

/** A text that a person gives, as of a holder, a step or a reason. @param max characters. */
export const label = (max: number) => z.string().min(1).max(max);
