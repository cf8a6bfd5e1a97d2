#include "cpu/word-vectors/abandoned_files.h"

#include <charconv>
#include <string_view>

#include "engine/system/file.h"

namespace bertha::cpu {

void remove_abandoned(const std::string& folder, const std::string& prefix) {
    for (const std::string& entry : names_in(folder)) {
        const std::string_view name = entry;
        if (name.substr(0, prefix.size()) != prefix) continue;
        const char* const end = name.data() + name.size();
        int32_t pid = 0;
        const auto [next, problem] = std::from_chars(name.data() + prefix.size(), end, pid);
        const bool is_ours = problem == std::errc() && pid > 0 && (next == end || *next == '-');
        if (is_ours && !may_run(pid)) remove_file(folder + entry);
    }
}

}  // namespace bertha::cpu
