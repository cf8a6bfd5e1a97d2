// A file that weights are read from, by a descriptor of its own: JavaScript closes its own one when it likes,
// a terminated worker's all at once, and the system gives the number to the next file that is opened.
#pragma once

#include "addon/weights/file_identity.h"

namespace bertha::addon {

class WeightFile {
public:
    // Copies an open descriptor. Throws IO.
    explicit WeightFile(int fd);
    WeightFile(const WeightFile&) = delete;
    WeightFile& operator=(const WeightFile&) = delete;
    ~WeightFile();

    int fd() const { return fd_; }
    // What it looked like when it was opened here.
    const FileIdentity& identity() const { return identity_; }
    // False when its contents may have been changed since. Throws IO.
    bool is_unchanged() const { return identity_.has_contents_of(identify_file(fd_)); }

private:
    const int fd_;
    const FileIdentity identity_;
};

}  // namespace bertha::addon
