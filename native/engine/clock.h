// The clock of deadlines and timings.
#pragma once

#include <chrono>

namespace bertha {

using Clock = std::chrono::steady_clock;

}  // namespace bertha
