#include "generation/state_budget.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/check.h"

namespace bertha::generation {

StateBudget& StateBudget::instance() {
    static StateBudget* budget = new StateBudget();
    return *budget;
}

void StateBudget::ask(const TicketPtr& ticket) {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        BERTHA_CHECK(ticket->bytes <= limit_, "INPUT_TOO_LARGE",
                     "a text of this length and so many beams needs %lld bytes of state; maxStateBytes is "
                     "%lld: expected fewer new tokens or beams, or a higher limit",
                     static_cast<long long>(ticket->bytes), static_cast<long long>(limit_));
        ticket->waits = true;
        waiting_[static_cast<int>(ticket->lane)].push_back(ticket);
    }
    start_waiting();
}

void StateBudget::give_back(const StateTicket& ticket) {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        bytes_ -= ticket.bytes;
        texts_--;
    }
    start_waiting();
}

// Those at the front of their lane that fit; a bulk text does not pass an interactive one.
void StateBudget::start_waiting() {
    std::vector<TicketPtr> started;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        for (auto& lane : waiting_) {
            while (!lane.empty() && bytes_ + lane.front()->bytes <= limit_) {
                const TicketPtr& ticket = lane.front();
                ticket->waits = false;
                bytes_ += ticket->bytes;
                texts_++;
                started.push_back(ticket);
                lane.pop_front();
            }
            if (!lane.empty()) break;
        }
    }
    for (const TicketPtr& ticket : started) std::exchange(ticket->start, nullptr)();
}

bool StateBudget::remove(const TicketPtr& ticket) {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!ticket->waits) return false;
        ticket->waits = false;
        waiting_[static_cast<int>(ticket->lane)].remove(ticket);
    }
    start_waiting();  // it may have stood before smaller ones
    return true;
}

void StateBudget::set_limit(int64_t bytes) {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        limit_ = bytes;
    }
    start_waiting();
}

StateStats StateBudget::stats() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto waiting = static_cast<int64_t>(waiting_[0].size() + waiting_[1].size());
    return {bytes_, limit_, texts_, waiting};
}

}  // namespace bertha::generation
