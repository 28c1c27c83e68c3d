/** The answer to a redeploy call, read as it comes: of a large fleet it is long. */
import {
  type RedeployAnswer,
  type RedeployRow,
  redeployAnswerSchema,
  redeployRowSchema,
} from '../../contract.js';
import { HttpFailure } from '../../io/http.js';
import { JsonRows } from '../../text/json-rows.js';

/** Rows that an answer may have: a million tenants are known to fit into the memory of a process. */
export const MAX_ROWS = 1_000_000;
/** Characters of one row, and of all that is no row. */
const MAX_REST = 1024 * 1024;

export class AnswerReader {
  readonly #rows: RedeployRow[] = [];
  readonly #json = new JsonRows('results', MAX_REST, (row) => this.#take(row));
  #malformed = false;
  #received = false;

  /** Takes the next part. @throws HttpFailure `too_large`. */
  push(text: string): void {
    this.#received = true;
    try {
      this.#json.push(text);
    } catch (error) {
      if (error instanceof RangeError)
        throw new HttpFailure(
          'too_large',
          'a row of the answer, or what stands around the rows, is larger than 1 MiB',
        );
      throw error;
    }
  }

  /**
   * What was read. @param body Of the response: all there is where nothing came in parts.
   *
   * @returns `answer` null where it is no answer to a redeploy call; `json` undefined where it is no JSON.
   */
  end(body: string): { answer: RedeployAnswer | null; json: unknown } {
    if (!this.#received) this.push(body);
    const json = this.#json.end();
    const frame = redeployAnswerSchema.safeParse(json);
    if (!frame.success || this.#malformed) return { answer: null, json };
    return { answer: { ...frame.data, results: this.#rows }, json };
  }

  #take(row: unknown): void {
    if (this.#rows.length >= MAX_ROWS) {
      const limit = MAX_ROWS.toLocaleString('en');
      throw new HttpFailure(
        'too_large',
        `the answer has more than ${limit} rows; a fleet may have that many tenants`,
      );
    }
    const parsed = redeployRowSchema.safeParse(row);
    if (!parsed.success) {
      this.#malformed = true;
      return;
    }
    const { slug, phase, ssm_status, ssm_exit_code, healthz_ok, verified_on_target, error } = parsed.data;
    // Only what is read of a row is kept of it.
    this.#rows.push({ slug, phase, ssm_status, ssm_exit_code, healthz_ok, verified_on_target, error });
  }
}
