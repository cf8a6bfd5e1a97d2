// Every native allocation of size goes through here: 64-byte aligned, counted, and able to fail on demand
// (tests).
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace bertha {

// An owned, 64-byte aligned, uninitialised block. Blocks of 1 MiB and more are mapped and unmapped, so that
// freeing them gives the memory back to the system at once.
class Buffer {
public:
    Buffer() = default;
    explicit Buffer(size_t bytes) : Buffer(bytes, true) {}  // throws OUT_OF_MEMORY
    // A block of which a part will be written: small pages, which are in memory once they were touched.
    static Buffer sparse(size_t bytes) { return Buffer(bytes, false); }
    Buffer(Buffer&& other) noexcept { *this = std::move(other); }
    Buffer& operator=(Buffer&& other) noexcept {
        std::swap(bytes_, other.bytes_);
        std::swap(data_, other.data_);
        return *this;
    }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() { reset(); }

    void reset() noexcept;
    // Makes the block at least this large; its content is lost when it grows.
    void reserve(size_t bytes) {
        if (bytes > bytes_) {
            reset();
            *this = Buffer(bytes);
        }
    }
    size_t bytes() const { return bytes_; }
    template <typename T>
    T* as() const {
        return static_cast<T*>(data_);
    }
    float* floats() const { return as<float>(); }

private:
    Buffer(size_t bytes, bool huge_pages);

    size_t bytes_ = 0;
    void* data_ = nullptr;
};

// Bytes held by all Buffers of the process.
int64_t allocated_bytes();

// The n-th allocation from now fails (1 = the next); 0 switches this off. Returns how many allocations were
// made since the last call. For tests.
int64_t fail_allocation(int64_t n);

}  // namespace bertha
