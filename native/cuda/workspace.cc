#include "cuda/workspace.h"

#include <algorithm>

namespace bertha::cuda {

int64_t WorkspaceList::release_idle() {
    const std::lock_guard<std::mutex> lock(mutex_);
    int64_t bytes = 0;
    for (CudaWorkspace* workspace : all_) {
        if (workspace->in_use_) continue;
        bytes += workspace->held_bytes();
        workspace->release();
    }
    return bytes;
}

CudaWorkspace::CudaWorkspace(std::shared_ptr<WorkspaceList> list) : list_(std::move(list)) {
    const std::lock_guard<std::mutex> lock(list_->mutex_);
    list_->all_.push_back(this);
}

CudaWorkspace::~CudaWorkspace() {
    const std::lock_guard<std::mutex> lock(list_->mutex_);
    list_->all_.erase(std::find(list_->all_.begin(), list_->all_.end(), this));
}

int64_t CudaWorkspace::held_bytes() const {
    return static_cast<int64_t>(arena.bytes() + inputs.bytes() + outputs.bytes() + pinned_inputs.bytes() +
                                pinned_outputs.bytes());
}

int64_t CudaWorkspace::bytes() const {
    const std::lock_guard<std::mutex> lock(list_->mutex_);
    return held_bytes();
}

void CudaWorkspace::release() {
    arena.release();
    inputs.release();
    outputs.release();
    pinned_inputs.release();
    pinned_outputs.release();
}

CudaWorkspace::Use::Use(CudaWorkspace& workspace) : workspace_(workspace) {
    const std::lock_guard<std::mutex> lock(workspace.list_->mutex_);
    workspace.in_use_ = true;
}

CudaWorkspace::Use::~Use() {
    const std::lock_guard<std::mutex> lock(workspace_.list_->mutex_);
    workspace_.in_use_ = false;
}

}  // namespace bertha::cuda
