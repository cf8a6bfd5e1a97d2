#include "engine/weights/shared_weights.h"

#include <algorithm>
#include <utility>

namespace bertha {

SharedWeights& SharedWeights::instance() {
    static SharedWeights* weights = new SharedWeights();
    return *weights;
}

void SharedWeights::forget_expired() {
    for (auto entry = entries_.begin(); entry != entries_.end();) {
        const bool is_gone = !entry->second.is_being_made && entry->second.stored.expired();
        entry = is_gone ? entries_.erase(entry) : std::next(entry);
    }
}

// Who waits has claimed nothing yet, so nobody waits for one who waits.
SharedWeights::Claim::Claim(SharedWeights& all, std::vector<std::string> keys)
    : all_(all), keys_(std::move(keys)), found_(keys_.size()) {
    std::unique_lock<std::mutex> lock(all_.mutex_);
    all_.made_.wait(lock, [&] {
        return std::none_of(keys_.begin(), keys_.end(), [&](const std::string& key) {
            const auto entry = all_.entries_.find(key);
            return entry != all_.entries_.end() && entry->second.is_being_made;
        });
    });
    all_.forget_expired();
    for (size_t i = 0; i < keys_.size(); i++) {
        if (keys_[i].empty()) continue;
        Entry& entry = all_.entries_[keys_[i]];
        found_[i] = entry.stored.lock();
        entry.is_being_made = found_[i] == nullptr;
    }
}

SharedWeights::Claim::~Claim() {
    const std::lock_guard<std::mutex> lock(all_.mutex_);
    for (size_t i = 0; i < keys_.size(); i++)
        if (!keys_[i].empty() && found_[i] == nullptr) all_.entries_[keys_[i]].is_being_made = false;
    all_.made_.notify_all();
}

SharedWeights::StoredPtr SharedWeights::Claim::publish(size_t index, std::shared_ptr<const void> memory,
                                                       const void* data) {
    const auto stored = std::make_shared<const Stored>(Stored{std::move(memory), data});
    if (keys_[index].empty()) return stored;
    const std::lock_guard<std::mutex> lock(all_.mutex_);
    all_.entries_[keys_[index]].stored = stored;
    return stored;
}

}  // namespace bertha
