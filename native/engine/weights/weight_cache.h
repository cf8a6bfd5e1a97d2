// Weights as a backend stores them, kept in a file that later loads map, so that they neither read nor pack
// the checkpoint again and processes share the memory. Files are written under another name and renamed:
// who has mapped one keeps it, and nobody sees half of one. docs/adr/0009-weight-cache.md has the format.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/backend.h"

namespace bertha {

// Read-only memory of a file; unmapped when it goes.
class MappedWeights {
public:
    MappedWeights(void* mapping, size_t mapped_bytes, int64_t offset)
        : mapping_(mapping), mapped_bytes_(mapped_bytes), offset_(offset) {}
    MappedWeights(const MappedWeights&) = delete;
    MappedWeights& operator=(const MappedWeights&) = delete;
    ~MappedWeights();

    const uint8_t* data() const { return static_cast<const uint8_t*>(mapping_) + offset_; }

private:
    void* const mapping_;
    const size_t mapped_bytes_;
    const int64_t offset_;
};

class WeightCache {
public:
    enum class Outcome {
        kUnused,  // no backend asked: the weights were in memory already, or cannot be cached
        kHit,
        kStored,
        kFailed,  // they could not be written; they are in memory all the same
    };

    // `model` says which file it is (path and program), `version` what the checkpoint's files looked like.
    WeightCache(std::string directory, std::string model, std::string version)
        : directory_(std::move(directory)), model_(std::move(model)), version_(std::move(version)) {}

    // The weights that store() wrote for the same model, version and layout; null where there are none.
    // Where they cannot be trusted, problem() says why.
    std::unique_ptr<const MappedWeights> load(const std::string& layout, int64_t bytes, Team& team);
    // Writes them for later loads. Does not throw: failing is an outcome.
    void store(const std::string& layout, const uint8_t* weights, int64_t bytes, Team& team);

    Outcome outcome() const { return outcome_; }
    // Why a file was not used or not written; empty when all went well, also on the first load.
    const std::string& problem() const { return problem_; }
    const std::string& path() const { return path_; }

private:
    std::string key(const std::string& layout) const;
    void choose_path(const std::string& layout);
    void write(const std::string& header, const uint8_t* weights, int64_t bytes);

    const std::string directory_, model_, version_;
    std::string path_, problem_;
    Outcome outcome_ = Outcome::kUnused;
};

}  // namespace bertha
