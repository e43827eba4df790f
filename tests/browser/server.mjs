// A server of the real binary, with its own directory, on a free port.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const BINARY = process.env.SEKALI_BINARY ?? "target/release/sekali";

export class Server {
  /** Starts one; `keys` are lists of arguments of `sekali keys create`. */
  static async start({ keys = [], args = [] } = {}) {
    const server = new Server();
    server.dir = mkdtempSync(join(tmpdir(), "sekali-browser-"));
    server.data = join(server.dir, "data");
    server.args = args;
    server.keys = keys.map((one) =>
      execFileSync(BINARY, ["keys", "create", "--data-dir", server.data, ...one], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }).trim(),
    );
    await server.up("127.0.0.1:0");
    return server;
  }

  /** Serves on this address until `down`. Its standard input ends with this process, and so does it. */
  async up(address) {
    const arguments_ = ["serve", "--announce", "--until-stdin-ends", "--listen", address, "--data-dir", this.data];
    this.process = spawn(BINARY, [...arguments_, ...this.args], { stdio: ["pipe", "pipe", "ignore"] });
    this.ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.url = await new Promise((resolve, reject) => {
      let text = "";
      this.process.stdout.on("data", (part) => {
        text += part;
        const found = /listening on (\S+)/.exec(text);
        if (found) resolve(found[1]);
      });
      this.process.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    });
  }

  async down(signal = "SIGTERM") {
    this.process.kill(signal);
    await this.ended;
  }

  async again() {
    await this.up(new URL(this.url).host);
  }

  async stop() {
    await this.down("SIGKILL");
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }

  async publish(events, key) {
    const headers = { "content-type": "application/json", ...(key ? { authorization: `Bearer ${key}` } : {}) };
    const answer = await fetch(`${this.url}/publish`, { method: "POST", headers, body: JSON.stringify(events) });
    if (answer.status !== 202) throw new Error(`${answer.status} ${await answer.text()}`);
    return answer.json();
  }
}

/** An event of a web server, number `at`: one in five fails, and each is a second later. */
export function access(at) {
  return {
    topic: "web.access",
    event_id: `id-${at}`,
    timestamp: new Date(Date.UTC(2026, 0, 1, 12) + at * 1000).toISOString(),
    source: `host-${at % 4}`,
    payload: {
      status: [200, 200, 404, 200, 500][at % 5],
      method: at % 3 ? "GET" : "POST",
      path: ["/", "/cart", "/pay", "/search?q=a b"][at % 4],
      duration_ms: (at * 37) % 900,
      user: { id: at % 50, plan: "pro" },
    },
  };
}

export const many = (count, from = 0) => Array.from({ length: count }, (_, at) => access(from + at));
