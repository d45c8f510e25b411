// Writes deterministic English text of about one megabyte: sentences of common and less common words in paragraphs, with
// the punctuation, names, numbers, lists, code spans and dialogue that prompts have. The same bytes on every machine.
import { writeFileSync } from "node:fs";

const words = {
  determiner: "the a this that each every some any another our their its his her no such".split(" "),
  adjective: (
    "small large early late public private quiet sudden careful reliable expensive regional temporary historical " +
    "unexpected ordinary remarkable independent difficult transparent provisional agricultural simultaneous " +
    "well-known so-called northern bright cold uneven generous deliberate opaque brittle durable"
  ).split(" "),
  noun: (
    "house river committee engineer customer machine letter afternoon decision government morning question village " +
    "contract library teacher invoice harvest newspaper railway harbour conversation neighbour measurement budget " +
    "experiment gateway tokenizer orchestra photograph apprentice misunderstanding infrastructure telescope winter " +
    "reservation settlement protocol ledger merchant algorithm hypothesis cathedral sandwich umbrella bureaucracy"
  ).split(" "),
  verb: (
    "carried found described measured rejected followed explained returned opened considered repaired promised " +
    "delivered remembered translated postponed questioned abandoned calculated negotiated overheard photographed " +
    "reconsidered outlined acknowledged watched built kept sent sold understood"
  ).split(" "),
  adverb: "slowly often quickly hardly almost certainly rarely together eventually politely nevertheless abroad twice".split(" "),
  preposition: "of in on under with without between behind near during against across beyond throughout according-to".split(" "),
  conjunction: "and but because although while so unless whereas before after".split(" "),
  name: "Alice Bogdan Chidinma Dr.Marsh Eleanor Fitzgerald Guadalupe Henrik O'Neill Zürich Lisbon Nairobi Wellington".split(" "),
  aside: [
    "it's not that simple", "they've said so before", "I don't know", "we'll see", "you're probably right", "as he'd hoped",
    "see section 4.2", "e.g. on Tuesdays", "roughly 37 percent", "since 1986", "at 10:45", "for $1,250.00", "`gateway serve`",
    "https://example.org/notes?id=81", "COVID-19", "the U.S. embassy", "v2.0.1", "(if at all)",
  ],
};

// A small multiplicative generator, because Math.random cannot be seeded.
let state = 20_240_513;
function below(limit) {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
}

// Squaring the draw prefers the front of each list: some words are common, most are not, as in any text.
const pick = (kind) => words[kind][Math.floor((below(1000) / 1000) ** 1.5 * words[kind].length)];
const chance = (percent) => below(100) < percent;

function phrase() {
  if (chance(12)) return pick("name");
  const adjective = chance(45) ? `${pick("adjective")} ` : "";
  const plural = chance(25) ? "s" : "";
  return `${pick("determiner")} ${adjective}${pick("noun")}${plural}`;
}

function clause() {
  const adverb = chance(30) ? `${pick("adverb")} ` : "";
  const place = chance(60) ? ` ${pick("preposition")} ${phrase()}` : "";
  return `${phrase()} ${adverb}${pick("verb")} ${phrase()}${place}`;
}

function sentence() {
  let text = clause();
  if (chance(45)) text += `${chance(50) ? "," : ""} ${pick("conjunction")} ${clause()}`;
  if (chance(20)) text += `, ${pick("aside")}`;
  text = text[0].toUpperCase() + text.slice(1) + (chance(90) ? "." : chance(50) ? "?" : "!");
  return chance(8) ? `"${text}" said ${pick("name")}.` : text;
}

function paragraph() {
  const count = 2 + below(5);
  const mark = chance(12) ? "- " : chance(5) ? `${1 + below(30)}. ` : "";
  return mark + Array.from({ length: count }, sentence).join(" ");
}

let text = "";
while (text.length < 1_000_000) text += `${paragraph()}${chance(80) ? "\n\n" : "\n"}`;
writeFileSync(process.argv[2], text);
