// Losses whose softmax runs over neighbouring rows: choices of a question, tokens of a text. Each returns the
// sum of its losses in float64 and writes d(logits) · scale; scale is weight / items of the step, where items
// counts what counts: groups, or half the positions. grad may be logits.
#pragma once

#include <cstdint>

namespace bertha::cpu {

// Multiple choice: cross entropy over each `choices` neighbouring rows of logits [groups * choices, 1].
// labels [groups * choices]: that of a group stands at its first row; below 0: the group does not count.
double choice_cross_entropy(const float* logits, const int32_t* labels, int64_t groups, int64_t choices,
                            float scale, float* grad);

// Extractive question answering: half the cross entropy of the start plus half that of the end, each over the
// tokens of its own sequence. logits, grad [tokens, 2]; offsets [sequences + 1] in tokens; spans
// [sequences, 2]: a position outside 0 .. length - 1 does not count.
double span_cross_entropy(const float* logits, const int32_t* spans, const int32_t* offsets,
                          int64_t sequences, float scale, float* grad);

}  // namespace bertha::cpu
