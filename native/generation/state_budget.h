// The memory that texts being generated may take together. It is asked for before a text starts.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>

#include "engine/pool/priority.h"

namespace bertha::generation {

// What a text asks for.
struct StateTicket {
    int64_t bytes = 0;
    Priority lane = Priority::kInteractive;
    std::function<void()> start;  // called once, on any thread, when the bytes are the text's

    // The budget's.
    bool waits = false;
};
using TicketPtr = std::shared_ptr<StateTicket>;

struct StateStats {
    int64_t bytes = 0;  // of the texts that have started
    int64_t limit = 0;
    int64_t texts = 0;
    int64_t waiting = 0;
};

class StateBudget {
public:
    // The one instance; never destroyed.
    static StateBudget& instance();

    // Starts the text now, or once there is room, in the order of asking within its lane, interactive ones
    // first. Throws INPUT_TOO_LARGE for one that never can.
    void ask(const TicketPtr& ticket);
    // Gives back the bytes of a text that has started.
    void give_back(const StateTicket& ticket);
    // Takes a ticket out of the queue. False when it does not wait.
    bool remove(const TicketPtr& ticket);

    void set_limit(int64_t bytes);
    StateStats stats() const;

private:
    void start_waiting();

    mutable std::mutex mutex_;
    std::list<TicketPtr> waiting_[2];
    int64_t limit_ = int64_t{1} << 30;
    int64_t bytes_ = 0;
    int64_t texts_ = 0;
};

}  // namespace bertha::generation
