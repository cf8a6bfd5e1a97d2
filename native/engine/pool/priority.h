// What comes first on the pool's threads.
#pragma once

#include <cstdint>

namespace bertha {

// Threads that compute something of lower priority look for interactive work often, and do it at once.
enum class Priority : int32_t { kInteractive, kBulk };

}  // namespace bertha
