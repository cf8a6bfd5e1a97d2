// native/cuda/rows.cu for the emulator: the very file that nvcc compiles.
#include <cmath>

#include "cuda/rows.cu"
