import type { TokenizerDefinition } from '../definition/definition.js';
import { bareTemplate, bertTemplate, robertaTemplate, type Template, type TemplatePiece } from '../definition/template.js';
import { type JsonNode, unsupported } from './json.js';
import { checkedId } from './model-json.js';

/** What `readPostProcessor` takes, for messages. */
export const SUPPORTED_POST_PROCESSORS =
  'TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel, ByteLevel before one of them in a Sequence, or none';

type PostProcessor = Pick<TokenizerDefinition, 'template' | 'trimOffsets'>;

/** Reads the post_processor of a tokenizer.json. Errors: TOKENIZER. */
export function readPostProcessor(node: JsonNode | undefined): PostProcessor {
  if (node === undefined) return { template: bareTemplate, trimOffsets: undefined };
  switch (node.get('type')) {
    case 'BertProcessing':
      return { template: bertTemplate(tokenId(node, 'cls'), tokenId(node, 'sep')), trimOffsets: undefined };
    case 'RobertaProcessing':
      return { template: robertaTemplate(tokenId(node, 'cls'), tokenId(node, 'sep')), trimOffsets: readTrimOffsets(node) };
    case 'ByteLevel':
      return { template: bareTemplate, trimOffsets: readTrimOffsets(node) };
    case 'TemplateProcessing':
      return { template: readTemplate(node), trimOffsets: undefined };
    case 'Sequence':
      return readSequence(node);
  }
  throw unsupported(node, SUPPORTED_POST_PROCESSORS);
}

/** ByteLevel trims offsets, then one other adds its tokens. */
function readSequence(node: JsonNode): PostProcessor {
  const steps = node.children('processors');
  const read = steps.map(readPostProcessor);
  const isTrimming = (step: JsonNode) => step.get('type') === 'ByteLevel';
  const templates = steps.findIndex((step) => !isTrimming(step));
  const isOrdered = templates < 0 || templates === steps.length - 1;
  const trimming = read.flatMap(({ trimOffsets }) => trimOffsets ?? []);
  if (!isOrdered || trimming.length > 1) throw unsupported(node, SUPPORTED_POST_PROCESSORS);
  return { template: read.at(-1)?.template ?? bareTemplate, trimOffsets: trimming[0] };
}

function readTrimOffsets(node: JsonNode): PostProcessor['trimOffsets'] {
  const addPrefixSpace = node.boolean('add_prefix_space', true);
  return node.boolean('trim_offsets', true) ? { addPrefixSpace } : undefined;
}

/** The id of a `["[CLS]", 101]`. */
function tokenId(node: JsonNode, name: string): number {
  const value = node.get(name);
  if (!Array.isArray(value)) throw node.wrong('a token and its id', name, value);
  return checkedId(node, name, value[1]);
}

function readTemplate(node: JsonNode): Template {
  const special = new Map<string, number[]>();
  const tokens = node.child('special_tokens');
  for (const name of tokens?.keys ?? []) {
    const token = tokens?.child(name);
    const ids = token?.get('ids');
    if (token === undefined || !Array.isArray(ids)) throw node.wrong('special tokens with ids', name, ids);
    special.set(
      name,
      ids.map((id) => checkedId(token, 'ids', id)),
    );
  }
  const pieces = (name: 'single' | 'pair'): TemplatePiece[] =>
    node.children(name).flatMap((piece): TemplatePiece[] => {
      const part = piece.child('Sequence') ?? piece.child('SpecialToken');
      if (part === undefined) throw piece.wrong('a Sequence or SpecialToken', 'type', piece.keys.join());
      const typeId = part.integer('type_id', 0, 0, 255);
      if (piece.has('Sequence')) {
        const sequence = part.oneOf('id', name === 'pair' ? ['A', 'B'] : ['A'], 'A') === 'A' ? 0 : 1;
        return [{ kind: 'sequence', sequence, typeId }];
      }
      const ids = special.get(part.string('id', ''));
      if (ids === undefined) throw part.wrong('one of the special tokens', 'id', part.get('id'));
      return ids.map((id) => ({ kind: 'special', id, typeId }));
    });
  const template = { single: pieces('single'), pair: pieces('pair') };
  for (const name of ['single', 'pair'] as const) {
    const parts = template[name].flatMap((piece) => (piece.kind === 'sequence' ? [piece.sequence] : []));
    if (new Set(parts).size < parts.length) throw node.wrong('each sequence once', name, node.get(name));
  }
  return template;
}
