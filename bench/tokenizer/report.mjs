// node report.mjs ENCODING OURS THEIRS: the median of the rounds of each, and how many times faster ours is.
import { readFileSync } from "node:fs";

const [encoding, ours, theirs] = process.argv.slice(2);
const read = (file) => readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line));
const median = (rounds, key) => rounds.map((round) => round[key]).sort((a, b) => a - b)[rounds.length >> 1];

const [us, them] = [read(ours), read(theirs)];
const counts = new Set([...us, ...them].map((round) => round.tokens));
if (counts.size !== 1) {
  console.error(`${encoding}: token counts differ: ${[...counts].join(", ")}`);
  process.exit(1);
}

const theirSpeed = median(them, "encode_mb_per_s");
for (const [what, key] of [["encode", "encode_mb_per_s"], ["count", "count_mb_per_s"]]) {
  const speed = median(us, key);
  console.log(
    `${encoding} ${what}: ours ${speed.toFixed(1)} MB/s, npm tiktoken ${theirSpeed.toFixed(1)} MB/s, ` +
      `${(speed / theirSpeed).toFixed(1)} times (${[...counts][0]} tokens each, ${us.length} rounds)`,
  );
}
