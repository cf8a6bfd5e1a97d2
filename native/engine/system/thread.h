// Threads of this library.
#pragma once

#include <functional>

namespace bertha {

// Runs `body` on a thread of its own that nobody waits for, with a stack of a MiB at least: musl would give
// 128 KB, macOS 512. Throws std::system_error where the system refuses.
void start_thread(std::function<void()> body);

}  // namespace bertha
