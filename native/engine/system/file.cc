// What needs no system of its own.
#include "engine/system/file.h"

#include <atomic>
#include <cerrno>

namespace bertha {

File make_unique_file(const std::string& prefix, File::Mode mode, std::string& path) {
    static std::atomic<uint64_t> files{0};
    constexpr int kMostTaken = 1000;  // by processes of the same number: in other containers, or long gone
    for (int i = 0;; i++) {
        path = prefix + std::to_string(process_id()) + "-" + std::to_string(files.fetch_add(1));
        File file(path, mode);
        if (file.is_open() || errno != EEXIST || i == kMostTaken) return file;
    }
}

bool read_text(const std::string& path, std::string& text) {
    text.clear();
    const File file(path, File::Mode::kRead);
    char part[4096];
    int64_t bytes = file.is_open() ? 0 : -1;
    while (bytes >= 0 && (bytes = file.read_next(part, sizeof part)) > 0)
        text.append(part, static_cast<size_t>(bytes));
    return bytes == 0;
}

size_t name_begin(const std::string& path) {
#if defined(_WIN32)
    const size_t slash = path.find_last_of("/\\");
#else
    const size_t slash = path.rfind('/');
#endif
    return slash == std::string::npos ? 0 : slash + 1;
}

}  // namespace bertha
