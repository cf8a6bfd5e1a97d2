// Owners of device memory, pinned host memory and a stream.
#pragma once

#include <utility>

#include "cuda/launch.h"

namespace bertha::cuda {

template <void* (*kAllocate)(size_t), void (*kFree)(void*) noexcept>
class Memory {
public:
    Memory() = default;
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    ~Memory() { kFree(data_); }

    // At least `bytes`; what it held is lost when it grows. Throws DEVICE_OOM and then holds nothing.
    void reserve(size_t bytes) {
        if (bytes <= bytes_) return;
        release();
        data_ = kAllocate(bytes);
        bytes_ = bytes;
    }
    void release() {
        kFree(std::exchange(data_, nullptr));
        bytes_ = 0;
    }
    size_t bytes() const { return bytes_; }
    template <typename T>
    T* as() const {
        return static_cast<T*>(data_);
    }

private:
    void* data_ = nullptr;
    size_t bytes_ = 0;
};
using DeviceMemory = Memory<allocate_device, free_device>;
using PinnedMemory = Memory<allocate_pinned, free_pinned>;

class OwnedStream {
public:
    OwnedStream() : stream_(create_stream()) {}
    OwnedStream(const OwnedStream&) = delete;
    OwnedStream& operator=(const OwnedStream&) = delete;
    ~OwnedStream() { destroy_stream(stream_); }
    Stream get() const { return stream_; }

private:
    Stream stream_;
};

}  // namespace bertha::cuda
