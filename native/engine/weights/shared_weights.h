// Weights as kernels read them, by what they were made of: programs that use the same tensors, such as a base
// and the adapters on it, hold them once. A weight leaves when nobody holds it any more.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace bertha {

class SharedWeights {
public:
    // A weight, and the memory in which it lies, beside others perhaps.
    struct Stored {
        std::shared_ptr<const void> memory;
        const void* data = nullptr;
    };
    using StoredPtr = std::shared_ptr<const Stored>;

    // The one instance; never destroyed, because models may outlive static destructors.
    static SharedWeights& instance();

    // What there is of some weights, and the right to make the rest: until the claim ends nobody else does.
    class Claim {
    public:
        // Waits while others make one of them. An empty key is never shared; others differ from one another.
        Claim(SharedWeights& all, std::vector<std::string> keys);
        Claim(const Claim&) = delete;
        Claim& operator=(const Claim&) = delete;
        ~Claim();

        // By index of the keys; null: the caller makes it.
        const StoredPtr& found(size_t index) const { return found_[index]; }
        // Lets others use what the caller has made; returns its own hold on it.
        StoredPtr publish(size_t index, std::shared_ptr<const void> memory, const void* data);

    private:
        SharedWeights& all_;
        const std::vector<std::string> keys_;
        std::vector<StoredPtr> found_;
    };

private:
    struct Entry {
        std::weak_ptr<const Stored> stored;
        bool is_being_made = false;
    };
    void forget_expired();

    std::mutex mutex_;
    std::condition_variable made_;
    std::unordered_map<std::string, Entry> entries_;
};

}  // namespace bertha
