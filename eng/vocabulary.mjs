// Converts the rank files of the npm package `tiktoken` (its encoders/*.json) into our embedded vocabularies.
//
//   node eng/vocabulary.mjs <directory of the unpacked package>
//
// Format, brotli-compressed: token count (uint32, little endian), one length byte per token, then all tokens' bytes
// back to back; a token's place is its id, which is also its merge rank. Lengths stand apart from the bytes because
// the two compress better that way. Special tokens are left out: in text they are ordinary characters.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";

const target = join(dirname(fileURLToPath(import.meta.url)), "../src/TokenFactory.Tokenizer/Vocabularies");
const source = process.argv[2];
if (!source) {
  console.error("usage: node eng/vocabulary.mjs <directory of the unpacked npm package tiktoken>");
  process.exit(2);
}

for (const name of ["o200k_base", "cl100k_base"]) {
  const tokens = readTokens(JSON.parse(readFileSync(join(source, "encoders", `${name}.json`), "utf8")).bpe_ranks);
  const count = Buffer.alloc(4);
  count.writeUInt32LE(tokens.length);
  const plain = Buffer.concat([count, Buffer.from(tokens.map((token) => token.length)), ...tokens]);
  const packed = brotliCompressSync(plain, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_LGWIN]: 24,
      [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
    },
  });
  writeFileSync(join(target, `${name}.br`), packed);
  console.log(`${name}: ${tokens.length} tokens, ${plain.length} bytes, ${packed.length} compressed`);
}

// Each line is "! <first id> <base64> <base64> …": tokens in id order from that id on.
function readTokens(ranks) {
  const tokens = [];
  for (const line of ranks.split("\n").filter((text) => text !== "")) {
    const [, first, ...encoded] = line.split(" ");
    encoded.forEach((token, index) => (tokens[Number(first) + index] = Buffer.from(token, "base64")));
  }
  for (let id = 0; id < tokens.length; id++) {
    if (!tokens[id] || tokens[id].length === 0 || tokens[id].length > 255) {
      throw new Error(`token ${id} is missing or longer than a length byte can say`);
    }
  }
  return tokens;
}
