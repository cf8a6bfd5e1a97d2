// A program with its weights on a device, shared by every thread and every JavaScript environment of the process.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/backend.h"

namespace bertha {

class Model {
public:
    Model(std::shared_ptr<const Program> program, std::unique_ptr<LoadedModel> loaded, int max_threads)
        : program_(std::move(program)), loaded_(std::move(loaded)), max_threads_(max_threads) {}

    const Program& program() const { return *program_; }
    const LoadedModel& loaded() const { return *loaded_; }
    int max_threads() const { return max_threads_; }

    // A workspace for one forward, taken from those that earlier forwards gave back.
    std::unique_ptr<Workspace> take_workspace() const;
    void give_back(std::unique_ptr<Workspace> workspace) const;
    int64_t workspace_bytes() const;

private:
    const std::shared_ptr<const Program> program_;
    const std::unique_ptr<LoadedModel> loaded_;
    const int max_threads_;
    mutable std::mutex mutex_;
    mutable std::vector<std::unique_ptr<Workspace>> idle_;
};

}  // namespace bertha
