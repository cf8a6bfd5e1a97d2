// What one forward needs on the device, kept for the next one.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "cuda/device_memory.h"
#include "engine/backend.h"

namespace bertha::cuda {

class CudaWorkspace;

// The workspaces of one model, so that a forward that is short of memory can take what idle ones hold.
class WorkspaceList {
public:
    // Frees the memory of the workspaces that no forward uses. Returns its bytes.
    int64_t release_idle();

private:
    friend class CudaWorkspace;
    std::mutex mutex_;  // guards `all_` and, of each workspace in it that no forward uses, the memory
    std::vector<CudaWorkspace*> all_;
};

class CudaWorkspace final : public Workspace {
public:
    explicit CudaWorkspace(std::shared_ptr<WorkspaceList> list);
    ~CudaWorkspace() override;
    int64_t bytes() const override;
    void release();

    // A forward's hold on a workspace, until the end of the scope.
    class Use {
    public:
        explicit Use(CudaWorkspace& workspace);
        ~Use();
        Use(const Use&) = delete;
        Use& operator=(const Use&) = delete;

    private:
        CudaWorkspace& workspace_;
    };

    const OwnedStream stream;
    DeviceMemory arena, inputs, outputs;
    PinnedMemory pinned_inputs, pinned_outputs;

private:
    friend class WorkspaceList;
    int64_t held_bytes() const;

    const std::shared_ptr<WorkspaceList> list_;
    bool in_use_ = false;
};

}  // namespace bertha::cuda
