#include "engine/system/file.h"

#if !defined(_WIN32)

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace bertha {
namespace {

constexpr int64_t kLargestRequest = int64_t{1} << 30;  // Linux cuts a request near 2^31 bytes

size_t request(int64_t bytes) { return static_cast<size_t>(std::min(bytes, kLargestRequest)); }

int64_t nanoseconds(const timespec& time) {
    return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

int open_file(const std::string& path, File::Mode mode) {
    switch (mode) {
        case File::Mode::kRead: return ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        case File::Mode::kReadNoWait: return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        case File::Mode::kCreate: return ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        case File::Mode::kNew:
        case File::Mode::kNameless: break;
    }
    return ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

}  // namespace

File::File(const std::string& path, Mode mode) : native_(open_file(path, mode)) {
    if (is_open() && mode == Mode::kNameless) ::unlink(path.c_str());
}

File File::copy_of(Native other) { return File(::fcntl(other, F_DUPFD_CLOEXEC, 0)); }

bool File::close() { return !is_open() || ::close(std::exchange(native_, kNone)) == 0; }

int64_t File::read_at(int64_t offset, void* data, int64_t bytes) const {
    int64_t done = 0;
    while (done < bytes) {
        const ssize_t some = ::pread(native_, static_cast<char*>(data) + done, request(bytes - done),
                                     static_cast<off_t>(offset + done));
        if (some < 0 && errno == EINTR) continue;
        if (some < 0) return -1;
        if (some == 0) break;
        done += some;
    }
    return done;
}

int64_t File::read_next(void* data, int64_t bytes) const {
    for (;;) {
        const ssize_t some = ::read(native_, data, request(bytes));
        if (some >= 0 || errno != EINTR) return some;
    }
}

bool File::write_at(int64_t offset, const void* data, int64_t bytes) const {
    for (int64_t done = 0; done < bytes;) {
        const ssize_t some = ::pwrite(native_, static_cast<const char*>(data) + done, request(bytes - done),
                                      static_cast<off_t>(offset + done));
        if (some < 0 && errno == EINTR) continue;
        if (some == 0) errno = EIO;
        if (some <= 0) return false;
        done += some;
    }
    return true;
}

bool File::sync() const { return ::fsync(native_) == 0; }

bool File::facts(FileFacts& facts) const {
    struct stat status;
    if (::fstat(native_, &status) != 0) return false;
#if defined(__APPLE__)
    const timespec modified = status.st_mtimespec, changed = status.st_ctimespec;
#else
    const timespec modified = status.st_mtim, changed = status.st_ctim;
#endif
    facts.device = static_cast<uint64_t>(status.st_dev);
    facts.inode = static_cast<uint64_t>(status.st_ino);
    facts.size = static_cast<int64_t>(status.st_size);
    facts.modified_ns = nanoseconds(modified);
    facts.changed_ns = nanoseconds(changed);
    facts.is_regular = S_ISREG(status.st_mode);
    facts.is_directory = S_ISDIR(status.st_mode);
    return true;
}

void* File::map(size_t bytes) const {
    void* mapping = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, native_, 0);
    return mapping == MAP_FAILED ? nullptr : mapping;
}

void unmap(void* mapping, size_t bytes) { ::munmap(mapping, bytes); }

bool rename_file(const std::string& from, const std::string& to) {
    return std::rename(from.c_str(), to.c_str()) == 0;
}

bool remove_file(const std::string& path) { return ::unlink(path.c_str()) == 0; }

bool make_directories(const std::string& path) {
    for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
        if (::mkdir(path.substr(0, end).c_str(), 0700) != 0 && errno != EEXIST) return false;
        if (end == std::string::npos) return true;
    }
}

std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    DIR* entries = ::opendir(folder.c_str());
    if (entries == nullptr) return names;
    while (const dirent* entry = ::readdir(entries)) names.emplace_back(entry->d_name);
    ::closedir(entries);
    return names;
}

int64_t process_id() { return ::getpid(); }

bool may_run(int64_t process) { return ::kill(static_cast<pid_t>(process), 0) == 0 || errno != ESRCH; }

}  // namespace bertha

#endif
