export { pipeline } from './pipeline.js';
export type {
  ChoiceOutput,
  FeaturePipelineOptions,
  PipelineCallOptions,
  NextSentenceOutput,
  OneOrMany,
  PairInput,
  Pipeline,
  PipelineBase,
  PipelineCalls,
  PipelineOptions,
  ReadyEvent,
  ResolvedTask,
  PipelineResult,
  TaskAliases,
  TaskName,
  ZeroShotOutput,
} from './types.js';
