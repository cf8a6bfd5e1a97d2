// Eigenvalues and eigenvectors of symmetric matrices, in float64.
#pragma once

#include <cstdint>
#include <vector>

namespace bertha::cpu {

struct SymmetricEigen {
    // Falling [size].
    std::vector<double> values;
    // A vector of length 1 for each value [size, size].
    std::vector<double> vectors;
};

// Householder's reduction to three diagonals and QL steps with implicit shifts (Golub & Van Loan, 8.3): time
// in the cube of the size. Throws NON_FINITE where numbers are not finite.
SymmetricEigen symmetric_eigen(std::vector<double> matrix, int64_t size);

}  // namespace bertha::cpu
