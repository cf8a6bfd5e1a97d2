// native/cuda/linear_parts.cu for the emulator: the very file that nvcc compiles.
#include <cmath>

#include "cuda/linear_parts.cu"
