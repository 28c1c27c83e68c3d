/** Characters that the place of a row may take in the frame, white space included. */
const PLACE = 32;

/**
 * Reads a JSON document whose bulk is one array of objects, as it comes: each object of that array is parsed once it is
 * whole and handed on, so that neither the text nor the tree of a million rows is ever in memory at once.
 */
export class JsonRows {
  /** The document without its rows, each of which is a 0 in it. */
  #frame = '';
  #row = '';
  #rows = 0;
  #key = '';
  #broken = false;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #inRows = false;
  #inRow = false;

  /**
   * @param key Of the array, in the outermost object.
   * @param maxRest Characters that one row may have, and all else together.
   * @param take Gets each row; what it throws is thrown by {@link push}.
   */
  constructor(
    private readonly key: string,
    private readonly maxRest: number,
    private readonly take: (row: unknown) => void,
  ) {}

  /** Takes the next part of the text. @throws RangeError where a row, or all else, is longer than it may be. */
  push(text: string): void {
    let from = 0;
    for (let at = 0; at < text.length; at++) {
      const sign = text.charCodeAt(at);
      if (this.#inString) this.#within(sign, text, at);
      else if (sign === 0x22) {
        this.#inString = true;
        this.#key = '';
      } else if (sign === 0x7b || sign === 0x5b) {
        if (sign === 0x7b && this.#inRows && this.#depth === 2) {
          this.#frame += `${text.slice(from, at)}0`;
          from = at;
          this.#inRow = true;
        }
        if (sign === 0x5b && this.#depth === 1 && this.#key === this.key) this.#inRows = true;
        this.#depth++;
      } else if (sign === 0x7d || sign === 0x5d) {
        this.#depth--;
        if (this.#inRow && this.#depth === 2) {
          this.#end(this.#row + text.slice(from, at + 1));
          from = at + 1;
        }
        if (this.#depth === 1) this.#inRows = false;
      }
    }
    if (this.#inRow) this.#row += text.slice(from);
    else this.#frame += text.slice(from);
    if (this.#row.length > this.maxRest || this.#frame.length > this.maxRest + PLACE * this.#rows)
      throw new RangeError('a part that is no row is too long');
  }

  /** The document without its rows; undefined where the text is no JSON. */
  end(): unknown {
    try {
      const frame = JSON.parse(this.#frame) as Record<string, unknown>;
      const { [this.key]: places, ...rest } = frame;
      // What stands among the rows and is none, or an array that comes twice, is a document that cannot be read.
      const whole = Array.isArray(places)
        ? places.length === this.#rows && places.every((one) => one === 0)
        : !this.#rows;
      if (this.#broken || !whole) return undefined;
      return Array.isArray(places) ? rest : frame;
    } catch {
      return undefined;
    }
  }

  #within(sign: number, text: string, at: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (sign === 0x5c) this.#escaped = true;
    else if (sign === 0x22) {
      this.#inString = false;
      return;
    }
    if (this.#depth === 1 && this.#key.length <= this.key.length) this.#key += text[at];
  }

  #end(text: string): void {
    this.#inRow = false;
    this.#row = '';
    this.#rows++;
    let row: unknown;
    try {
      row = JSON.parse(text);
    } catch {
      this.#broken = true;
      return;
    }
    this.take(row);
  }
}
