// A model that computes with the weights of a learner as they are.
#pragma once

#include <functional>
#include <memory>
#include <shared_mutex>

#include "cpu/training/weights/parameters.h"
#include "engine/backend.h"

namespace bertha::cpu {

// What holds weights that change. Forwards hold the lock, shared; whoever changes weights holds it alone.
class LiveParameters {
public:
    virtual ~LiveParameters() = default;
    virtual const Parameters& parameters() const = 0;
    // Called before a forward: weights are whole while the lock lives.
    virtual std::shared_lock<std::shared_mutex> lock_for_reading() const = 0;
    // Whether somebody holds the lock alone, or waits for it.
    virtual bool are_changing() const = 0;
};

// The program's weights have the numbers and shapes of the learner's, `learning`. Throws INVALID_PROGRAM.
std::unique_ptr<LoadedModel> live_model(std::shared_ptr<const Program> program, const Program& learning,
                                        std::shared_ptr<const LiveParameters> live);

}  // namespace bertha::cpu
