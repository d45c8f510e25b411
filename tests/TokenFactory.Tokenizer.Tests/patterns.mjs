// Writes patterns.jsonl: texts in which the pre-tokenisation patterns backtrack or meet, with the pieces that the
// published regular expressions cut them into and the ids that the npm package tiktoken gives them. Ids alone would not
// do: few tokens span a place where a pattern is hard, so a wrong cut rarely shows in them. Run after `npm ci` in bench/tokenizer: node patterns.mjs > patterns.jsonl
import { createRequire } from "node:module";

const { get_encoding } = createRequire(new URL("../../bench/tokenizer/package.json", import.meta.url))("tiktoken");
const encodings = ["o200k_base", "cl100k_base"].map((name) => [name, get_encoding(name)]);
const fragments = [
  "a", "b", "A", "B", "XY", "the", "ſ", "İ", "ǅ", "ª", "字", "ー", "п", "Я", "\u0301", "\u093f", "ʰ", "'", "'s", "'LL", "'ſ", "'r", "'RE",
  "1", "23", "4567", "½", "Ⅷ", " ", "  ", "\t", "\n", "\r\n", "\r", "\v", "\u00a0", "\u0085", "\u2028", "\u3000", "!", "...", "/", "//", "\n/",
  "😀", "\u200d", "\0", "<|endoftext|>",
];

// As published, in this language's terms: \s is White_Space, and a case-insensitive s is also the long one.
const contraction = "(?:'[sSſ]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";
const head = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
const tail = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
const space = "\\p{White_Space}*[\\r\\n]+|\\p{White_Space}+(?!\\P{White_Space})|\\p{White_Space}+";
const patterns = [
  `[^\\r\\n\\p{L}\\p{N}]?${head}*${tail}+${contraction}?|[^\\r\\n\\p{L}\\p{N}]?${head}+${tail}*${contraction}?|` +
    `\\p{N}{1,3}| ?[^\\p{White_Space}\\p{L}\\p{N}]+[\\r\\n/]*|${space}`,
  `${contraction}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\p{White_Space}\\p{L}\\p{N}]+[\\r\\n]*|${space}`,
].map((pattern) => new RegExp(pattern, "gu"));

let state = 7;
function below(limit) {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
}

for (let line = 0; line < 1000; line++) {
  const text = Array.from({ length: 2 + below(8) }, () => fragments[below(fragments.length)]).join("");
  const ids = encodings.map(([name, encoding]) => [name, Array.from(encoding.encode_ordinary(text))]);
  const pieces = encodings.map(([name], index) => [`${name}_pieces`, text.match(patterns[index])]);
  console.log(JSON.stringify({ text, ...Object.fromEntries([...ids, ...pieces]) }));
}
