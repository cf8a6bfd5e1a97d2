#include "addon/generation/search_reader.h"

#include "addon/args.h"

namespace bertha::addon {
namespace {

using generation::EarlyStopping;
using generation::Finish;
using generation::Ids;

int32_t read_count(const Napi::Object& object, const char* name) {
    return static_cast<int32_t>(to_int(get(object, name), name, 0, INT32_MAX));
}

Ids read_ids(const Napi::Value& value, const char* name) {
    const Napi::Array list = to_array(value, name);
    Ids ids;
    for (uint32_t i = 0; i < list.Length(); i++)
        ids.push_back(static_cast<int32_t>(to_int(list.Get(i), name, 0, INT32_MAX)));
    return ids;
}

Ids read_ids(const Napi::Object& object, const char* name) { return read_ids(get(object, name), name); }

std::vector<Ids> read_words(const Napi::Object& object, const char* name) {
    const Napi::Array list = to_array(get(object, name), name);
    std::vector<Ids> words;
    for (uint32_t i = 0; i < list.Length(); i++) words.push_back(read_ids(list.Get(i), name));
    return words;
}

std::vector<double> read_doubles(const Napi::Object& object, const char* name) {
    std::vector<double> numbers;
    if (!has(object, name)) return numbers;
    const Napi::Array list = to_array(get(object, name), name);
    for (uint32_t i = 0; i < list.Length(); i++) numbers.push_back(to_double(list.Get(i), name));
    return numbers;
}

bool read_flag(const Napi::Object& object, const char* name) { return get(object, name).ToBoolean(); }

EarlyStopping read_early_stopping(const Napi::Object& object) {
    const Napi::Value value = get(object, "earlyStopping");
    if (value.IsString()) return EarlyStopping::kNever;
    return value.ToBoolean() ? EarlyStopping::kWhenFull : EarlyStopping::kWhenUnlikely;
}

// Of numbers that JavaScript has as doubles.
template <typename T>
Napi::Array to_numbers(Napi::Env env, const std::vector<T>& values) {
    Napi::Array list = Napi::Array::New(env, values.size());
    for (size_t i = 0; i < values.size(); i++)
        list.Set(static_cast<uint32_t>(i), Napi::Number::New(env, static_cast<double>(values[i])));
    return list;
}

Napi::Value finish_to_js(Napi::Env env, Finish finish) {
    switch (finish) {
        case Finish::kNone: return env.Null();
        case Finish::kEos: return Napi::String::New(env, "eos");
        case Finish::kLength: return Napi::String::New(env, "length");
        case Finish::kStop: return Napi::String::New(env, "stop");
        case Finish::kAbort: return Napi::String::New(env, "abort");
        case Finish::kDeadline: return Napi::String::New(env, "deadline");
    }
    return env.Null();
}

}  // namespace

generation::SearchSettings read_search_settings(const Napi::Object& object) {
    generation::SearchSettings settings;
    settings.max_length = read_count(object, "maxLength");
    settings.min_length = read_count(object, "minLength");
    settings.num_beams = read_count(object, "numBeams");
    settings.num_return_sequences = read_count(object, "numReturnSequences");
    settings.length_penalty = to_double(get(object, "lengthPenalty"), "lengthPenalty");
    settings.early_stopping = read_early_stopping(object);
    settings.do_sample = read_flag(object, "doSample");
    settings.temperature = to_double(get(object, "temperature"), "temperature");
    settings.top_k = read_count(object, "topK");
    settings.top_p = to_double(get(object, "topP"), "topP");
    settings.min_p = to_double(get(object, "minP"), "minP");
    settings.typical_p = to_double(get(object, "typicalP"), "typicalP");
    settings.repetition_penalty = to_double(get(object, "repetitionPenalty"), "repetitionPenalty");
    settings.no_repeat_ngram_size = read_count(object, "noRepeatNgramSize");
    settings.encoder_no_repeat_ngram_size = read_count(object, "encoderNoRepeatNgramSize");
    settings.bad_words = read_words(object, "badWordsIds");
    settings.forced_bos = static_cast<int32_t>(
        to_int(get(object, "forcedBosTokenId"), "forcedBosTokenId", -1, INT32_MAX));
    settings.forced_eos = read_ids(object, "forcedEosTokenId");
    settings.suppress_tokens = read_ids(object, "suppressTokens");
    settings.begin_suppress_tokens = read_ids(object, "beginSuppressTokens");
    settings.renormalize_logits = read_flag(object, "renormalizeLogits");
    settings.eos = read_ids(object, "eosTokenId");
    settings.seed = static_cast<uint64_t>(to_int(get(object, "seed"), "seed", 0, int64_t{1} << 53));
    settings.uniforms = read_doubles(object, "uniforms");
    return settings;
}

Napi::Object sequence_to_js(Napi::Env env, const generation::Sequence& sequence) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("ids", to_numbers(env, sequence.ids));
    object.Set("logProbabilities", to_numbers(env, sequence.log_probabilities));
    object.Set("beams", to_numbers(env, sequence.beams));
    object.Set("score", Napi::Number::New(env, sequence.score));
    object.Set("finish", finish_to_js(env, sequence.finish));
    return object;
}

}  // namespace bertha::addon
