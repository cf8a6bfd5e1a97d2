// Tokens with their places in the text, and the way back. Needs no native code.
import { loadTokenizer } from 'bertha-encoder';

const tokenizer = await loadTokenizer();
const text = 'Übergrößen sell well 🚀';
const { ids, tokens, offsets } = tokenizer.encode(text, { offsets: true });
tokens.forEach((token, i) =>
  console.log(String(ids[i]).padStart(6), token.padEnd(8), JSON.stringify(text.slice(offsets[2 * i], offsets[2 * i + 1]))),
);
console.log(tokenizer.decode(ids, { skipSpecialTokens: true }));
