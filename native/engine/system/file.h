// Files, the same on POSIX systems and on Windows: what this library reads and writes by itself. Paths are
// UTF-8 and may be longer than 260 characters on Windows. Nothing throws; what fails says so and leaves
// errno.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace bertha {

struct FileFacts {
    uint64_t device = 0, inode = 0;
    int64_t size = 0;
    int64_t modified_ns = 0, changed_ns = 0;  // since 1970
    bool is_regular = false, is_directory = false;
};

// An open file, closed when it goes. Several threads may read and write at offsets.
class File {
public:
#if defined(_WIN32)
    using Native = void*;  // HANDLE
    static constexpr Native kNone = nullptr;
#else
    using Native = int;
    static constexpr Native kNone = -1;
#endif
    enum class Mode {
        kRead,
        kReadNoWait,  // as kRead, and never waits for who writes into a pipe
        kCreate,      // makes it, or empties it; everybody may read it
        kNew,         // fails with EEXIST where it is there; nobody else may read it
        kNameless,    // as kNew, and its name goes at once or with the process
    };

    File() = default;
    File(const std::string& path, Mode mode);
    // The file of a descriptor or handle, by one of its own.
    static File copy_of(Native other);
    File(File&& other) noexcept : native_(std::exchange(other.native_, kNone)) {}
    File& operator=(File&& other) noexcept {
        std::swap(native_, other.native_);
        return *this;
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() { close(); }

    bool is_open() const { return native_ != kNone; }
    bool close();
    // Bytes that were read, fewer at the end of the file alone; -1 where the system refuses.
    int64_t read_at(int64_t offset, void* data, int64_t bytes) const;
    // What comes next, of a pipe as well: what there is, 0 at the end, -1 where the system refuses.
    int64_t read_next(void* data, int64_t bytes) const;
    bool write_at(int64_t offset, const void* data, int64_t bytes) const;
    // What was written is on the disk afterwards.
    bool sync() const;
    bool facts(FileFacts& facts) const;
    // Maps `bytes` from the begin, to be read; null where it cannot.
    void* map(size_t bytes) const;

private:
    explicit File(Native native) : native_(native) {}

    Native native_ = kNone;
};

void unmap(void* mapping, size_t bytes);

// A whole file of text, also one of the kernel's that has no size. False where it cannot be read.
bool read_text(const std::string& path, std::string& text);
// Renames over what is there.
bool rename_file(const std::string& from, const std::string& to);
bool remove_file(const std::string& path);
// With those above it; for this user alone.
bool make_directories(const std::string& path);
// Empty where there is no such folder.
std::vector<std::string> names_in(const std::string& folder);
// Where a path's last name begins.
size_t name_begin(const std::string& path);

int64_t process_id();
// False only where the system says that there is no such process.
bool may_run(int64_t process);
// Makes a file (kCreate empties one of that name) whose path is `prefix`, this process's number, "-" and a
// number.
File make_unique_file(const std::string& prefix, File::Mode mode, std::string& path);

}  // namespace bertha
