// native/cuda/kernels/linear_parts.cu for the emulator: the very file that nvcc compiles.
#include <cmath>

#include "cuda/kernels/linear_parts.cu"
