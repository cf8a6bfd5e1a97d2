// Which instruction sets this processor and operating system offer, and the kernel table to use.
#pragma once

#include <string>
#include <vector>

#include "cpu/kernels.h"
#include "cpu/training/training_kernels.h"
#include "cpu/word-vectors/word_kernels.h"

namespace bertha::cpu {

struct IsaReport {
    std::string chosen;                  // one of `available`
    std::vector<std::string> available;  // usable here, best last
    std::vector<std::string> features;   // CPU features that kernels care about, as the system names them
    bool forced = false;                 // by BERTHA_ISA
};

// Reads CPUID, XCR0 and BERTHA_ISA. Throws ISA when BERTHA_ISA names a set that is unknown or not available
// here.
IsaReport isa_report();
const KernelTable& kernels();
// Those that fit kernels().
const TrainingKernels& training_kernels();
const WordKernels& word_kernels();
// How kernels() and bf16_training_kernels() multiply bf16 numbers: by FMA on Intel's processors.
Bf16Products bf16_products();
// Those of bf16 products. Throws PRECISION where kernels() has none.
const Bf16TrainingKernels& bf16_training_kernels();
// The format of a precision. Throws PRECISION, saying what is missing, when this processor cannot run it.
const MatrixFormat& format_for(const KernelTable& kernels, const std::string& precision);

}  // namespace bertha::cpu
