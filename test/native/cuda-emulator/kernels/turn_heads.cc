// native/cuda/kernels/turn_heads.cu for the emulator: the very file that nvcc compiles.
#include <cmath>

#include "cuda/kernels/turn_heads.cu"
