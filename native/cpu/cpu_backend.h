// Runs programs on the CPU: weights packed once, row blocks that stay in L2, threads that share ops only when
// a batch is too small to give each its own.
#pragma once

#include <memory>

#include "engine/backend.h"

namespace bertha::cpu {

// Packs the weights on the team's threads, or maps them from the cache (null: none). Throws PRECISION for a
// precision this processor or build cannot run.
std::unique_ptr<LoadedModel> load(std::shared_ptr<const Program> program, WeightSource& source,
                                  const std::string& precision, Team& team, WeightCache* cache);

}  // namespace bertha::cpu
