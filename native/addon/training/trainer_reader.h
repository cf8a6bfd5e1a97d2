// What JavaScript hands to a trainer.
#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <vector>

#include "addon/program_reader.h"
#include "addon/training/trainer.h"
#include "cpu/training/weights/parameter_source.h"
#include "engine/model.h"
#include "engine/scheduler/checked_batch.h"

namespace bertha::addon {

struct TrainerRequest {
    std::vector<Program> programs;   // the first, and those that learn with its weights
    std::vector<WeightParts> parts;  // of the first
    cpu::TrainingSpec spec;
    int threads = 1;
    std::shared_ptr<Trainer> trainer;
};

// NativeTrainingProgram and NativeTrainerOptions of src/runtime/native.ts.
std::shared_ptr<TrainerRequest> read_trainer(const Napi::CallbackInfo& info);

// What a call hands over, and what becomes of it.
struct Computation {
    std::vector<std::unique_ptr<CheckedBatch>> batches;
    cpu::AccumulateOptions options;
    cpu::AdamwUpdate update;
    cpu::Accumulated result;
    double grad_norm = 0.0;
    double compute_ms = 0.0;
};

// The micro-batches and options of a step.
std::shared_ptr<Computation> read_computation(const Trainer& trainer, const Napi::CallbackInfo& info);
cpu::AdamwUpdate read_update(const Program& program, const Napi::Object& options);

// A model to be made of the weights as they are, and what became of it.
struct SnapshotRequest {
    std::shared_ptr<const Program> program;
    std::vector<std::vector<cpu::LivePart>> parts;
    LoadOptions options;
    int threads = 1;
    std::shared_ptr<const Model> model;
};
// NativeSnapshot of src/runtime/native.ts.
std::shared_ptr<SnapshotRequest> read_snapshot(const Napi::Object& spec, int threads);

}  // namespace bertha::addon
