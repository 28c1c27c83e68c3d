import { type StatsListener, unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { parseTokens, plainToken, type Token } from './tokens.js';

/** How often the file is looked at for a change, in milliseconds. */
const LOOK_EVERY_MS = 500;

/** The tokens that count now: the one that may do everything, and those of a file. */
export interface Tokens {
  list(): readonly Token[];
  close(): void;
}

/** @throws Error when there is none, or the file is of no use. */
export async function openTokens(
  { token, tokensFile }: { token?: string; tokensFile?: string },
  log: (line: string) => void,
): Promise<Tokens> {
  const plain = token ? [plainToken(token)] : [];
  if (!tokensFile) {
    if (plain.length === 0) throw new Error('The control plane needs a token or a tokens file.');
    return { list: () => plain, close: () => {} };
  }
  const file = await TokensFile.open(tokensFile, log);
  return { list: () => [...plain, ...file.list()], close: () => file.close() };
}

/** The tokens of a file, which may change while the server runs. */
class TokensFile {
  private tokens: readonly Token[] = [];
  private readonly changed: StatsListener = () => void this.reload();

  private constructor(
    private readonly file: string,
    private readonly log: (line: string) => void,
  ) {}

  /** @throws Error when the file cannot be read or is broken. */
  static async open(file: string, log: (line: string) => void): Promise<TokensFile> {
    const opened = new TokensFile(file, log);
    try {
      opened.tokens = await opened.read();
    } catch (error) {
      throw new Error(`The tokens file ${file} is of no use: ${(error as Error).message}.`);
    }
    // Looked at beside the requests: a file system that hangs must not keep a holder from renewing.
    watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, opened.changed);
    return opened;
  }

  list(): readonly Token[] {
    return this.tokens;
  }

  close(): void {
    unwatchFile(this.file, this.changed);
  }

  private async reload(): Promise<void> {
    try {
      this.tokens = await this.read();
      this.log(`tokens file read again: ${this.tokens.length} tokens`);
    } catch (error) {
      this.log(
        `ATTENTION: the tokens file ${this.file} is of no use: ${(error as Error).message}. The tokens read before still count; nothing is added, changed or revoked until the file is mended`,
      );
    }
  }

  private async read(): Promise<Token[]> {
    const text = await readFile(this.file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new Error(`it cannot be read (${error.code})`);
    });
    return parseTokens(text);
  }
}
