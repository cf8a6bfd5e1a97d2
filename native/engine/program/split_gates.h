// A program for those who need all columns of a gated product.
#pragma once

#include "engine/program/program.h"

namespace bertha {

// The same program with each gated linear as a linear of 2n columns and an op that applies the gate.
Program split_gates(Program program);

}  // namespace bertha
