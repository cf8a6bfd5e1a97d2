#include "engine/system/thread.h"

#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#if !defined(_WIN32)
#include <pthread.h>
#endif
#if defined(__APPLE__)
#include <pthread/qos.h>
#endif

namespace bertha {

#if defined(_WIN32)
void start_thread(std::function<void()> body) { std::thread(std::move(body)).detach(); }
#else
namespace {

constexpr size_t kLeastStack = size_t{1} << 20;

void* run_body(void* argument) {
    const std::unique_ptr<std::function<void()>> body(static_cast<std::function<void()>*>(argument));
#if defined(__APPLE__)
    // Work that somebody waits for: the system prefers performance cores for it.
    pthread_set_qos_class_self_np(QOS_CLASS_USER_INITIATED, 0);
#endif
    (*body)();
    return nullptr;
}

}  // namespace

void start_thread(std::function<void()> body) {
    auto argument = std::make_unique<std::function<void()>>(std::move(body));
    pthread_attr_t attributes;
    size_t stack = 0;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_attr_getstacksize(&attributes, &stack) == 0 && stack < kLeastStack)
        pthread_attr_setstacksize(&attributes, kLeastStack);
    pthread_t thread;
    const int problem = pthread_create(&thread, &attributes, run_body, argument.get());
    pthread_attr_destroy(&attributes);
    if (problem != 0) throw std::system_error(problem, std::generic_category());
    argument.release();
}
#endif

}  // namespace bertha
