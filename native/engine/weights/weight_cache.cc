#include "engine/weights/weight_cache.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <vector>

#include "engine/check.h"
#include "engine/system/file.h"
#include "engine/weights/checksum.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace bertha {
namespace {

constexpr char kMagic[8] = {'B', 'E', 'R', 'T', 'H', 'A', 'W', '1'};
constexpr int64_t kPage = 4096;
constexpr int64_t kChunk = int64_t{1} << 20;  // bytes under one checksum
constexpr int64_t kLargestHeader = int64_t{1} << 26;
constexpr auto kAbandonedAfter = std::chrono::hours(1);
constexpr const char* kTemporaryMark = ".weights.tmp-";

struct Prefix {
    char magic[8];
    uint64_t header_bytes;  // to the weights; a multiple of the page
    uint64_t key_bytes;
    uint64_t weight_bytes;
    uint64_t checksum;  // of the rest of the header, this field being 0
};

int64_t chunks_of(int64_t bytes) { return (bytes + kChunk - 1) / kChunk; }

std::vector<uint64_t> chunk_checksums(const uint8_t* weights, int64_t bytes, Team& team) {
    std::vector<uint64_t> sums(static_cast<size_t>(chunks_of(bytes)));
    team.run(chunks_of(bytes), [&](int64_t chunk, int) {
        const int64_t begin = chunk * kChunk;
        sums[static_cast<size_t>(chunk)] = checksum(weights + begin, std::min(kChunk, bytes - begin));
    });
    return sums;
}

// Maps the pages of a chunk in one go. A page that cannot be read is an error here and a signal later.
bool map_pages(const uint8_t* data, int64_t bytes) {
#if defined(MADV_POPULATE_READ)
    // Systems before Linux 5.14 do not know the advice.
    return ::madvise(const_cast<uint8_t*>(data), static_cast<size_t>(bytes), MADV_POPULATE_READ) == 0 ||
           errno == EINVAL;
#else
    (void)data, (void)bytes;
    return true;
#endif
}

std::string make_header(const std::string& key, int64_t bytes, const std::vector<uint64_t>& sums) {
    const size_t used = sizeof(Prefix) + key.size() + sums.size() * sizeof(uint64_t);
    std::string header((used + kPage - 1) / kPage * kPage, '\0');
    Prefix prefix{};
    std::memcpy(prefix.magic, kMagic, sizeof kMagic);
    prefix.header_bytes = header.size();
    prefix.key_bytes = key.size();
    prefix.weight_bytes = static_cast<uint64_t>(bytes);
    std::memcpy(&header[0], &prefix, sizeof prefix);
    std::memcpy(&header[sizeof prefix], key.data(), key.size());
    std::memcpy(&header[sizeof prefix + key.size()], sums.data(), sums.size() * sizeof(uint64_t));
    prefix.checksum = checksum(header.data(), static_cast<int64_t>(header.size()));
    std::memcpy(&header[0], &prefix, sizeof prefix);
    return header;
}

// Removes what processes that were killed while they wrote have left.
void remove_abandoned(const std::string& directory) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    for (const std::string& name : names_in(directory)) {
        if (name.find(kTemporaryMark) == std::string::npos) continue;
        const std::string path = directory + "/" + name;
        FileFacts facts;
        const bool is_file = File(path, File::Mode::kReadNoWait).facts(facts) && facts.is_regular;
        if (is_file && now - std::chrono::nanoseconds(facts.modified_ns) > kAbandonedAfter) remove_file(path);
    }
}

}  // namespace

MappedWeights::~MappedWeights() { unmap(mapping_, mapped_bytes_); }

std::string WeightCache::key(const std::string& layout) const {
    return model_ + '\n' + layout + '\n' + version_;
}

void WeightCache::choose_path(const std::string& layout) {
    const std::string text = model_ + '\n' + layout;
    char name[32];
    std::snprintf(name, sizeof name, "/%016llx.weights",
                  static_cast<unsigned long long>(checksum(text.data(), static_cast<int64_t>(text.size()))));
    path_ = directory_ + name;
}

