// Whether an open file is still the one that was looked at before.
#pragma once

#include <cstdint>

#include "engine/system/file.h"

namespace bertha::addon {

struct FileIdentity {
    uint64_t device = 0, inode = 0;
    int64_t size = 0, modified_ns = 0, changed_ns = 0;
    // False when the file has just been changed: its time stamps may not tell two contents apart.
    bool settled = false;

    // Links, names and permissions may have changed.
    bool has_contents_of(const FileIdentity& other) const {
        return device == other.device && inode == other.inode && size == other.size &&
               modified_ns == other.modified_ns;
    }
};

// Throws IO.
FileIdentity identify_file(const File& file);

}  // namespace bertha::addon
