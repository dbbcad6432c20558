// Text from a model, character by character, as `keras_vit.text.generate` writes it.

import { gumbelNoise } from "./noise.js";

const NEWLINE = 0;
const UNKNOWN = "\ufffd"; // how an unknown character is written

/** The tokens of a prefix. Throws where the model does not know a character. */
export function encode(prefix, { characters, unknown, lines }) {
  const known = [...characters];
  const tokens = [...prefix].map((character) => known.indexOf(character));
  if (lines && tokens.includes(NEWLINE)) throw new Error("Each text is one line: take the line break out of the beginning.");
  if (unknown === "unk") return tokens.map((token) => (token < 0 ? known.length : token));
  const unseen = [...prefix].filter((_, i) => tokens[i] < 0);
  if (unseen.length) {
    throw new Error(`The model has not seen ${quoted(unseen)}. It knows ${quoted(known.slice(1))}.`);
  }
  return tokens;
}

function quoted(characters) {
  return [...new Set(characters)].map((character) => JSON.stringify(character)).join(" ");
}

/**
 * Yields the characters of one text after its prefix.
 *
 * `reader` has `begin()` and `read(token)`, which gives the logits of what follows. The same `seed` and
 * `sample`, the number of the text, give the text that Python gives.
 */
export async function* write(reader, description, { prefix, temperature, topK, seed, sample }) {
  const known = [...description.characters, UNKNOWN];
  const start = [NEWLINE, ...encode(prefix, description)];
  const excluded = description.unknown === "unk" ? known.length - 1 : null;
  const noise = gumbelNoise(seed, sample);
  reader.begin();
  let logits;
  for (const token of start) logits = await reader.read(token);
  for (let length = start.length - 1; length < description.max_length; length++) {
    const token = draw(logits, noise(logits.length), { temperature, topK, excluded });
    if (description.lines && token === NEWLINE) return;
    yield known[token];
    logits = await reader.read(token);
  }
}

/** The token of the largest sum of a scaled logit and Gumbel noise, among the likeliest. */
export function draw(logits, noise, { temperature, topK, excluded }) {
  const tokens = [...logits.keys()].filter((token) => token !== excluded);
  const allowed = tokens.sort((a, b) => logits[b] - logits[a]).slice(0, topK ?? tokens.length);
  const score = (token) => logits[token] / temperature + noise[token];
  return allowed.reduce((best, token) => (score(token) > score(best) ? token : best));
}
