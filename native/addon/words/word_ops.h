// Word vectors for JavaScript: corpora, training, and vectors in native memory, as handles and functions.
#pragma once

#include <napi.h>

namespace bertha::addon {

Napi::Object define_word_ops(Napi::Env env);
// Parts of it.
void define_corpus_ops(Napi::Env env, Napi::Object ops);
void define_word_training_ops(Napi::Env env, Napi::Object ops);
void define_word_vector_ops(Napi::Env env, Napi::Object ops);
void define_word_file_ops(Napi::Env env, Napi::Object ops);

}  // namespace bertha::addon
