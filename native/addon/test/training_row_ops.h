// The backward of rows, losses and updates, one op at a time.
#pragma once

#include <napi.h>

namespace bertha::addon {

void define_training_row_ops(Napi::Env env, Napi::Object& ops);
void define_training_loss_ops(Napi::Env env, Napi::Object& ops);

}  // namespace bertha::addon
