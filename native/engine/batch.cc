#include "engine/batch.h"

#include <algorithm>

namespace bertha {

JoinedBatch::JoinedBatch(const Program& program, const std::vector<BatchPart>& parts) : program_(program) {
    for (const BatchPart& part : parts) batch_.batch_size += part.end - part.begin;
    batch_.domains.reserve(program.domains.size());
    for (size_t i = 0; i < program.domains.size(); i++)
        batch_.domains.push_back(join_rows(parts, static_cast<int32_t>(i)));
    batch_.inputs.reserve(program.inputs.size());
    for (size_t i = 0; i < program.inputs.size(); i++)
        batch_.inputs.push_back(join_input(parts, static_cast<int32_t>(i)));
    for (const BatchPart& part : parts) {
        const DecodingRow* rows = part.batch->decoding;
        if (rows != nullptr) decoding_.insert(decoding_.end(), rows + part.begin, rows + part.end);
    }
    if (!decoding_.empty()) batch_.decoding = decoding_.data();
}

int64_t JoinedBatch::row_of(const BatchPart& part, int32_t domain, int64_t sequence) const {
    if (program_.domains[static_cast<size_t>(domain)].kind == DomainKind::kSequences) return sequence;
    const int32_t* offsets = part.batch->rows(domain).offsets;
    return offsets != nullptr ? offsets[sequence] : 0;
}

Batch::Rows JoinedBatch::join_rows(const std::vector<BatchPart>& parts, int32_t domain) {
    const Domain& declared = program_.domains[static_cast<size_t>(domain)];
    Batch::Rows rows;
    if (declared.kind == DomainKind::kSequences) {
        rows.count = batch_.batch_size;
        return rows;
    }
    if (declared.kind == DomainKind::kConstant) {
        rows.count = rows.longest = declared.max_rows;
        return rows;
    }
    const bool is_pairs = declared.kind == DomainKind::kPairs;
    for (const BatchPart& part : parts) {
        for (int64_t i = part.begin; i < part.end; i++) {
            const int64_t length = is_pairs ? pairs_in(*part.batch, declared, i)
                                            : rows_in(*part.batch, domain, i);
            rows.count += length;
            rows.longest = std::max(rows.longest, length);
        }
    }
    if (is_pairs || rows.count == 0) return rows;
    if (parts.size() == 1 && first_row(parts.front(), domain) == 0) {
        rows.offsets = parts.front().batch->rows(domain).offsets + parts.front().begin;
        return rows;
    }
    std::vector<int32_t>& joined = copies_.emplace_back();
    joined.reserve(static_cast<size_t>(batch_.batch_size) + 1);
    joined.push_back(0);
    for (const BatchPart& part : parts) {
        const auto shift = joined.back() - static_cast<int32_t>(first_row(part, domain));
        for (int64_t i = part.begin; i < part.end; i++)
            joined.push_back(static_cast<int32_t>(row_of(part, domain, i + 1)) + shift);
    }
    rows.offsets = joined.data();
    return rows;
}

const int32_t* JoinedBatch::join_input(const std::vector<BatchPart>& parts, int32_t id) {
    const Input& input = program_.inputs[static_cast<size_t>(id)];
    const auto is_given = [&](const BatchPart& part) { return part.batch->input(id) != nullptr; };
    if (std::none_of(parts.begin(), parts.end(), is_given)) return nullptr;
    const bool points = input.points_into != kNoIndex;
    if (parts.size() == 1 && (!points || first_row(parts.front(), input.points_into) == 0))
        return parts.front().batch->input(id) + first_row(parts.front(), input.domain) * input.width;
    std::vector<int32_t>& joined = copies_.emplace_back();
    joined.reserve(static_cast<size_t>(batch_.rows(input.domain).count * input.width));
    int64_t rows_pointed_into = 0;
    for (const BatchPart& part : parts) {
        const int64_t first = first_row(part, input.domain) * input.width;
        const int64_t last = row_of(part, input.domain, part.end) * input.width;
        if (is_given(part)) {
            const int32_t* numbers = part.batch->input(id);
            joined.insert(joined.end(), numbers + first, numbers + last);
        } else {
            joined.resize(joined.size() + static_cast<size_t>(last - first), 0);
        }
        if (!points) continue;
        const int64_t into = first_row(part, input.points_into);
        for (auto at = joined.end() - (last - first); at != joined.end(); at++)
            *at += static_cast<int32_t>(rows_pointed_into - into);
        rows_pointed_into += row_of(part, input.points_into, part.end) - into;
    }
    return joined.data();
}

}  // namespace bertha
