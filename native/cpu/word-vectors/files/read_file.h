// A file by ranges, and what is wrong with it: VECTORS_FORMAT with the file and a line or an offset.
#pragma once

#include <cstdint>
#include <string>

#include "engine/system/file.h"

namespace bertha::cpu {

class InputFile {
public:
    // `name` stands for it in errors. Throws IO.
    InputFile(const std::string& path, const std::string& name);

    const std::string& name() const { return name_; }
    int64_t size() const { return at_first_.size; }
    // Bytes from `offset`, at most `count`, fewer at the end. Throws IO.
    void read(int64_t offset, int64_t count, std::string& bytes) const;
    // Exactly `count` bytes. Throws VECTORS_FORMAT where the file ends before.
    void read_exactly(int64_t offset, int64_t count, void* bytes, const char* what) const;

    // Throws IO where the file is no longer as it was when it was opened.
    void check_unchanged() const;

    [[noreturn, gnu::format(printf, 3, 4)]] void fail_at(int64_t offset, const char* format, ...) const;
    [[noreturn, gnu::format(printf, 3, 4)]] void fail_in_line(int64_t line, const char* format, ...) const;

private:
    int64_t read_some(int64_t offset, int64_t count, char* bytes) const;

    const std::string name_;
    const File file_;
    FileFacts at_first_;
};

}  // namespace bertha::cpu
