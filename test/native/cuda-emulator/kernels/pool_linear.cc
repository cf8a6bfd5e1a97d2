// native/cuda/kernels/pool_linear.cu for the emulator: the very file that nvcc compiles.
#include <cmath>

#include "cuda/kernels/pool_linear.cu"
