// Kernels of learning whose sums are float64 and whose results are rounded once: for models so small that
// the time does not count. Gradients of a chain of fp32 sums are off by some 3e-6 of the score's size, tens
// of times the rounding of a single number; these leave half of that.
#pragma once

#include "cpu/kernels.h"
#include "cpu/training/training_kernels.h"

namespace bertha::cpu {

// kernels() with other linear, layer_norm and GELU; the layouts are the same.
const KernelTable& exact_kernels();
// training_kernels() with other derivatives of GELU and LayerNorm, and another attention where queries and
// keys neither turn nor have positions of their own, nor are hidden from each other.
const TrainingKernels& exact_training_kernels();

}  // namespace bertha::cpu
