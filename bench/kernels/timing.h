// What the benches of kernels share: memory, thread time and the table they print.
#pragma once

#include <time.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace bertha::bench {

struct Memory {
    uint8_t* data;
    explicit Memory(int64_t bytes) {
        // Large blocks lie on huge pages, as the library's do.
        const size_t page = bytes >= int64_t{2} << 20 ? size_t{2} << 20 : size_t{4096},
                     size = (static_cast<size_t>(bytes) + 4096 + page - 1) / page * page;
        data = static_cast<uint8_t*>(std::aligned_alloc(page, size));
#if defined(__linux__)
        if (page > 4096) madvise(data, size, MADV_HUGEPAGE);
#endif
        std::memset(data, 0, size);
    }
    float* floats() const { return reinterpret_cast<float*>(data); }
};

inline Memory random_floats(int64_t count, float scale) {
    static std::mt19937 generator(1);
    std::normal_distribution<float> normal(0.0f, scale);
    Memory memory(count * 4);
    for (int64_t i = 0; i < count; i++) memory.floats()[i] = normal(generator);
    return memory;
}

inline int64_t now() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000 + t.tv_nsec;
}

struct Timing {
    double best, median;  // microseconds
};

inline Timing time_of(int64_t repeats, const std::function<void()>& work) {
    work();
    std::vector<double> times;
    for (int64_t i = 0; i < repeats; i++) {
        const int64_t start = now();
        work();
        times.push_back(static_cast<double>(now() - start) / 1e3);
    }
    std::sort(times.begin(), times.end());
    return {times.front(), times[times.size() / 2]};
}

struct Row {
    std::string op, shape;
    Timing timing;  // of one layer
    double giga;    // operations / 1e9, 0: none to speak of
};

inline void print(const std::vector<Row>& rows, double peak) {
    double total = 0;
    for (const Row& row : rows) total += row.timing.best;
    for (const Row& row : rows) {
        std::printf("  %-22s %-16s %9.1f %9.1f %6.1f%%", row.op.c_str(), row.shape.c_str(), row.timing.best,
                    row.timing.median, 100 * row.timing.best / total);
        if (row.giga > 0) {
            const double rate = row.giga / row.timing.best * 1e6;
            std::printf(" %8.0f %6.0f%%", rate, 100 * rate / peak);
        }
        std::printf("\n");
    }
    std::printf("  %-39s %9.1f\n", "one layer", total);
}

}  // namespace bertha::bench
