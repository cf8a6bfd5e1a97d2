// The C++ library's last words on an exception that nobody catches would name its type as the source does, by
// a demangler of 100 KB. This one has no answer, and the type is named as symbols are.
#include <cstddef>

extern "C" __attribute__((visibility("hidden"))) char* __cxa_demangle(const char*, char*, std::size_t*,
                                                                      int* status) {
    if (status != nullptr) *status = -1;  // as where memory is short
    return nullptr;
}
