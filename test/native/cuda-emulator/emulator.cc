#include "cuda-emulator/emulator.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <set>
#include <tuple>
#include <vector>

#include "cuda-emulator/device.h"
#include "cuda-emulator/fiber.h"

namespace bertha::emulator {
namespace {

constexpr int kWarp = 32;
constexpr size_t kStackBytes = size_t{96} << 10;

enum class State { kReady, kAtBarrier, kInWarp, kWaiting, kDone };

struct Copy {
    void* shared;
    const void* global;
    int valid;
    int group;
    bool done;
};

struct Transaction {
    std::function<void()> body;
    Site site;
};

struct Thread {
    Fiber fiber;
    State state = State::kReady;
    Site waits_at;
    std::function<bool()> ready;  // in kWaiting
    std::vector<Copy> copies;
    int groups = 0;  // committed so far
    std::map<Site, int> visits[2];
};

struct Meeting {
    void* arguments[kWarp];
    int arrived = 0;
    Site site;
};

struct Touch {
    uintptr_t address;
    int bytes;
};
using AccessKey = std::tuple<int, int, Site, int>;  // space, warp, line, how often the lane had been there

struct Block {
    int index[3] = {0, 0, 0};
    std::vector<Thread> threads;
    std::vector<Meeting> warps;
    std::vector<uint8_t> shared;
    std::map<AccessKey, std::vector<Touch>> touches;
    std::vector<Transaction> transactions;  // under way
    Fiber scheduler;
    int running = 0;
    int at_barrier = 0;
    int done = 0;
    bool progress = false;
    std::string fault;
    void (*body)(const void*) = nullptr;
    const void* params = nullptr;
    std::mt19937 random;
};

thread_local Block* block = nullptr;

struct Stacks {
    std::unique_ptr<uint8_t[]> memory;
    size_t count = 0;
};
thread_local Stacks stacks;

std::string describe(Site site) {
    const char* name = std::strrchr(site.file, '/');
    return std::string(name != nullptr ? name + 1 : site.file) + ":" + std::to_string(site.line);
}

Thread& self() { return block->threads[static_cast<size_t>(block->running)]; }

// Leaves the running thread until the scheduler finds it ready.
void yield() { Fiber::switch_to(self().fiber, block->scheduler); }

void complete(Copy& copy) {
    if (copy.done) return;
    std::memcpy(copy.shared, copy.global, static_cast<size_t>(copy.valid));
    std::memset(static_cast<uint8_t*>(copy.shared) + copy.valid, 0, static_cast<size_t>(16 - copy.valid));
    copy.done = true;
}

void run_thread(void*) {
    try {
        block->body(block->params);
    } catch (const Fault& error) {
        block->fault = error.what();
    }
    Thread& thread = self();
    thread.state = State::kDone;
    block->done++;
    block->progress = true;
    yield();
}

// False when none is under way.
bool complete_transaction(size_t index) {
    if (index >= block->transactions.size()) return false;
    const auto place = block->transactions.begin() + static_cast<ptrdiff_t>(index);
    const std::function<void()> body = std::move(place->body);
    block->transactions.erase(place);
    body();
    return true;
}

void release_barrier() {
    for (Thread& thread : block->threads)
        if (thread.state == State::kAtBarrier) thread.state = State::kReady;
    block->at_barrier = 0;
}

[[noreturn]] void report_deadlock() {
    std::string message = "deadlock:";
    Site last;
    State last_state = State::kDone;
    for (size_t i = 0; i < block->threads.size(); i++) {
        const Thread& thread = block->threads[i];
        const bool same = thread.state == last_state && thread.waits_at.line == last.line;
        last = thread.waits_at;
        last_state = thread.state;
        if (same) continue;
        message += " thread " + std::to_string(i) + ".. ";
        message += thread.state == State::kDone ? "ended"
                   : thread.state == State::kAtBarrier
                       ? "waits for the block at " + describe(thread.waits_at)
                   : thread.state == State::kWaiting
                       ? "waits for a barrier in memory at " + describe(thread.waits_at)
                       : "waits for its warp at " + describe(thread.waits_at);
        message += ";";
    }
    throw Fault(message);
}

void count_touches() {
    for (const auto& [key, touches] : block->touches) {
        const bool shared = std::get<0>(key) == static_cast<int>(Space::kShared);
        AccessCount& count = (shared ? access_counts().shared : access_counts().global)[std::get<2>(key)];
        count.instructions++;
        int64_t bytes = 0;
        if (shared) {
            // A pass serves each of 32 banks one 4-byte word; 16-byte accesses go by quarter warps.
            std::set<uintptr_t> words;
            for (const Touch& touch : touches)
                for (int i = 0; i < touch.bytes; i += 4) words.insert((touch.address + static_cast<size_t>(i)) / 4);
            const size_t lanes = touches[0].bytes == 16 ? 8 : touches[0].bytes == 8 ? 16 : 32;
            for (size_t begin = 0; begin < touches.size(); begin += lanes) {
                std::set<uintptr_t> part;
                for (size_t i = begin; i < std::min(begin + lanes, touches.size()); i++)
                    for (int j = 0; j < touches[i].bytes; j += 4)
                        part.insert((touches[i].address + static_cast<size_t>(j)) / 4);
                int banks[32] = {};
                for (uintptr_t word : part) banks[word % 32]++;
                count.wavefronts += *std::max_element(banks, banks + 32);
            }
            count.ideal += std::max<int64_t>(1, (static_cast<int64_t>(words.size()) + 31) / 32);
        } else {
            std::set<uintptr_t> sectors, all;
            for (const Touch& touch : touches)
                for (int i = 0; i < touch.bytes; i++) {
                    sectors.insert((touch.address + static_cast<size_t>(i)) / 32);
                    all.insert(touch.address + static_cast<size_t>(i));
                }
            bytes = static_cast<int64_t>(all.size());
            count.wavefronts += static_cast<int64_t>(sectors.size());
            count.ideal += (bytes + 31) / 32;
        }
    }
}

void run_block(Block& current) {
    const int threads = static_cast<int>(current.threads.size());
    std::vector<int> order(static_cast<size_t>(threads));
    for (int i = 0; i < threads; i++) order[static_cast<size_t>(i)] = i;
    if (options().order == Order::kReverse) std::reverse(order.begin(), order.end());
    for (int i = 0; i < threads; i++)
        current.threads[static_cast<size_t>(i)].fiber.start(stacks.memory.get() + static_cast<size_t>(i) * kStackBytes,
                                                            kStackBytes, run_thread, nullptr);
    while (current.done < threads) {
        current.progress = false;
        if (options().order == Order::kRandom) std::shuffle(order.begin(), order.end(), current.random);
        for (int i : order) {
            Thread& thread = current.threads[static_cast<size_t>(i)];
            if (thread.state == State::kWaiting && thread.ready()) thread.state = State::kReady;
            if (thread.state != State::kReady) continue;
            current.progress = true;
            current.running = i;
            Fiber::switch_to(current.scheduler, thread.fiber);
            if (!current.fault.empty()) throw Fault(current.fault);
            if (options().async == Async::kRandom && !thread.copies.empty() && current.random() % 4 == 0)
                complete(thread.copies[current.random() % thread.copies.size()]);
            if (options().async == Async::kRandom && !current.transactions.empty() && current.random() % 16 == 0)
                complete_transaction(current.random() % current.transactions.size());
        }
        // The latest moment for a transaction: nobody can go on without it.
        if (!current.progress && !complete_transaction(0)) report_deadlock();
    }
    if (!current.transactions.empty())
        fault("the block ends with a transaction under way", current.transactions[0].site);
    if (options().count_accesses) count_touches();
}

}  // namespace

bool Site::operator<(const Site& other) const {
    const int names = std::strcmp(file, other.file);
    return names != 0 ? names < 0 : line < other.line;
}

Options& options() {
    static thread_local Options current;
    return current;
}

AccessCounts& access_counts() {
    static thread_local AccessCounts counts;
    return counts;
}

void run_grid(GridSize grid, int block_threads, size_t shared_bytes, void (*body)(const void*),
              const void* params) {
    if (block_threads < 1 || block_threads > 1024 || block_threads % kWarp != 0)
        throw Fault("a block of " + std::to_string(block_threads) + " threads");
    if (grid.x < 1 || grid.y < 1 || grid.z < 1 || grid.y > 65535 || grid.z > 65535)
        throw Fault("a grid of " + std::to_string(grid.x) + " x " + std::to_string(grid.y) + " x " +
                    std::to_string(grid.z));
    if (stacks.count < static_cast<size_t>(block_threads)) {
        stacks.memory.reset(new uint8_t[static_cast<size_t>(block_threads) * kStackBytes]);
        stacks.count = static_cast<size_t>(block_threads);
    }
    for (int z = 0; z < grid.z; z++)
        for (int y = 0; y < grid.y; y++)
            for (int x = 0; x < grid.x; x++) {
                Block current;
                current.index[0] = x;
                current.index[1] = y;
                current.index[2] = z;
                current.threads.resize(static_cast<size_t>(block_threads));
                current.warps.resize(static_cast<size_t>(block_threads / kWarp));
                current.shared.assign(shared_bytes + 128, 0xff);  // NaN in every floating-point type
                current.body = body;
                current.params = params;
                current.random.seed(options().seed + static_cast<uint32_t>(x + 977 * y + 7919 * z));
                block = &current;
                try {
                    run_block(current);
                } catch (...) {
                    block = nullptr;
                    throw;
                }
                block = nullptr;
            }
}

void fault(const std::string& what, Site site) {
    throw Fault(describe(site) + ": block (" + std::to_string(block->index[0]) + ", " +
                std::to_string(block->index[1]) + ", " + std::to_string(block->index[2]) + ") thread " +
                std::to_string(block->running) + ": " + what);
}

void add_transaction(std::function<void()> body, Site site) {
    if (options().async == Async::kAtOnce) return body();
    block->transactions.push_back({std::move(body), site});
}

void wait_until(std::function<bool()> ready, Site site) {
    if (ready()) return;
    Thread& thread = self();
    thread.ready = std::move(ready);
    thread.waits_at = site;
    thread.state = State::kWaiting;
    yield();
}

int thread_index() { return block->running; }
int block_index(int axis) { return block->index[axis]; }

uint8_t* shared_memory() {
    const auto address = reinterpret_cast<uintptr_t>(block->shared.data());
    return block->shared.data() + (127 - (address + 127) % 128);
}
int64_t shared_bytes() { return static_cast<int64_t>(block->shared.size()) - 128; }

void sync_block(Site site) {
    Thread& thread = self();
    block->progress = true;
    thread.waits_at = site;
    thread.state = State::kAtBarrier;
    if (++block->at_barrier == static_cast<int>(block->threads.size())) release_barrier();
    yield();
}

void check_access(Space space, int64_t index, int64_t count, int64_t size, Site site) {
    if (index >= 0 && index + count <= size) return;
    fault(std::string(space == Space::kShared ? "shared" : "global") + " access to elements " +
              std::to_string(index) + " .. " + std::to_string(index + count) + " of " + std::to_string(size),
          site);
}

void note_access(Space space, const void* address, int bytes, Site site) {
    if (!options().count_accesses) return;
    const int visit = self().visits[static_cast<int>(space)][site]++;
    block->touches[{static_cast<int>(space), block->running / kWarp, site, visit}].push_back(
        {reinterpret_cast<uintptr_t>(address), bytes});
}

void meet_warp(void* argument, Combine combine, Site site) {
    const int warp_index = block->running / kWarp;
    Meeting& meeting = block->warps[static_cast<size_t>(warp_index)];
    if (meeting.arrived == 0) {
        meeting.site = site;
    } else if (meeting.site < site || site < meeting.site) {
        fault("a lane of its warp is at " + describe(meeting.site), site);
    }
    meeting.arguments[block->running % kWarp] = argument;
    block->progress = true;
    if (++meeting.arrived < kWarp) {
        Thread& thread = self();
        thread.waits_at = site;
        thread.state = State::kInWarp;
        yield();
        return;
    }
    combine(meeting.arguments);
    meeting.arrived = 0;
    for (int lane = 0; lane < kWarp; lane++) {
        Thread& thread = block->threads[static_cast<size_t>(warp_index * kWarp + lane)];
        if (thread.state == State::kInWarp) thread.state = State::kReady;
    }
}

void copy_async(void* shared, const void* global, int valid, Site site) {
    if (valid < 0 || valid > 16) fault("a copy of " + std::to_string(valid) + " bytes", site);
    if (reinterpret_cast<uintptr_t>(shared) % 16 != 0 ||
        (valid > 0 && reinterpret_cast<uintptr_t>(global) % 16 != 0))
        fault("a copy that is not aligned to 16 bytes", site);
    Copy copy{shared, global, valid, self().groups, false};
    if (options().async == Async::kAtOnce) {
        complete(copy);
        return;
    }
    // Until it completes, the destination holds nothing that may be read.
    std::memset(shared, 0xff, 16);
    self().copies.push_back(copy);
}

void commit_copies() { self().groups++; }

void wait_copies(int groups_left) {
    Thread& thread = self();
    const int finished = thread.groups - groups_left;
    for (Copy& copy : thread.copies)
        if (copy.group < finished) complete(copy);
    thread.copies.erase(std::remove_if(thread.copies.begin(), thread.copies.end(),
                                       [](const Copy& copy) { return copy.done; }),
                        thread.copies.end());
}

}  // namespace bertha::emulator
