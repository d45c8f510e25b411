// Starts the built gateway as a process of its own, on a free port and a fresh data folder: alone, or in front of another
// server ({ baseURL, key }), which it asks in OpenAI's dialect or in Anthropic's.
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const dll = fileURLToPath(new URL("../../../artifacts/bin/TokenFactory.Gateway/release/gateway.dll", import.meta.url));

// Below the kernel's range for outgoing connections, so that none of those can take it first.
async function freePort() {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 20000 + Math.floor(Math.random() * 12000);
    const free = await new Promise((resolve) => {
      const server = createServer().once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
  throw new Error("no free port");
}

const ALONE = "models: [ { name: echo, deployments: [ { use: loopback } ] } ]\n";

const inFrontOf = (baseURL) => `
providers:
  - { name: far, kind: anthropic, credential: env:UPSTREAM_KEY }
deployments:
  - { name: far-echo, provider: far, endpoints: ["${baseURL}"], model: echo }
models:
  - { name: echo, deployments: [ { use: far-echo } ] }
`;

export async function startGateway(upstream, kind = "openai") {
  const data = await mkdtemp(join(tmpdir(), "gateway-node-"));
  const url = `http://127.0.0.1:${await freePort()}`;
  // The built-in model under a second name: a gateway in front of this one has a loopback of its own.
  const config = join(data, "gateway.yaml");
  await writeFile(config, upstream ? inFrontOf(upstream.baseURL) : ALONE);
  const front = upstream && kind === "openai" ? ["--upstream", upstream.baseURL, "--upstream-key", "UPSTREAM_KEY"] : ["--config", config];
  const child = spawn("dotnet", [dll, "serve", "--data", data, "--urls", url, ...front], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, UPSTREAM_KEY: upstream?.key ?? "" },
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  let output = "";
  child.stdout.on("data", (bytes) => (output += bytes));
  child.stderr.on("data", (bytes) => (output += bytes));
  for (let attempt = 0; ; attempt++) {
    const key = /tfk_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}/.exec(output)?.[0];
    const ready = await fetch(`${url}/health/ready`).then((r) => r.ok, () => false);
    if (key && ready) {
      return {
        baseURL: `${url}/v1`,
        url,
        key,
        stop: async () => {
          child.kill("SIGTERM");
          await exited;
          await rm(data, { recursive: true, force: true });
        },
      };
    }
    if (child.exitCode !== null || attempt === 300) {
      child.kill("SIGKILL");
      throw new Error(`the gateway did not start:\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
