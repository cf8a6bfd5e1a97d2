export * from './classification.js';
export * from './correlation.js';
export * from './entities.js';
export * from './probability.js';
export * from './ranking.js';
export * from './retrieval.js';
export { multiLabelScores, type MultiLabelScores } from './multi-label.js';
export type { Numbers } from './lists.js';
export { classificationReport, type Classes, type ReportObject, type ReportOptions, type ReportScores } from './report.js';
export { silhouette } from './silhouette.js';
export { bleu, type BleuOptions, type BleuScore, sentenceBleu } from './text/bleu.js';
export { chrf, type ChrfOptions } from './text/chrf.js';
export { rouge, type RougeScores, type RougeShares } from './text/rouge.js';
export { exactMatch, type References } from './text/texts.js';
export { squadScores, type SquadScores } from './squad.js';
export * from './averages.js';
// scikit-learn's names of what has a shorter one here.
export {
  accuracy as accuracyScore,
  balancedAccuracy as balancedAccuracyScore,
  cohenKappa as cohenKappaScore,
  matthews as matthewsCorrcoef,
  topKAccuracy as topKAccuracyScore,
} from './classification.js';
export { brier as brierScoreLoss } from './probability.js';
export { averagePrecision as averagePrecisionScore, rocAuc as rocAucScore } from './ranking.js';
export { silhouette as silhouetteScore } from './silhouette.js';
