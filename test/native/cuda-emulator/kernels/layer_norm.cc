// native/cuda/layer_norm.cu for the emulator: the very file that nvcc compiles.
#include <cmath>

#include "cuda/layer_norm.cu"
