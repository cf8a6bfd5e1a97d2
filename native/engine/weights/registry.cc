#include "engine/weights/registry.h"

namespace bertha {

Registry& Registry::instance() {
    static Registry* registry = new Registry();
    return *registry;
}

std::shared_ptr<const LoadedModel> Registry::get(const std::string& shared_key,
                                                 const std::function<std::unique_ptr<LoadedModel>()>& load) {
    std::unique_lock<std::mutex> lock(mutex_);
    const std::string key = shared_key.empty() ? "alone " + std::to_string(++alone_) : shared_key;
    for (;;) {
        Entry& entry = entries_[key];
        if (std::shared_ptr<const LoadedModel> model = entry.model.lock()) return model;
        if (!entry.loading) break;
        loaded_.wait(lock);
    }
    entries_[key].loading = true;
    lock.unlock();
    std::shared_ptr<const LoadedModel> model;
    try {
        model = std::shared_ptr<const LoadedModel>(load().release(), [this, key](const LoadedModel* last) {
            delete last;
            forget(key);
        });
    } catch (...) {
        lock.lock();
        entries_.erase(key);
        loaded_.notify_all();
        throw;
    }
    lock.lock();
    entries_[key] = {model, false, model->device()};
    loaded_.notify_all();
    return model;
}

void Registry::forget(const std::string& key) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = entries_.find(key);
    // It may have been loaded anew since.
    if (found != entries_.end() && !found->second.loading && found->second.model.expired())
        entries_.erase(found);
}

std::map<std::string, int64_t> Registry::models_by_device() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::map<std::string, int64_t> counts;
    for (const auto& [key, entry] : entries_)
        if (!entry.device.empty()) counts[entry.device]++;
    return counts;
}

}  // namespace bertha
