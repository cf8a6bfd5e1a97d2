// native/cuda/kernels/columns.cu for the emulator: the very file that nvcc compiles.
#include <cmath>

#include "cuda/kernels/columns.cu"
