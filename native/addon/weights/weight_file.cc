#include "addon/weights/weight_file.h"

#include <cerrno>
#include <cstring>

#include "engine/check.h"

#if defined(_WIN32)
#include <windows.h>
#endif

namespace bertha::addon {
namespace {

#if defined(_WIN32)
// A descriptor of JavaScript belongs to the C runtime of the program that runs it, which is not the addon's.
File copy_of(int fd) {
    using Lookup = File::Native (*)(int);
    const auto lookup = reinterpret_cast<Lookup>(
        reinterpret_cast<void*>(GetProcAddress(GetModuleHandleW(nullptr), "uv_get_osfhandle")));
    BERTHA_CHECK(lookup != nullptr, "IO", "this program has no uv_get_osfhandle, which files are opened by");
    return File::copy_of(lookup(fd));
}
#else
File copy_of(int fd) { return File::copy_of(fd); }
#endif

}  // namespace

WeightFile::WeightFile(int fd) : file_(copy_of(fd)) {
    BERTHA_CHECK(file_.is_open(), "IO", "cannot open a weight file once more: %s", std::strerror(errno));
    identity_ = identify_file(file_);
}

}  // namespace bertha::addon
