/**
 * One read of a group at a time, however many ask for it: who asks gets a read that began no earlier than the question,
 * and all who ask while another read is under way share the next one.
 */
export class SharedReads<T> {
  private readonly reads = new Map<string, { running: Promise<T>; next: Promise<T> | null }>();

  constructor(private readonly read: (group: string) => Promise<T>) {}

  get(group: string): Promise<T> {
    const read = this.reads.get(group);
    if (!read) return this.begin(group);
    // The one under way may be older than what the caller was woken by.
    read.next ??= read.running.then(
      () => this.begin(group),
      () => this.begin(group),
    );
    return read.next;
  }

  private begin(group: string): Promise<T> {
    const running = this.read(group);
    const read = { running, next: null };
    this.reads.set(group, read);
    const done = () => {
      if (read.next === null) this.reads.delete(group);
    };
    running.then(done, done);
    return running;
  }
}