std::unique_ptr<const MappedWeights> WeightCache::load(const std::string& layout, int64_t bytes, Team& team) {
    choose_path(layout);
    const File file(path_, File::Mode::kReadNoWait);
    if (!file.is_open()) {
        if (errno != ENOENT && errno != ENOTDIR)
            problem_ = std::string("cannot be read: ") + std::strerror(errno);
        return nullptr;
    }
    const auto refuse = [&](const char* why) {
        problem_ = why;
        return nullptr;
    };
    FileFacts facts;
    Prefix prefix;
    if (!file.facts(facts) || !facts.is_regular) return refuse("is no file");
    if (file.read_at(0, &prefix, sizeof prefix) != static_cast<int64_t>(sizeof prefix) ||
        std::memcmp(prefix.magic, kMagic, sizeof kMagic) != 0)
        return refuse("is no file of weights");
    const std::string key = this->key(layout);
    const auto size = static_cast<uint64_t>(facts.size);
    if (prefix.header_bytes % kPage != 0 || prefix.header_bytes > kLargestHeader ||
        prefix.header_bytes > size || prefix.weight_bytes != size - prefix.header_bytes ||
        prefix.key_bytes > prefix.header_bytes)
        return refuse("is damaged: its size is not what its header says");
    std::string header(static_cast<size_t>(prefix.header_bytes), '\0');
    if (header.size() < sizeof prefix || file.read_at(0, &header[0], static_cast<int64_t>(header.size())) !=
                                             static_cast<int64_t>(header.size()))
        return refuse("is damaged: its header cannot be read");
    std::memset(&header[offsetof(Prefix, checksum)], 0, sizeof prefix.checksum);
    if (checksum(header.data(), static_cast<int64_t>(header.size())) != prefix.checksum)
        return refuse("is damaged: its header's checksum is wrong");
    if (prefix.key_bytes != key.size() || prefix.weight_bytes != static_cast<uint64_t>(bytes) ||
        sizeof prefix + key.size() + static_cast<size_t>(chunks_of(bytes)) * sizeof(uint64_t) >
            header.size() ||
        header.compare(sizeof prefix, key.size(), key) != 0)
        return refuse("is stale: the checkpoint has changed since");

    void* mapping = file.map(static_cast<size_t>(size));
    if (mapping == nullptr) return refuse("cannot be mapped");
    auto weights = std::make_unique<const MappedWeights>(mapping, static_cast<size_t>(size),
                                                         static_cast<int64_t>(prefix.header_bytes));
    std::vector<uint64_t> sums(static_cast<size_t>(chunks_of(bytes)));
    std::atomic<bool> is_readable{true};
    team.run(chunks_of(bytes), [&](int64_t chunk, int) {
        const int64_t begin = chunk * kChunk, count = std::min(kChunk, bytes - begin);
        if (!map_pages(weights->data() + begin, count)) {
            is_readable = false;
        } else {
            sums[static_cast<size_t>(chunk)] = checksum(weights->data() + begin, count);
        }
    });
    if (!is_readable) return refuse("is damaged: it cannot be read");
    if (std::memcmp(sums.data(), &header[sizeof prefix + key.size()], sums.size() * sizeof(uint64_t)) != 0)
        return refuse("is damaged: a checksum is wrong");
    outcome_ = Outcome::kHit;
    return weights;
}

void WeightCache::store(const std::string& layout, const uint8_t* weights, int64_t bytes, Team& team) {
    choose_path(layout);
    outcome_ = Outcome::kFailed;
    const std::string header = make_header(key(layout), bytes, chunk_checksums(weights, bytes, team));
    if (!make_directories(directory_)) {
        problem_ = std::string("cannot be written: ") + std::strerror(errno);
        return;
    }
    remove_abandoned(directory_);
    write(header, weights, bytes);
}

void WeightCache::write(const std::string& header, const uint8_t* weights, int64_t bytes) {
    std::string temporary;
    File file = make_unique_file(path_ + ".tmp-", File::Mode::kNew, temporary);
    const bool is_made = file.is_open();
    const auto header_bytes = static_cast<int64_t>(header.size());
    const bool is_written = is_made && file.write_at(0, header.data(), header_bytes) &&
                            file.write_at(header_bytes, weights, bytes) && file.close() &&
                            rename_file(temporary, path_);
    if (is_written) {
        outcome_ = Outcome::kStored;
        return;
    }
    problem_ = std::string("cannot be written: ") + std::strerror(errno);
    file.close();
    if (is_made) remove_file(temporary);
}

}  // namespace bertha
