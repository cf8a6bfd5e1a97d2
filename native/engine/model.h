// A loaded program as one caller asked for it: the weights may be shared with others, the limit of threads
// and the workspaces are its own. Shared by every thread of the process.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/backend.h"

namespace bertha {

class Model {
public:
    Model(std::shared_ptr<const Program> program, std::shared_ptr<const LoadedModel> loaded, int max_threads)
        : program_(std::move(program)), loaded_(std::move(loaded)), max_threads_(max_threads) {}

    const Program& program() const { return *program_; }
    const LoadedModel& loaded() const { return *loaded_; }
    int max_threads() const { return max_threads_; }
    // How many Models use these weights.
    int64_t users() const { return loaded_.use_count(); }

    // A workspace for one forward, taken from those that earlier forwards gave back.
    std::unique_ptr<Workspace> take_workspace() const;
    void give_back(std::unique_ptr<Workspace> workspace) const;
    int64_t workspace_bytes() const;

    // The scheduler's, under its lock: batches of this model that compute now.
    mutable int running = 0;
    // And by lane those that are steps of a decoder: one after the other, so that all texts share them.
    mutable int stepping[2] = {0, 0};

private:
    const std::shared_ptr<const Program> program_;
    const std::shared_ptr<const LoadedModel> loaded_;
    const int max_threads_;
    mutable std::mutex mutex_;
    mutable std::vector<std::unique_ptr<Workspace>> idle_;
};

}  // namespace bertha
