import { unexpected } from '../../expected.js';
import { type JsonNode, unsupported } from './json.js';
import type { NormalizerStep } from '../normalizers/steps.js';
import { Charsmap } from '../normalizers/precompiled/charsmap.js';
import { readReplacePattern } from './pattern-json.js';
import { codePointsOf } from '../unicode/code-point-set.js';

const SUPPORTED =
  'BertNormalizer, Lowercase, StripAccents, NFC, NFD, NFKC, NFKD, Nmt, Precompiled, Strip, Replace, Prepend, a Sequence of these, or none';

/** Reads the normalizer of a tokenizer.json. Errors: TOKENIZER. */
export function readNormalizer(node: JsonNode | undefined): NormalizerStep[] {
  if (node === undefined) return [];
  const type = node.get('type');
  switch (type) {
    case 'BertNormalizer': {
      const lowercase = node.boolean('lowercase', true);
      return [
        {
          type,
          cleanText: node.boolean('clean_text', true),
          handleChineseChars: node.boolean('handle_chinese_chars', true),
          stripAccents: node.boolean('strip_accents', lowercase),
          lowercase,
        },
      ];
    }
    case 'Lowercase':
    case 'StripAccents':
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD':
    case 'Nmt':
      return [{ type }];
    case 'Precompiled':
      return [{ type, charsmap: readCharsmap(node) }];
    case 'Strip':
      return [{ type, left: node.boolean('strip_left', true), right: node.boolean('strip_right', true) }];
    case 'Replace':
      return [{ type, pattern: readReplacePattern(node), content: codePointsOf(node.string('content', '')) }];
    case 'Prepend': {
      const content = codePointsOf(node.string('prepend', ''));
      if (content.length === 0) throw node.wrong('a text that is not empty', 'prepend', node.get('prepend'));
      return [{ type, content }];
    }
    case 'Sequence':
      return node.children('normalizers').flatMap(readNormalizer);
  }
  throw unsupported(node, SUPPORTED);
}

function readCharsmap(node: JsonNode): Charsmap {
  const name = 'precompiled_charsmap';
  const encoded = node.string(name, '');
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(encoded)) throw node.wrong('base64', name, encoded);
  return new Charsmap(Buffer.from(encoded, 'base64'), (fault) =>
    unexpected('TOKENIZER', `a character map for ${node.path}: ${name}`, fault),
  );
}
