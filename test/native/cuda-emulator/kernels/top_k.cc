// native/cuda/kernels/top_k.cu for the emulator: the very file that nvcc compiles.
#include <cmath>

#include "cuda/kernels/top_k.cu"
