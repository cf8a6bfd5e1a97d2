// What one core can do at most: the yardstick that `npm run bench` gives shares of.
#pragma once

#include <vector>

namespace bertha::cpu {

struct Peak {
    const char* precision;  // as in the option `precision`
    double giga_ops;        // multiplications and additions in a second, in units of 1e9
};

// Measures the instruction that each precision rests on, from registers, for some milliseconds on this
// thread. Empty for the scalar kernels.
std::vector<Peak> measure_peaks();

}  // namespace bertha::cpu
