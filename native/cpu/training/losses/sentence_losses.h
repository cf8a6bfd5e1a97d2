// Losses of sentence embeddings, as sentence-transformers defines them. Each returns the sum of its losses
// and writes d(embeddings) · scale; scale is weight / items of the step.
#pragma once

#include <cstdint>

#include "engine/pool/team.h"

namespace bertha::cpu {

// `columns` parts of `count` texts each, one after the other: anchors, positives, then hard negatives.
struct SentenceLossArgs {
    const float* embeddings = nullptr;  // [columns * count, width]
    float* grad = nullptr;              // likewise; written; not embeddings
    int64_t count = 0;
    int64_t columns = 2;
    int64_t width = 0;
    float scale = 1.0f;
};

// MultipleNegativesRankingLoss: the cross entropy of similarity · cosine(anchor, every text of the other
// columns) with the anchor's own positive as the label. Items: anchors. Throws OUT_OF_MEMORY.
double in_batch_softmax(const SentenceLossArgs& args, float similarity, Team& team);

// CosineSimilarityLoss: (cosine of the two columns - score)². scores [count]; NaN: the
// pair does not count. Items: pairs.
double cosine_similarity(const SentenceLossArgs& args, const float* scores);

// CoSENTLoss: log(1 + Σ e^(similarity · (cosine_i - cosine_j))) over all i, j with score_i < score_j. scores
// [count] likewise. It is one number for all pairs. Items: 1 for each call.
double cosent(const SentenceLossArgs& args, const float* scores, float similarity);

// TripletLoss by Euclidean distance: max(0, |a - p| - |a - n| + margin). Items: anchors.
double triplet(const SentenceLossArgs& args, float margin);

}  // namespace bertha::cpu
