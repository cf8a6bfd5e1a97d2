// What ops are told beside values and weights; all that kernels need to know of a program.
#pragma once

#include <cstdint>

namespace bertha {

constexpr int32_t kNoIndex = -1;
constexpr int32_t kTargetsPerRow = 16;  // columns that pick_targets takes from each row

enum class Activation : int32_t {
    kNone,
    kGelu,
    kGeluTanh,
    kRelu,
    kSilu,
    kTanh,
    kSigmoid,
    kQuickGelu,
    kRelu6,
    kReluSquared,
    kLeakyRelu,
    kMish
};

enum class PoolMode : int32_t { kCls, kMean, kMax, kMeanSqrtLen, kWeightedMean, kLastToken };

}  // namespace bertha
