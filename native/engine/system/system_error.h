// What the system says of a failure, with the name of its code as people search for it.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>

namespace bertha {

inline std::string system_error(int number) {
    const char* name = "";
    switch (number) {
        case EACCES: name = "EACCES: "; break;
#if defined(EDQUOT)
        case EDQUOT: name = "EDQUOT: "; break;
#endif
        case EFBIG: name = "EFBIG: "; break;
        case EIO: name = "EIO: "; break;
        case EISDIR: name = "EISDIR: "; break;
        case EMFILE: name = "EMFILE: "; break;
        case ENOENT: name = "ENOENT: "; break;
        case ENOSPC: name = "ENOSPC: "; break;
        case ENOTDIR: name = "ENOTDIR: "; break;
        case EPERM: name = "EPERM: "; break;
        case EROFS: name = "EROFS: "; break;
        default: break;
    }
    return name + std::string(std::strerror(number));
}

}  // namespace bertha
