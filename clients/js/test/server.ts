import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A server on loopback that can be killed and started again on its data. `SEKALI` is its binary. */
export class Server {
  readonly directory = mkdtempSync(join(tmpdir(), "sekali-js-"));
  #port = 0;
  #process: ChildProcess | undefined;

  static async stopped(): Promise<Server> {
    const server = new Server();
    server.#port = await freePort();
    return server;
  }

  static async running(): Promise<Server> {
    const server = await Server.stopped();
    await server.start();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    const args = ["serve", "--data-dir", join(this.directory, "data"), "--listen", `127.0.0.1:${this.#port}`];
    const log = openSync(join(this.directory, "server.log"), "a");
    this.#process = spawn(process.env["SEKALI"] ?? "sekali", args, { stdio: ["ignore", log, log] });
    closeSync(log);
    for (let attempt = 0; attempt < 600; attempt += 1) {
      if (await fetch(`${this.url}/readyz`).then((answer) => answer.ok, () => false)) return;
      await pause(50);
    }
    throw new Error(readFileSync(join(this.directory, "server.log"), "utf8"));
  }

  async kill(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (running === undefined) return;
    const ended = new Promise((resolve) => running.once("exit", resolve));
    running.kill("SIGKILL");
    await ended;
  }

  async stored(): Promise<number> {
    const stats = (await (await fetch(`${this.url}/stats`)).json()) as { unique_processed: number };
    return stats.unique_processed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : reject()));
    });
  });
}
