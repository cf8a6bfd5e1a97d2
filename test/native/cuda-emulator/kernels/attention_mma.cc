// native/cuda/kernels/attention_mma.cu for the emulator: the very file that nvcc compiles.
#include <cmath>

#include "cuda/kernels/attention_mma.cu"
