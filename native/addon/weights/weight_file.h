// A file that weights are read from, by a descriptor of its own: JavaScript closes its own one when it likes,
// a terminated worker's all at once, and the system gives the number to the next file that is opened.
#pragma once

#include "addon/weights/file_identity.h"
#include "engine/system/file.h"

namespace bertha::addon {

class WeightFile {
public:
    // Copies an open descriptor. Throws IO.
    explicit WeightFile(int fd);

    const File& file() const { return file_; }
    // What it looked like when it was opened here.
    const FileIdentity& identity() const { return identity_; }
    // False when its contents may have been changed since. Throws IO.
    bool is_unchanged() const { return identity_.has_contents_of(identify_file(file_)); }

private:
    File file_;
    FileIdentity identity_;
};

}  // namespace bertha::addon
