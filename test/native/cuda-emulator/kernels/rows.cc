// native/cuda/kernels/rows.cu for the emulator: the very file that nvcc compiles.
#include <cmath>

#include "cuda/kernels/rows.cu"
