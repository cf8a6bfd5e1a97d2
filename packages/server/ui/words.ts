// Everything that the page says, in its two languages.

const english = {
  subtitle: 'encoders, served',
  language: 'Language',
  key: 'API key',
  tasks: 'Tasks',
  model: 'Model',
  run: 'Run',
  running: 'Running …',
  loading: 'Loading …',
  noModels: 'No model is loaded yet.',
  linesHint: 'One text a line.',
  tokensRead: 'tokens',
  // Fields
  texts: 'Texts',
  text: 'Text',
  query: 'Query',
  documents: 'Documents',
  labels: 'Labels, one a line',
  question: 'Question',
  context: 'Context',
  first: 'First sentence',
  second: 'Second sentence',
  choices: 'Choices, one a line',
  maxTokens: 'Most tokens a piece',
  layer: 'Layer',
  head: 'Head',
  from: 'From token',
  // Results
  score: 'Score',
  label: 'Label',
  word: 'Word',
  sequence: 'Text with it',
  place: 'Place',
  id: 'Id',
  start: 'Start',
  end: 'End',
  special: 'special',
  token: 'Token',
  none: 'Nothing was found.',
  isNext: 'follows',
  notNext: 'does not follow',
  headsOf: 'Heads × tokens: where each head looks from the token',
  tokensOf: 'Tokens × tokens: the chosen head',
  similarity: 'Cosine similarity',
  replacedHint: 'Tokens that look out of place',
  // Status
  ready: 'ready',
  notReady: 'not ready',
  requests: 'Requests a second',
  tokenRate: 'Tokens a second',
  latency: 'Milliseconds a request',
  waiting: 'Milliseconds in the queue',
  batch: 'Sequences a batch',
  batchTokens: 'Tokens a batch',
  inFlight: 'Requests in flight',
  memory: 'Memory, MB',
  models: 'Models',
  abilities: 'Can',
  dimensions: 'Dimensions',
  longest: 'Longest input',
};

/** Names of strings. */
export type Word = keyof typeof english;

const chinese: Record<Word, string> = {
  subtitle: '编码器服务',
  language: '语言',
  key: 'API 密钥',
  tasks: '任务',
  model: '模型',
  run: '运行',
  running: '运行中……',
  loading: '加载中……',
  noModels: '尚未加载任何模型。',
  linesHint: '每行一段文本。',
  tokensRead: '个词元',
  texts: '文本',
  text: '文本',
  query: '查询',
  documents: '文档',
  labels: '标签，每行一个',
  question: '问题',
  context: '上下文',
  first: '第一句',
  second: '第二句',
  choices: '选项，每行一个',
  maxTokens: '每段最多词元数',
  layer: '层',
  head: '注意力头',
  from: '起始词元',
  score: '得分',
  label: '标签',
  word: '词',
  sequence: '填入后的文本',
  place: '位置',
  id: '编号',
  start: '起点',
  end: '终点',
  special: '特殊',
  token: '词元',
  none: '没有结果。',
  isNext: '是下一句',
  notNext: '不是下一句',
  headsOf: '注意力头 × 词元：每个头从所选词元看向何处',
  tokensOf: '词元 × 词元：所选的头',
  similarity: '余弦相似度',
  replacedHint: '看起来不合适的词元',
  ready: '就绪',
  notReady: '未就绪',
  requests: '每秒请求数',
  tokenRate: '每秒词元数',
  latency: '每个请求的毫秒数',
  waiting: '排队毫秒数',
  batch: '每批序列数',
  batchTokens: '每批词元数',
  inFlight: '处理中的请求',
  memory: '内存（MB）',
  models: '模型',
  abilities: '能力',
  dimensions: '维数',
  longest: '最长输入',
};

/** The languages by the tags that documents are marked with. */
export const languages = { en: { name: 'English', words: english }, zh: { name: '中文', words: chinese } } as const;

export type Language = keyof typeof languages;

/** The strings of a language. */
export type Words = Readonly<Record<Word, string>>;

/** The language that a person chose, or that the browser asks for. */
export function initialLanguage(chosen: string | null, asked: string): Language {
  if (chosen === 'en' || chosen === 'zh') return chosen;
  return asked.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}
