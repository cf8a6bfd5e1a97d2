// activation(scale * product + bias) + residual: what adapters of low rank ask for, one multiplication more
// than the kernels' epilogue has.
#pragma once

#include "cpu/kernels.h"

namespace bertha::cpu {

// As format.linear(args), with the product times `scale`.
void scaled_linear(const KernelTable& kernels, const MatrixFormat& format, const LinearArgs& args,
                   float scale);

}  // namespace bertha::cpu
