import type { Decoder, DecoderStep } from '../definition/decoder.js';
import { codePointsOf } from '../unicode/code-point-set.js';
import type { JsonNode } from './json.js';
import { readPrependScheme } from './prepend-scheme.js';
import { readPattern } from './pattern-json.js';

/** What `readDecoder` takes, for messages. */
export const SUPPORTED_DECODERS =
  'WordPiece, ByteLevel, BPEDecoder, Metaspace, Fuse, Strip, Replace, ByteFallback, a Sequence of these, or none';

/** Reads the decoder of a tokenizer.json; the name of one that is not supported, which only fails `decode`. Errors: TOKENIZER. */
export function readDecoder(node: JsonNode | undefined): Decoder | string {
  if (node === undefined) return null;
  const steps = readSteps(node);
  return steps.find((step) => typeof step === 'string') ?? (steps as DecoderStep[]);
}

function readSteps(node: JsonNode): (DecoderStep | string)[] {
  const type = node.get('type');
  switch (type) {
    case 'WordPiece':
      return [{ type, prefix: node.string('prefix', '##'), cleanup: node.boolean('cleanup', true) }];
    case 'ByteLevel':
    case 'ByteFallback':
    case 'Fuse':
      return [{ type }];
    case 'BPEDecoder':
      return [{ type, suffix: node.string('suffix', '</w>') }];
    case 'Metaspace':
      return [{ type, replacement: oneCharacter(node, 'replacement', '\u2581'), isPrepended: readPrependScheme(node) !== 'never' }];
    case 'Strip':
      return [
        {
          type,
          content: oneCharacter(node, 'content', ' '),
          start: node.integer('start', 0, 0, Number.MAX_SAFE_INTEGER),
          stop: node.integer('stop', 0, 0, Number.MAX_SAFE_INTEGER),
        },
      ];
    case 'Replace':
      return [{ type, pattern: readPattern(node), content: node.string('content', '') }];
    case 'Sequence':
      return node.children('decoders').flatMap(readSteps);
  }
  return [node.string('type', 'unknown')];
}

function oneCharacter(node: JsonNode, name: string, fallback: string): string {
  const text = node.string(name, fallback);
  if (codePointsOf(text).length !== 1) throw node.wrong('one character', name, text);
  return text;
}
