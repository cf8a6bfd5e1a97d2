#include "engine/system/file.h"

#if defined(_WIN32)

#include <windows.h>

#include <algorithm>
#include <cerrno>

namespace bertha {
namespace {

constexpr int64_t kLargestRequest = int64_t{1} << 30;
constexpr size_t kShortPath = 247;  // of a folder; longer ones need the prefix \\?\ and no other spelling
constexpr int64_t kEpoch = 116'444'736'000'000'000;  // 1970 in steps of 100 ns since 1601

int errno_of(DWORD error) {
    switch (error) {
        case ERROR_FILE_NOT_FOUND:
        case ERROR_BAD_NETPATH:
        case ERROR_INVALID_NAME:
        case ERROR_INVALID_DRIVE: return ENOENT;
        case ERROR_PATH_NOT_FOUND: return ENOENT;
        case ERROR_ACCESS_DENIED:
        case ERROR_SHARING_VIOLATION:
        case ERROR_LOCK_VIOLATION:
        case ERROR_USER_MAPPED_FILE: return EACCES;
        case ERROR_WRITE_PROTECT: return EROFS;
        case ERROR_FILE_EXISTS:
        case ERROR_ALREADY_EXISTS: return EEXIST;
        case ERROR_DISK_FULL:
        case ERROR_HANDLE_DISK_FULL: return ENOSPC;
        case ERROR_TOO_MANY_OPEN_FILES: return EMFILE;
        case ERROR_NOT_ENOUGH_MEMORY:
        case ERROR_OUTOFMEMORY: return ENOMEM;
        case ERROR_INVALID_HANDLE: return EBADF;
        case ERROR_DIRECTORY: return ENOTDIR;
        default: return EIO;
    }
}

bool failed() {
    errno = errno_of(GetLastError());
    return false;
}

// A path as Windows takes it, whatever its length.
std::wstring to_wide(const std::string& path) {
    std::wstring wide(path.size(), L'\0');
    const int length = MultiByteToWideChar(CP_UTF8, 0, path.data(), static_cast<int>(path.size()),
                                           wide.data(), static_cast<int>(wide.size()));
    wide.resize(static_cast<size_t>(length));
    if (wide.size() <= kShortPath || wide.compare(0, 4, L"\\\\?\\") == 0) return wide;
    std::wstring full(GetFullPathNameW(wide.c_str(), 0, nullptr, nullptr), L'\0');
    full.resize(GetFullPathNameW(wide.c_str(), static_cast<DWORD>(full.size()), full.data(), nullptr));
    const bool is_share = full.compare(0, 2, L"\\\\") == 0;
    return is_share ? L"\\\\?\\UNC" + full.substr(1) : L"\\\\?\\" + full;
}

std::string to_utf8(const wchar_t* wide) {
    std::string text(
        static_cast<size_t>(WideCharToMultiByte(CP_UTF8, 0, wide, -1, nullptr, 0, nullptr, nullptr)), '\0');
    WideCharToMultiByte(CP_UTF8, 0, wide, -1, text.data(), static_cast<int>(text.size()), nullptr, nullptr);
    text.pop_back();  // the zero at the end
    return text;
}

HANDLE open_file(const std::string& path, File::Mode mode) {
    const bool is_read = mode == File::Mode::kRead || mode == File::Mode::kReadNoWait;
    const DWORD access = is_read ? GENERIC_READ
                                 : GENERIC_READ | GENERIC_WRITE |
                                       (mode == File::Mode::kNameless ? DWORD{DELETE} : 0);
    const DWORD how = is_read ? OPEN_EXISTING : mode == File::Mode::kCreate ? CREATE_ALWAYS : CREATE_NEW;
    const DWORD flags = mode == File::Mode::kNameless
                            ? FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE
                            // Folders open as well, so that facts() can tell what they are.
                            : FILE_ATTRIBUTE_NORMAL | (is_read ? FILE_FLAG_BACKUP_SEMANTICS : 0);
    // As on other systems, others may replace and remove what is open here.
    const HANDLE file = CreateFileW(to_wide(path).c_str(), access,
                                    FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr, how,
                                    flags, nullptr);
    if (file != INVALID_HANDLE_VALUE) return file;
    failed();
    return File::kNone;
}

// Reads or writes at an offset in pieces; returns what was done, -1 for an error.
template <typename Transfer>
int64_t transfer_at(int64_t offset, int64_t bytes, Transfer&& transfer) {
    int64_t done = 0;
    while (done < bytes) {
        OVERLAPPED place{};
        const auto at = static_cast<uint64_t>(offset + done);
        place.Offset = static_cast<DWORD>(at);
        place.OffsetHigh = static_cast<DWORD>(at >> 32);
        DWORD some = 0;
        if (!transfer(done, static_cast<DWORD>(std::min(bytes - done, kLargestRequest)), &some, &place)) {
            if (GetLastError() == ERROR_HANDLE_EOF) break;
            failed();
            return -1;
        }
        if (some == 0) break;
        done += some;
    }
    return done;
}

int64_t nanoseconds(int64_t steps) { return (steps - kEpoch) * 100; }

}  // namespace

File::File(const std::string& path, Mode mode) : native_(open_file(path, mode)) {}

File File::copy_of(Native other) {
    HANDLE copy = nullptr;
    const HANDLE process = GetCurrentProcess();
    if (other == INVALID_HANDLE_VALUE) {  // also the name of the process itself
        errno = EBADF;
        return File();
    }
    if (!DuplicateHandle(process, other, process, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS)) failed();
    return File(copy);
}

bool File::close() { return !is_open() || CloseHandle(std::exchange(native_, kNone)) || failed(); }

int64_t File::read_at(int64_t offset, void* data, int64_t bytes) const {
    return transfer_at(offset, bytes, [&](int64_t done, DWORD size, DWORD* some, OVERLAPPED* place) {
        return ReadFile(native_, static_cast<char*>(data) + done, size, some, place);
    });
}

int64_t File::read_next(void* data, int64_t bytes) const {
    DWORD some = 0;
    const auto size = static_cast<DWORD>(std::min(bytes, kLargestRequest));
    if (ReadFile(native_, data, size, &some, nullptr) || GetLastError() == ERROR_BROKEN_PIPE) return some;
    failed();
    return -1;
}

bool File::write_at(int64_t offset, const void* data, int64_t bytes) const {
    const int64_t done = transfer_at(
        offset, bytes, [&](int64_t done, DWORD size, DWORD* some, OVERLAPPED* place) {
            return WriteFile(native_, static_cast<const char*>(data) + done, size, some, place);
        });
    if (done >= 0 && done < bytes) errno = EIO;
    return done == bytes;
}

bool File::sync() const { return FlushFileBuffers(native_) || failed(); }

bool File::facts(FileFacts& facts) const {
    FILE_BASIC_INFO basic;
    FILE_STANDARD_INFO standard;
    BY_HANDLE_FILE_INFORMATION place;
    if (!GetFileInformationByHandleEx(native_, FileBasicInfo, &basic, sizeof basic) ||
        !GetFileInformationByHandleEx(native_, FileStandardInfo, &standard, sizeof standard) ||
        !GetFileInformationByHandle(native_, &place))
        return failed();
    facts.device = place.dwVolumeSerialNumber;
    facts.inode = (uint64_t{place.nFileIndexHigh} << 32) | place.nFileIndexLow;
    facts.size = standard.EndOfFile.QuadPart;
    facts.modified_ns = nanoseconds(basic.LastWriteTime.QuadPart);
    facts.changed_ns = nanoseconds(basic.ChangeTime.QuadPart);
    facts.is_directory = standard.Directory;
    facts.is_regular = !standard.Directory && GetFileType(native_) == FILE_TYPE_DISK;
    return true;
}

void* File::map(size_t bytes) const {
    const HANDLE section = CreateFileMappingW(native_, nullptr, PAGE_READONLY, 0, 0, nullptr);
    if (section == nullptr) {
        failed();
        return nullptr;
    }
    void* mapping = MapViewOfFile(section, FILE_MAP_READ, 0, 0, bytes);
    if (mapping == nullptr) failed();
    CloseHandle(section);
    return mapping;
}

void unmap(void* mapping, size_t) { UnmapViewOfFile(mapping); }

bool rename_file(const std::string& from, const std::string& to) {
    return MoveFileExW(to_wide(from).c_str(), to_wide(to).c_str(), MOVEFILE_REPLACE_EXISTING) || failed();
}

bool remove_file(const std::string& path) { return DeleteFileW(to_wide(path).c_str()) || failed(); }

bool make_directories(const std::string& path) {
    const std::wstring wide = to_wide(path);
    for (size_t end = wide.find_first_of(L"/\\");; end = wide.find_first_of(L"/\\", end + 1)) {
        const std::wstring folder = wide.substr(0, end);
        // Drives, and the parts of a share's name, are no folders to make: only the last one must be there.
        const bool is_last = end == std::wstring::npos;
        if (!folder.empty() && !CreateDirectoryW(folder.c_str(), nullptr) && is_last &&
            GetLastError() != ERROR_ALREADY_EXISTS)
            return failed();
        if (is_last) return true;
    }
}

std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    WIN32_FIND_DATAW entry;
    const HANDLE search = FindFirstFileW(to_wide(folder + "\\*").c_str(), &entry);
    if (search == INVALID_HANDLE_VALUE) return names;
    do {
        names.push_back(to_utf8(entry.cFileName));
    } while (FindNextFileW(search, &entry));
    FindClose(search);
    return names;
}

int64_t process_id() { return GetCurrentProcessId(); }

bool may_run(int64_t process) {
    const HANDLE handle = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, static_cast<DWORD>(process));
    if (handle == nullptr) return GetLastError() != ERROR_INVALID_PARAMETER;
    DWORD code = 0;
    const bool has_ended = GetExitCodeProcess(handle, &code) && code != STILL_ACTIVE;
    CloseHandle(handle);
    return !has_ended;
}

}  // namespace bertha

#endif
