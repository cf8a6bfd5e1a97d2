// native/cuda/kernels/linear_fp32.cu for the emulator: the very file that nvcc compiles.
#include <cmath>

#include "cuda/kernels/linear_fp32.cu"
