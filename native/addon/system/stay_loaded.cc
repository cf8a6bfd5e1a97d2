#include "addon/system/stay_loaded.h"

#if defined(_WIN32)
#include <windows.h>
#elif defined(__APPLE__)
#include <dlfcn.h>
#endif

namespace bertha::addon {

#if defined(_WIN32)
void stay_loaded() {
    HMODULE addon;
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                       reinterpret_cast<LPCWSTR>(&stay_loaded), &addon);
}
#elif defined(__APPLE__)
void stay_loaded() {
    Dl_info addon;
    if (dladdr(reinterpret_cast<const void*>(&stay_loaded), &addon) != 0)
        dlopen(addon.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}
#else
void stay_loaded() {}
#endif

}  // namespace bertha::addon
