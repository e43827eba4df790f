import { mkdirSync, openSync, closeSync, readdirSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { SekaliError } from "./errors.js";
import type { Spool } from "./publisher.js";

const SUFFIX = ".ndjson";
const LOCK = "LOCK";

interface File {
  name: string;
  events: number;
  bytes: number;
}

/**
 * A directory of batches, oldest first: one file each, named `NUMBER-EVENTS.ndjson`. A file has its
 * final name only once it is on disk, so a crash leaves whole batches. One process uses a directory
 * at a time.
 */
export class DirectorySpool implements Spool {
  readonly #directory: string;
  readonly #bytesMax: number;
  readonly #files: File[] = [];
  #next = 1;

  /** @param bytesMax limit of the directory; 1 GiB unless given */
  constructor(directory: string, bytesMax = 1024 * 1024 * 1024) {
    this.#directory = directory;
    this.#bytesMax = bytesMax;
    mkdirSync(directory, { recursive: true });
    lock(join(directory, LOCK));
    for (const name of readdirSync(directory).sort()) {
      const path = join(directory, name);
      if (name.endsWith(".tmp")) rmSync(path);
      const found = /^(\d+)-(\d+)\.ndjson$/.exec(name);
      if (found === null) continue;
      this.#files.push({ name, events: Number(found[2]), bytes: statSync(path).size });
      this.#next = Number(found[1]) + 1;
    }
  }

  get events(): number {
    return this.#files.reduce((sum, file) => sum + file.events, 0);
  }

  async append(lines: string[]): Promise<boolean> {
    const body = Buffer.from(lines.join("\n"));
    const used = this.#files.reduce((sum, file) => sum + file.bytes, 0);
    if (used + body.length > this.#bytesMax) return false;
    const name = `${String(this.#next).padStart(20, "0")}-${lines.length}${SUFFIX}`;
    const path = join(this.#directory, name);
    await write(`${path}.tmp`, body);
    await rename(`${path}.tmp`, path);
    await syncDirectory(this.#directory);
    this.#next += 1;
    this.#files.push({ name, events: lines.length, bytes: body.length });
    return true;
  }

  async first(): Promise<{ name: string; lines: string[] } | undefined> {
    const file = this.#files[0];
    if (file === undefined) return undefined;
    const text = await readFile(join(this.#directory, file.name), "utf8");
    return { name: file.name, lines: text.split("\n") };
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.#directory, name), { force: true });
    const index = this.#files.findIndex((file) => file.name === name);
    if (index >= 0) this.#files.splice(index, 1);
  }

  async close(): Promise<void> {
    await rm(join(this.#directory, LOCK), { force: true });
  }
}

/** Creates a lock file with the id of this process. One that a dead process left is replaced. */
function lock(path: string): void {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      const file = openSync(path, "wx");
      writeSync(file, String(process.pid));
      closeSync(file);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const owner = Number(readFileSync(path, "utf8"));
      if (isAlive(owner)) throw new SekaliError(`process ${owner} uses the spool; its lock is ${path}`);
      rmSync(path, { force: true });
    }
  }
  throw new SekaliError(`another process uses the spool; its lock is ${path}`);
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function write(path: string, body: Buffer): Promise<void> {
  const file = await open(path, "w");
  try {
    await file.writeFile(body);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
