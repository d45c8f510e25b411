// The npm package on the same text: node reference.mjs FILE ENCODING SECONDS. Prints what Program.cs prints.
import { readFileSync } from "node:fs";
import { get_encoding } from "tiktoken";

const [file, name, seconds] = process.argv.slice(2);
const bytes = readFileSync(file);
const text = bytes.toString("utf8");
const encoding = get_encoding(name);

let tokens = 0;
let best = Infinity;
const started = performance.now();
do {
  const from = performance.now();
  tokens = encoding.encode_ordinary(text).length;
  best = Math.min(best, performance.now() - from);
} while (performance.now() - started < Number(seconds) * 1000);

console.log(JSON.stringify({ tokens, encode_mb_per_s: bytes.length / 1e3 / best }));
