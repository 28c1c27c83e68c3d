/** Bytes of equal length, one after the other, that grow as needed. */
export class Pile {
  private data: Uint8Array;
  length = 0;

  constructor(private readonly size: number) {
    this.data = new Uint8Array(size * 1024);
  }

  push(bytes: Uint8Array): void {
    const at = this.length * this.size;
    if (at + this.size > this.data.length) {
      const larger = new Uint8Array(Math.ceil(this.data.length * 1.6));
      larger.set(this.data);
      this.data = larger;
    }
    this.data.set(bytes, at);
    this.length++;
  }

  at(index: number): Uint8Array {
    return this.data.subarray(index * this.size, (index + 1) * this.size);
  }
}

/**
 * The states seen so far, by 64-bit fingerprints. Two of ten million states share a fingerprint with a probability of
 * three in a million; one of them would then be left out.
 */
export class Seen {
  length = 0;
  private low = new Uint32Array(1 << 16);
  private high = new Uint32Array(1 << 16);
  private parents = new Uint32Array(1 << 16);
  private slots = new Uint32Array(1 << 18);

  /** Returns false when these bytes were seen before. */
  add(bytes: Uint8Array, parent: number): boolean {
    const [low, high] = fingerprint(bytes);
    const mask = this.slots.length - 1;
    let slot = (low ^ (high >>> 7)) & mask;
    for (;;) {
      const entry = this.slots[slot] ?? 0;
      if (entry === 0) break;
      if (this.low[entry - 1] === low && this.high[entry - 1] === high) return false;
      slot = (slot + 1) & mask;
    }
    const index = this.length++;
    if (index === this.low.length) this.grow();
    this.low[index] = low;
    this.high[index] = high;
    this.parents[index] = parent;
    this.slots[slot] = index + 1;
    if (this.length * 2 > this.slots.length) this.spread();
    return true;
  }

  is(index: number, bytes: Uint8Array): boolean {
    const [low, high] = fingerprint(bytes);
    return this.low[index] === low && this.high[index] === high;
  }

  parent(index: number): number {
    return this.parents[index] ?? 0;
  }

  private grow(): void {
    const larger = (old: Uint32Array) => {
      const made = new Uint32Array(old.length * 2);
      made.set(old);
      return made;
    };
    this.low = larger(this.low);
    this.high = larger(this.high);
    this.parents = larger(this.parents);
  }

  private spread(): void {
    const slots = new Uint32Array(this.slots.length * 2);
    const mask = slots.length - 1;
    for (let index = 0; index < this.length; index++) {
      let slot = ((this.low[index] ?? 0) ^ ((this.high[index] ?? 0) >>> 7)) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
    this.slots = slots;
  }
}

const print: [number, number] = [0, 0];

/** Two different 32-bit hashes; the returned pair is overwritten by the next call. */
function fingerprint(bytes: Uint8Array): [number, number] {
  let low = 0x811c9dc5;
  let high = 0x9e3779b9;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    low = Math.imul(low ^ byte, 0x01000193);
    high = Math.imul((high ^ byte) + ((high << 13) | (high >>> 19)), 0x85ebca6b);
  }
  print[0] = mix(low ^ (high >>> 3));
  print[1] = mix(high ^ 0x5bd1e995);
  return print;
}

function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
