#include "engine/weights/weight_cache.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "engine/check.h"
#include "engine/weights/checksum.h"

#if !defined(_WIN32)
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <ctime>
#endif

namespace bertha {

#if defined(_WIN32)

MappedWeights::~MappedWeights() = default;
std::unique_ptr<const MappedWeights> WeightCache::load(const std::string&, int64_t, Team&) { return nullptr; }
void WeightCache::store(const std::string&, const uint8_t*, int64_t, Team&) {}

#else

namespace {

constexpr char kMagic[8] = {'B', 'E', 'R', 'T', 'H', 'A', 'W', '1'};
constexpr int64_t kPage = 4096;
constexpr int64_t kChunk = int64_t{1} << 20;         // bytes under one checksum
constexpr int64_t kLargestWrite = int64_t{1} << 30;  // Linux cuts a request near 2^31 bytes
constexpr int64_t kLargestHeader = int64_t{1} << 26;
constexpr time_t kAbandonedAfter = 3600;  // seconds

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

class File {
public:
    explicit File(int fd) : fd_(fd) {}
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() {
        if (fd_ >= 0) ::close(fd_);
    }
    int fd() const { return fd_; }

private:
    const int fd_;
};

bool write_all(int fd, const uint8_t* data, int64_t bytes) {
    while (bytes > 0) {
        const ssize_t wrote = ::write(fd, data, static_cast<size_t>(std::min(bytes, kLargestWrite)));
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return false;
        data += wrote;
        bytes -= wrote;
    }
    return true;
}

bool make_directories(const std::string& path) {
    for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
        if (::mkdir(path.substr(0, end).c_str(), 0700) != 0 && errno != EEXIST) return false;
        if (end == std::string::npos) return true;
    }
}

// Removes what processes that were killed while they wrote have left.
void remove_abandoned(const std::string& directory) {
    DIR* entries = ::opendir(directory.c_str());
    if (entries == nullptr) return;
    while (const dirent* entry = ::readdir(entries)) {
        const std::string path = directory + "/" + entry->d_name;
        struct stat status;
        if (path.find(".weights.tmp-") == std::string::npos || ::lstat(path.c_str(), &status) != 0) continue;
        if (S_ISREG(status.st_mode) && ::time(nullptr) - status.st_mtime > kAbandonedAfter)
            ::unlink(path.c_str());
    }
    ::closedir(entries);
}

}  // namespace

MappedWeights::~MappedWeights() { ::munmap(mapping_, mapped_bytes_); }

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
    const File file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.fd() < 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            problem_ = std::string("cannot be read: ") + std::strerror(errno);
        return nullptr;
    }
    const auto refuse = [&](const char* why) {
        problem_ = why;
        return nullptr;
    };
    struct stat status;
    Prefix prefix;
    if (::fstat(file.fd(), &status) != 0 || !S_ISREG(status.st_mode)) return refuse("is no file");
    if (::pread(file.fd(), &prefix, sizeof prefix, 0) != static_cast<ssize_t>(sizeof prefix) ||
        std::memcmp(prefix.magic, kMagic, sizeof kMagic) != 0)
        return refuse("is no file of weights");
    const std::string key = this->key(layout);
    const auto size = static_cast<uint64_t>(status.st_size);
    if (prefix.header_bytes % kPage != 0 || prefix.header_bytes > kLargestHeader ||
        prefix.header_bytes > size || prefix.weight_bytes != size - prefix.header_bytes ||
        prefix.key_bytes > prefix.header_bytes)
        return refuse("is damaged: its size is not what its header says");
    std::string header(static_cast<size_t>(prefix.header_bytes), '\0');
    if (header.size() < sizeof prefix ||
        ::pread(file.fd(), &header[0], header.size(), 0) != static_cast<ssize_t>(header.size()))
        return refuse("is damaged: its header cannot be read");
    std::memset(&header[offsetof(Prefix, checksum)], 0, sizeof prefix.checksum);
    if (checksum(header.data(), static_cast<int64_t>(header.size())) != prefix.checksum)
        return refuse("is damaged: its header's checksum is wrong");
    if (prefix.key_bytes != key.size() || prefix.weight_bytes != static_cast<uint64_t>(bytes) ||
        sizeof prefix + key.size() + static_cast<size_t>(chunks_of(bytes)) * sizeof(uint64_t) >
            header.size() ||
        header.compare(sizeof prefix, key.size(), key) != 0)
        return refuse("is stale: the checkpoint has changed since");

    void* mapping = ::mmap(nullptr, static_cast<size_t>(size), PROT_READ, MAP_SHARED, file.fd(), 0);
    if (mapping == MAP_FAILED) return refuse("cannot be mapped");
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
    std::string temporary = path_ + ".tmp-XXXXXX";
    int failure = 0;
    {
        const File file(::mkstemp(&temporary[0]));
        if (file.fd() < 0) {
            problem_ = std::string("cannot be written: ") + std::strerror(errno);
            return;
        }
        if (!write_all(file.fd(), reinterpret_cast<const uint8_t*>(header.data()),
                       static_cast<int64_t>(header.size())) ||
            !write_all(file.fd(), weights, bytes))
            failure = errno;
    }
    if (failure == 0 && ::rename(temporary.c_str(), path_.c_str()) != 0) failure = errno;
    if (failure == 0) {
        outcome_ = Outcome::kStored;
        return;
    }
    ::unlink(temporary.c_str());
    problem_ = std::string("cannot be written: ") + std::strerror(failure);
}

#endif

}  // namespace bertha
