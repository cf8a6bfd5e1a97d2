// test/native/cuda/instructions_test.cu for the emulator: the very file that nvcc compiles.
#include <cmath>

#include "../../cuda/instructions_test.cu"
