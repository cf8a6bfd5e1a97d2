#include "cpu/word-vectors/abandoned_files.h"

#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string_view>

namespace bertha::cpu {

void remove_abandoned(const std::string& folder, const std::string& prefix) {
    DIR* directory = opendir(folder.c_str());
    if (directory == nullptr) return;
    while (const dirent* entry = readdir(directory)) {
        const std::string_view name = entry->d_name;
        if (name.substr(0, prefix.size()) != prefix) continue;
        const char* const end = name.data() + name.size();
        pid_t pid = 0;
        const auto [next, problem] = std::from_chars(name.data() + prefix.size(), end, pid);
        const bool is_ours = problem == std::errc() && pid > 0 && (next == end || *next == '-');
        if (is_ours && kill(pid, 0) != 0 && errno == ESRCH) unlink((folder + entry->d_name).c_str());
    }
    closedir(directory);
}

}  // namespace bertha::cpu
