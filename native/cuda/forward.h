// One run of a program over one batch on the device.
#pragma once

#include <vector>

#include "cuda/weights/attention_tables.h"
#include "cuda/weights/device_constants.h"
#include "cuda/weights/device_weights.h"
#include "cuda/value_plan.h"
#include "cuda/workspace.h"
#include "engine/backend.h"

namespace bertha::cuda {

// What a model's forwards share.
struct ProgramOnDevice {
    const Program& program;
    const ValuePlan& plan;
    const DeviceWeights& weights;
    const AttentionTables& attention;
    const DeviceConstants& constants;
};

// Copies the batch in, queues the ops that the outputs need, copies the outputs out and waits. Throws
// ABORTED, DEVICE_OOM, DEVICE_LOST, DEVICE. Whether it returns or throws, nothing uses the workspace any
// more.
void run_forward(const ProgramOnDevice& model, const Batch& batch, const std::vector<Output>& outputs,
                 CudaWorkspace& workspace, Control& control);

}  // namespace bertha::cuda
