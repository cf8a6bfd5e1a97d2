#include "engine/scheduler/packed_batch.h"

#include <algorithm>
#include <cstring>

#include "engine/check.h"

namespace bertha {
namespace {

void check_finite(const JobOutput& output, int64_t begin, int64_t end) {
    float probe = 0.0f;  // stays 0 for finite values, becomes NaN otherwise
    const float* data = output.data;
    for (int64_t i = begin; i < end; i++) probe += data[i] * 0.0f;
    BERTHA_CHECK(probe == 0.0f, "NON_FINITE",
                 "the model computed a value that is not finite (value %d of its program)", output.value);
}

std::vector<BatchPart> parts_of(const Slices& slices) {
    std::vector<BatchPart> parts;
    parts.reserve(slices.size());
    for (const Slice& slice : slices) parts.push_back({&slice.job->batch, slice.begin, slice.end});
    return parts;
}

}  // namespace

PackedBatch::PackedBatch(const Slices& slices)
    : slices_(slices), joined_(slices.front().job->program(), parts_of(slices)) {
    const Job& first = *slices.front().job;
    for (size_t k = 0; k < first.outputs.size(); k++) {
        const JobOutput& output = first.outputs[k];
        if (first.is_step()) {
            outputs_.push_back({output.value, nullptr});
            continue;
        }
        if (slices.size() == 1) {
            outputs_.push_back(
                {output.value, output.data + first.output_offset(output, slices.front().begin)});
            continue;
        }
        int64_t floats = 0;
        for (const Slice& slice : slices) {
            const JobOutput& part = slice.job->outputs[k];
            floats += slice.job->output_offset(part, slice.end) - slice.job->output_offset(part, slice.begin);
        }
        shared_.emplace_back(static_cast<size_t>(floats) * sizeof(float));
        outputs_.push_back({output.value, shared_.back().floats()});
    }
}

void PackedBatch::deal_out() const {
    if (slices_.front().job->is_step()) return;
    for (size_t k = 0; k < outputs_.size(); k++) {
        const float* from = outputs_[k].data;
        for (const Slice& slice : slices_) {
            const JobOutput& output = slice.job->outputs[k];
            const int64_t begin = slice.job->output_offset(output, slice.begin),
                          end = slice.job->output_offset(output, slice.end);
            if (!shared_.empty())
                std::memcpy(output.data + begin, from, static_cast<size_t>(end - begin) * sizeof(float));
            from += end - begin;
            check_finite(output, begin, end);
        }
    }
}

}  // namespace bertha
