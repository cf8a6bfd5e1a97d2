#include "engine/pool/hardware.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <thread>

#include "engine/check.h"
#include "engine/system/file.h"

#if defined(__linux__)
#include <sched.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(_WIN32)
#include <windows.h>

#include <vector>
#endif

namespace bertha {
namespace {

constexpr int kMaxThreads = 1024;
#if defined(_WIN32)
constexpr const char* kQuotaName = "job limit";
#else
constexpr const char* kQuotaName = "cgroup quota";
#endif

#if defined(__linux__)
// No streams here or anywhere: with their locales they would be a tenth of the addon.
// Quota / period of one cgroup directory; 0 when there is none.
double read_quota(const std::string& directory) {
    std::string text;
    double quota = 0.0, period = 0.0;
    if (read_text(directory + "/cpu.max", text) &&  // "max 100000" where there is no limit
        std::sscanf(text.c_str(), "%lf %lf", &quota, &period) == 2 && quota > 0 && period > 0)
        return quota / period;
    const auto number = [&](const char* name) {
        return read_text(directory + name, text) ? std::atof(text.c_str()) : 0.0;
    };
    quota = number("/cpu.cfs_quota_us");
    period = number("/cpu.cfs_period_us");
    return quota > 0 && period > 0 ? quota / period : 0.0;
}

// The tightest quota from this process's cgroup up to the root.
double cgroup_quota() {
    double tightest = 0.0;
    const auto consider = [&](const std::string& directory) {
        const double quota = read_quota(directory);
        if (quota > 0 && (tightest == 0.0 || quota < tightest)) tightest = quota;
    };
    std::string groups;
    read_text("/proc/self/cgroup", groups);
    for (size_t begin = 0, end; begin < groups.size(); begin = end + 1) {
        end = std::min(groups.find('\n', begin), groups.size());
        const std::string line = groups.substr(begin, end - begin);
        const size_t first = line.find(':'), second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        if (!controllers.empty() && controllers.find("cpu") == std::string::npos) continue;
        const std::string root = controllers.empty() ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu";
        for (std::string path = line.substr(second + 1); path.size() > 1;
             path = path.substr(0, path.find_last_of('/')))
            consider(root + path);
        consider(root);
    }
    return tightest;
}

int physical_cores(const cpu_set_t& allowed) {
    std::set<std::string> cores;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &allowed)) continue;
        const std::string number = std::to_string(cpu);
        std::string siblings;
        const bool is_known = read_text(
            "/sys/devices/system/cpu/cpu" + number + "/topology/thread_siblings_list", siblings);
        cores.insert(is_known && !siblings.empty() ? siblings : number + "\n");
    }
    return std::max(1, static_cast<int>(cores.size()));
}

void find_processors(HardwareThreads& threads) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
        threads.affinity = std::max(1, CPU_COUNT(&allowed));
        threads.physical = physical_cores(allowed);
    }
    threads.quota = cgroup_quota();
}
#elif defined(__APPLE__)
int count_of(const char* name) {
    int32_t count = 0;
    size_t bytes = sizeof count;
    return sysctlbyname(name, &count, &bytes, nullptr, 0) == 0 ? count : 0;
}

// A team waits for its slowest member: an efficiency core would hold up the others.
void find_processors(HardwareThreads& threads) {
    const int performance = count_of("hw.perflevel0.physicalcpu"), cores = count_of("hw.physicalcpu");
    if (performance > 0 || cores > 0) threads.physical = performance > 0 ? performance : cores;
}
#elif defined(_WIN32)
int count_of(KAFFINITY mask) { return __builtin_popcountll(mask); }

std::vector<char> processor_cores() {
    DWORD bytes = 0;
    GetLogicalProcessorInformationEx(RelationProcessorCore, nullptr, &bytes);
    std::vector<char> found(bytes);
    auto* first = reinterpret_cast<SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX*>(found.data());
    if (!GetLogicalProcessorInformationEx(RelationProcessorCore, first, &bytes)) found.clear();
    return found;
}

// Threads run in the group (of 64 processors at most) of the thread that started them.
void find_processors(HardwareThreads& threads) {
    GROUP_AFFINITY here{};
    if (!GetThreadGroupAffinity(GetCurrentThread(), &here)) return;
    threads.affinity = threads.physical = std::max(1, count_of(here.Mask));
    int cores = 0;
    const std::vector<char> found = processor_cores();
    for (size_t at = 0; at < found.size();) {
        SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX core;
        std::memcpy(&core, found.data() + at, std::min(sizeof core, found.size() - at));
        const GROUP_AFFINITY& place = core.Processor.GroupMask[0];
        if (place.Group == here.Group && (place.Mask & here.Mask) != 0) cores++;
        at += core.Size;
    }
    if (cores > 0) threads.physical = cores;
    JOBOBJECT_CPU_RATE_CONTROL_INFORMATION limit{};
    constexpr DWORD kHard = JOB_OBJECT_CPU_RATE_CONTROL_ENABLE | JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP;
    if (QueryInformationJobObject(nullptr, JobObjectCpuRateControlInformation, &limit, sizeof limit,
                                  nullptr) &&
        (limit.ControlFlags & kHard) == kHard)
        // In hundredths of a percent of the whole machine.
        threads.quota = limit.CpuRate / 10'000.0 * GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
}
#else
void find_processors(HardwareThreads&) {}
#endif

}  // namespace

HardwareThreads hardware_threads() {
    HardwareThreads threads;
    threads.affinity = threads.physical = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    find_processors(threads);
    const int quota = threads.quota > 0 ? std::max(1, static_cast<int>(std::ceil(threads.quota)))
                                        : kMaxThreads;
    threads.chosen = std::min({threads.affinity, quota, threads.physical, kMaxThreads});
    char limit[32] = "none";
    if (threads.quota > 0) std::snprintf(limit, sizeof limit, "%g", threads.quota);
    threads.reason = "min(affinity " + std::to_string(threads.affinity) + ", " + kQuotaName + " " + limit +
                     ", physical cores " + std::to_string(threads.physical) + ")";
    const char* wanted = std::getenv("BERTHA_THREADS");
    if (wanted != nullptr && *wanted != '\0') {
        char* end = nullptr;
        const long value = std::strtol(wanted, &end, 10);
        BERTHA_CHECK(*end == '\0' && value >= 1 && value <= kMaxThreads, "INVALID_ARG",
                     "BERTHA_THREADS=%.32s: expected a whole number from 1 to %d", wanted, kMaxThreads);
        threads.chosen = static_cast<int>(value);
        threads.reason = "BERTHA_THREADS";
    }
    return threads;
}

}  // namespace bertha
