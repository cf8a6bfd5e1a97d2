#include "engine/allocator.h"

#include <atomic>
#include <cstdlib>

#include "engine/check.h"

#if defined(_WIN32)
#include <malloc.h>
#include <windows.h>
#else
#include <sys/mman.h>
#endif

namespace bertha {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kMapThreshold = size_t{1} << 20;
[[maybe_unused]] constexpr size_t kHugePage = size_t{2} << 20;

std::atomic<int64_t> g_allocated{0};
std::atomic<int64_t> g_count{0};
std::atomic<int64_t> g_fail_at{0};

bool should_fail() {
    const int64_t count = g_count.fetch_add(1, std::memory_order_relaxed) + 1;
    return g_fail_at.load(std::memory_order_relaxed) == count;
}

size_t rounded(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

#if defined(_WIN32)
void* system_allocate(size_t bytes, bool) {
    if (bytes >= kMapThreshold) return VirtualAlloc(nullptr, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    return _aligned_malloc(bytes, kAlignment);
}

void system_free(void* data, size_t bytes) noexcept {
    if (bytes >= kMapThreshold) {
        VirtualFree(data, 0, MEM_RELEASE);
    } else {
        _aligned_free(data);
    }
}
#else
void* system_allocate(size_t bytes, bool huge_pages) {
    if (bytes < kMapThreshold) return std::aligned_alloc(kAlignment, bytes);
    void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) return nullptr;
#if defined(MADV_HUGEPAGE)
    // Huge pages save TLB misses; failure costs nothing.
    if (bytes >= kHugePage) madvise(data, bytes, huge_pages ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
#else
    (void)huge_pages;
#endif
    return data;
}

void system_free(void* data, size_t bytes) noexcept {
    if (bytes >= kMapThreshold) {
        munmap(data, bytes);
    } else {
        std::free(data);
    }
}
#endif

}  // namespace

Buffer::Buffer(size_t bytes, bool huge_pages) {
    BERTHA_CHECK(bytes <= SIZE_MAX - kAlignment, "OUT_OF_MEMORY", "cannot allocate %zu bytes", bytes);
    const size_t size = rounded(bytes == 0 ? 1 : bytes);
    void* data = should_fail() ? nullptr : system_allocate(size, huge_pages);
    BERTHA_CHECK(data != nullptr, "OUT_OF_MEMORY",
                 "cannot allocate %zu bytes (%lld are in use by this library)", bytes,
                 static_cast<long long>(allocated_bytes()));
    data_ = data;
    bytes_ = size;
    g_allocated.fetch_add(static_cast<int64_t>(size), std::memory_order_relaxed);
}

void Buffer::reset() noexcept {
    if (data_ == nullptr) return;
    system_free(data_, bytes_);
    g_allocated.fetch_sub(static_cast<int64_t>(bytes_), std::memory_order_relaxed);
    data_ = nullptr;
    bytes_ = 0;
}

int64_t allocated_bytes() { return g_allocated.load(std::memory_order_relaxed); }

int64_t fail_allocation(int64_t n) {
    g_fail_at.store(0, std::memory_order_relaxed);
    const int64_t count = g_count.exchange(0, std::memory_order_relaxed);
    g_fail_at.store(n, std::memory_order_relaxed);
    return count;
}

}  // namespace bertha
