#include "addon/weights/file_identity.h"

#include <cerrno>
#include <chrono>
#include <cstring>

#include "engine/check.h"

namespace bertha::addon {
namespace {

// File systems stamp changes with the kernel's tick, 1 to 16 ms; some count in seconds.
constexpr int64_t kSettledAfterNs = 2'000'000'000;

}  // namespace

FileIdentity identify_file(const File& file) {
    FileFacts facts;
    BERTHA_CHECK(file.facts(facts), "IO", "cannot look at a weight file: %s", std::strerror(errno));
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    FileIdentity identity;
    identity.device = facts.device;
    identity.inode = facts.inode;
    identity.size = facts.size;
    identity.modified_ns = facts.modified_ns;
    identity.changed_ns = facts.changed_ns;
    // Some of Windows' file systems stamp no changes: then none is ever settled.
    identity.settled = facts.changed_ns > 0 &&
                       std::chrono::nanoseconds(now).count() - facts.changed_ns > kSettledAfterNs;
    return identity;
}

}  // namespace bertha::addon
