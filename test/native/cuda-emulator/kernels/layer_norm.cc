// native/cuda/kernels/layer_norm.cu for the emulator: the very file that nvcc compiles.
#include <cmath>

#include "cuda/kernels/layer_norm.cu"
