/** A repository that uses the workflows: the example, with its addresses replaced by those of this machine. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathOf, REPOSITORY } from '../test/files.js';

export class Consumer {
  private constructor(readonly path: string) {}

  /** @param change What is changed in the text of each workflow. */
  static fromExample(path: string, config: string, change = (text: string) => text): Consumer {
    cpSync(pathOf('examples/workspace-server'), path, { recursive: true });
    writeFileSync(join(path, 'fleet.config.yaml'), config);
    for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' }).filter(isProgram)) {
      const file = join(path, name);
      writeFileSync(file, forEngine(change(readFileSync(file, 'utf8'))));
    }
    return new Consumer(path).#begin();
  }

  /** An empty repository but for one workflow. */
  static withWorkflow(path: string, name: string, text: string): Consumer {
    mkdirSync(join(path, '.gitea/workflows'), { recursive: true });
    writeFileSync(join(path, '.gitea/workflows', name), forEngine(text));
    return new Consumer(path).#begin();
  }

  #begin(): Consumer {
    this.#git('init', '--quiet', '--initial-branch=main');
    this.#git('add', '.');
    this.commit('first');
    return this;
  }

  /** Changes a file of the next commit. */
  write(path: string, text: string): void {
    writeFileSync(join(this.path, path), text);
    this.#git('add', path);
  }

  /** @returns The commit. */
  commit(message: string): string {
    this.#git(
      '-c',
      'user.name=ada',
      '-c',
      'user.email=ada@example.com',
      'commit',
      '--quiet',
      '--allow-empty',
      '-m',
      message,
    );
    return this.#git('rev-parse', 'HEAD');
  }

  /** Tags the head and pushes that to a server of its own: what git refuses there no runner ever sees. @returns The ref. */
  pushTag(name: string): string {
    const server = `${this.path}.git`;
    if (!existsSync(server)) execFileSync('git', ['init', '--quiet', '--bare', server]);
    this.#git('tag', name);
    this.#git('push', '--quiet', server, `refs/tags/${name}`);
    return `refs/tags/${name}`;
  }

  /** A second working tree of its history, on another branch. */
  branch(name: string, path: string): Consumer {
    execFileSync('git', ['clone', '--quiet', this.path, path]);
    const clone = new Consumer(path);
    clone.#git('checkout', '--quiet', '-b', name);
    return clone;
  }

  #git(...args: string[]): string {
    return execFileSync('git', args, { cwd: this.path, encoding: 'utf8' }).trim();
  }
}

const isProgram = (path: string) => /\.(?:ya?ml|sh)$/.test(path);

/** nektos/act knows `owner/repository` alone; Gitea's runner, made from it, takes absolute addresses as well. */
const forEngine = (text: string) =>
  text
    .replaceAll(`${REPOSITORY}/`, 'tenant-fleet/fleet/')
    // The command as it would come from the registry.
    .replaceAll(
      /npx -y @tenant-fleet\/fleet-cli@[\d.]+/g,
      `node ${pathOf('packages/fleet-cli/dist/cli.js')}`,
    );
