/** What one step did, as its audit rows and the record of rolls tell it. */
export class Log {
  readonly rows: { claim: number; kind: string }[] = [];
  granted = -1;
  arrived = -1;
  expired = -1;
  /** The roll request that started a roll, and under which token. */
  started = -1;
  startedToken = 0;
  /** The process whose proof the server took, or -1. */
  proved = -1;
  /** The step lost commits, so what came before does not bind it. */
  failover = false;

  row(claim: number, kind: string): void {
    this.rows.push({ claim, kind });
  }

  clear(): void {
    this.rows.length = 0;
    this.granted = this.arrived = this.expired = this.started = this.proved = -1;
    this.startedToken = 0;
    this.failover = false;
  }
}
