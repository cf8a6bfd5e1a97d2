// Windows: where the functions of Node-API are. node_api.h declares them as imports from a library, so that
// calls go through pointers called __imp_NAME, which a linker would have Windows fill from node.exe. But the
// program may have another name (Electron, a renamed node.exe): here they are looked up in whatever program
// runs. One that is missing here is an error of the linker.
#if defined(_WIN32)

#include <windows.h>

// clang-format off
#define BERTHA_NODE_API(IMPORT)                \
    IMPORT(napi_add_env_cleanup_hook)          \
    IMPORT(napi_add_finalizer)                 \
    IMPORT(napi_adjust_external_memory)        \
    IMPORT(napi_call_threadsafe_function)      \
    IMPORT(napi_close_escapable_handle_scope)  \
    IMPORT(napi_close_handle_scope)            \
    IMPORT(napi_coerce_to_bool)                \
    IMPORT(napi_create_array)                  \
    IMPORT(napi_create_array_with_length)      \
    IMPORT(napi_create_arraybuffer)            \
    IMPORT(napi_create_buffer_copy)            \
    IMPORT(napi_create_double)                 \
    IMPORT(napi_create_error)                  \
    IMPORT(napi_create_external)               \
    IMPORT(napi_create_function)               \
    IMPORT(napi_create_object)                 \
    IMPORT(napi_create_promise)                \
    IMPORT(napi_create_reference)              \
    IMPORT(napi_create_string_utf8)            \
    IMPORT(napi_create_threadsafe_function)    \
    IMPORT(napi_create_type_error)             \
    IMPORT(napi_create_typedarray)             \
    IMPORT(napi_define_class)                  \
    IMPORT(napi_define_properties)             \
    IMPORT(napi_delete_reference)              \
    IMPORT(napi_escape_handle)                 \
    IMPORT(napi_fatal_error)                   \
    IMPORT(napi_get_and_clear_last_exception)  \
    IMPORT(napi_get_array_length)              \
    IMPORT(napi_get_arraybuffer_info)          \
    IMPORT(napi_get_boolean)                   \
    IMPORT(napi_get_cb_info)                   \
    IMPORT(napi_get_element)                   \
    IMPORT(napi_get_instance_data)             \
    IMPORT(napi_get_last_error_info)           \
    IMPORT(napi_get_named_property)            \
    IMPORT(napi_get_new_target)                \
    IMPORT(napi_get_null)                      \
    IMPORT(napi_get_property)                  \
    IMPORT(napi_get_property_names)            \
    IMPORT(napi_get_reference_value)           \
    IMPORT(napi_get_typedarray_info)           \
    IMPORT(napi_get_undefined)                 \
    IMPORT(napi_get_value_bool)                \
    IMPORT(napi_get_value_double)              \
    IMPORT(napi_get_value_external)            \
    IMPORT(napi_get_value_string_utf8)         \
    IMPORT(napi_has_property)                  \
    IMPORT(napi_is_array)                      \
    IMPORT(napi_is_exception_pending)          \
    IMPORT(napi_is_typedarray)                 \
    IMPORT(napi_new_instance)                  \
    IMPORT(napi_open_escapable_handle_scope)   \
    IMPORT(napi_open_handle_scope)             \
    IMPORT(napi_ref_threadsafe_function)       \
    IMPORT(napi_reject_deferred)               \
    IMPORT(napi_remove_wrap)                   \
    IMPORT(napi_resolve_deferred)              \
    IMPORT(napi_set_element)                   \
    IMPORT(napi_set_instance_data)             \
    IMPORT(napi_set_named_property)            \
    IMPORT(napi_throw)                         \
    IMPORT(napi_typeof)                        \
    IMPORT(napi_unref_threadsafe_function)     \
    IMPORT(napi_unwrap)                        \
    IMPORT(napi_wrap)
// clang-format on

#define BERTHA_DEFINE(name) void* __imp_##name = nullptr;
extern "C" {
BERTHA_NODE_API(BERTHA_DEFINE)
}

namespace {

// Before the program calls anything of this library. Bertha's Node.js (20.19) has all of them.
struct Imports {
    Imports() {
        const HMODULE program = GetModuleHandleW(nullptr);
#define BERTHA_LOOK_UP(name) __imp_##name = reinterpret_cast<void*>(GetProcAddress(program, #name));
        BERTHA_NODE_API(BERTHA_LOOK_UP)
    }
};
const Imports imports;

}  // namespace

#endif
