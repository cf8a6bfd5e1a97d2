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

}  // namespace

PackedBatch::PackedBatch(const Slices& slices) : slices_(slices) {
    size_t tokens = 0, sequences = 0;
    for (const Slice& slice : slices) {
        tokens += static_cast<size_t>(slice.job->tokens_from(slice.begin) -
                                      slice.job->tokens_from(slice.end));
        sequences += static_cast<size_t>(slice.end - slice.begin);
    }
    for (auto* ids : {&input_ids_, &token_type_ids_}) ids->reserve(tokens);
    for (auto* each : {&cu_seqlens_, &pool_skip_, &cu_selected_}) each->reserve(sequences + 1);
    for (const Slice& slice : slices)
        for (int64_t i = slice.begin; i < slice.end; i++) append(*slice.job, i);

    const Job& first = *slices.front().job;
    for (size_t k = 0; k < first.outputs.size(); k++) {
        const JobOutput& output = first.outputs[k];
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

void PackedBatch::append(const Job& job, int64_t sequence) {
    const auto i = static_cast<size_t>(sequence);
    const int32_t begin = job.cu_seqlens[i], end = job.cu_seqlens[i + 1], first_row = cu_seqlens_.back();
    input_ids_.insert(input_ids_.end(), job.input_ids.begin() + begin, job.input_ids.begin() + end);
    token_type_ids_.insert(token_type_ids_.end(), job.token_type_ids.begin() + begin,
                           job.token_type_ids.begin() + end);
    cu_seqlens_.push_back(first_row + end - begin);
    pool_skip_.push_back(job.pool_skip.empty() ? 0 : job.pool_skip[i]);
    if (!job.cu_selected.empty())
        for (int32_t at = job.cu_selected[i]; at < job.cu_selected[i + 1]; at++)
            selected_.push_back(first_row + job.selected[static_cast<size_t>(at)]);
    if (!job.targets.empty())
        targets_.insert(targets_.end(), job.targets.begin() + job.cu_selected[i] * kTargetsPerRow,
                        job.targets.begin() + job.cu_selected[i + 1] * kTargetsPerRow);
    cu_selected_.push_back(static_cast<int32_t>(selected_.size()));
    max_seq_len_ = std::max(max_seq_len_, end - begin);
}

Batch PackedBatch::view() const {
    Batch batch;
    batch.input_ids = input_ids_.data();
    batch.token_type_ids = token_type_ids_.data();
    batch.cu_seqlens = cu_seqlens_.data();
    batch.pool_skip = pool_skip_.data();
    batch.selected = selected_.data();
    batch.cu_selected = cu_selected_.data();
    batch.targets = targets_.data();
    batch.tokens = static_cast<int64_t>(input_ids_.size());
    batch.batch_size = static_cast<int64_t>(cu_seqlens_.size()) - 1;
    batch.num_selected = static_cast<int64_t>(selected_.size());
    batch.max_seq_len = max_seq_len_;
    return batch;
}

void PackedBatch::deal_out() const {
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
