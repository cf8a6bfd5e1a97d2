#include "engine/model.h"

namespace bertha {

std::unique_ptr<Workspace> Model::take_workspace() const {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!idle_.empty()) {
            std::unique_ptr<Workspace> workspace = std::move(idle_.back());
            idle_.pop_back();
            return workspace;
        }
    }
    return loaded_->make_workspace();
}

void Model::give_back(std::unique_ptr<Workspace> workspace) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    idle_.push_back(std::move(workspace));
}

int64_t Model::workspace_bytes() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    int64_t bytes = 0;
    for (const auto& workspace : idle_) bytes += workspace->bytes();
    return bytes;
}

}  // namespace bertha
