// macOS: operators new and delete of this library alone. libc++ has them with a visibility that no option of
// zig's linker hides, and a library that exports them offers them to the whole process. The compiler needs
// -fvisibility-global-new-delete=source to hide these.
#if defined(__APPLE__)

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

template <typename Allocate>
void* allocate_or_throw(Allocate&& allocate) {
    for (;;) {
        if (void* data = allocate()) return data;
        const std::new_handler handler = std::get_new_handler();
        if (handler == nullptr) throw std::bad_alloc();
        handler();
    }
}

void* allocate(std::size_t bytes) {
    return allocate_or_throw([bytes] { return std::malloc(bytes == 0 ? 1 : bytes); });
}

void* allocate(std::size_t bytes, std::align_val_t alignment) {
    const std::size_t least = static_cast<std::size_t>(alignment);
    return allocate_or_throw([&]() -> void* {
        void* data = nullptr;
        const std::size_t multiple = least < sizeof(void*) ? sizeof(void*) : least;
        return posix_memalign(&data, multiple, bytes == 0 ? 1 : bytes) == 0 ? data : nullptr;
    });
}

template <typename... Arguments>
void* allocate_or_null(Arguments... arguments) noexcept {
    try {
        return allocate(arguments...);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

}  // namespace

using Bytes = std::size_t;
using Align = std::align_val_t;
using NoThrow = const std::nothrow_t&;

void* operator new(Bytes bytes) { return allocate(bytes); }
void* operator new[](Bytes bytes) { return allocate(bytes); }
void* operator new(Bytes bytes, Align align) { return allocate(bytes, align); }
void* operator new[](Bytes bytes, Align align) { return allocate(bytes, align); }
void* operator new(Bytes bytes, NoThrow) noexcept { return allocate_or_null(bytes); }
void* operator new[](Bytes bytes, NoThrow) noexcept { return allocate_or_null(bytes); }
void* operator new(Bytes bytes, Align align, NoThrow) noexcept { return allocate_or_null(bytes, align); }
void* operator new[](Bytes bytes, Align align, NoThrow) noexcept { return allocate_or_null(bytes, align); }
void operator delete(void* data) noexcept { std::free(data); }
void operator delete[](void* data) noexcept { std::free(data); }
void operator delete(void* data, Bytes) noexcept { std::free(data); }
void operator delete[](void* data, Bytes) noexcept { std::free(data); }
void operator delete(void* data, Align) noexcept { std::free(data); }
void operator delete[](void* data, Align) noexcept { std::free(data); }
void operator delete(void* data, Bytes, Align) noexcept { std::free(data); }
void operator delete[](void* data, Bytes, Align) noexcept { std::free(data); }
void operator delete(void* data, NoThrow) noexcept { std::free(data); }
void operator delete[](void* data, NoThrow) noexcept { std::free(data); }
void operator delete(void* data, Align, NoThrow) noexcept { std::free(data); }
void operator delete[](void* data, Align, NoThrow) noexcept { std::free(data); }

#endif
