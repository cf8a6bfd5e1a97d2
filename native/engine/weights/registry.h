// The weights that are loaded, so that a second load of the same model in any worker_thread gets the first
// one's. A model leaves the registry when nobody holds it any more.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "engine/backend.h"

namespace bertha {

class Registry {
public:
    // The one instance; never destroyed, because models may outlive static destructors.
    static Registry& instance();

    // The model under `key`, made by `load` when there is none; who asks while it is being loaded waits, and
    // tries itself when that fails. The empty key is never shared. Throws what load throws.
    std::shared_ptr<const LoadedModel> get(const std::string& key,
                                           const std::function<std::unique_ptr<LoadedModel>()>& load);
    // Sets of weights in memory, by their LoadedModel::device().
    std::map<std::string, int64_t> models_by_device() const;

private:
    struct Entry {
        std::weak_ptr<const LoadedModel> model;
        bool loading = false;
        std::string device;
    };
    void forget(const std::string& key);

    uint64_t alone_ = 0;  // models that are not shared
    mutable std::mutex mutex_;
    std::condition_variable loaded_;
    std::unordered_map<std::string, Entry> entries_;
};

}  // namespace bertha
