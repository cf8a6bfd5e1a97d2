#include "generation/text_state.h"

#include <algorithm>
#include <utility>

#include "engine/check.h"

namespace bertha::generation {

int64_t TextState::bytes(const DecoderLayout& layout, int64_t capacity) {
    return layout.layers * capacity * 2 * layout.width * static_cast<int64_t>(sizeof(float));
}

void TextState::allocate() {
    const auto capacity = static_cast<int64_t>(used_.size());
    memory_ = Buffer::sparse(static_cast<size_t>(layers_ * capacity * 2 * width_) * sizeof(float));
    text_.rows = memory_.floats();
    text_.capacity = capacity;
    text_.width = width_;
}

void TextState::set_source(std::vector<const float*> cross, int64_t num_keys) {
    text_.cross = std::move(cross);
    text_.num_keys = num_keys;
}

int32_t TextState::free_slot() {
    const auto slot = std::find(used_.begin(), used_.end(), false);
    BERTHA_CHECK(slot != used_.end(), "INTERNAL", "no row is left of the %zu of a text", used_.size());
    *slot = true;
    return static_cast<int32_t>(slot - used_.begin());
}

void TextState::add_row(Hypothesis& hypothesis, int32_t id, int32_t slot) {
    hypothesis.slots.push_back(slot);
    const int32_t position = id == padding_id_ ? -1 : hypothesis.next_position++;
    ids_.push_back(id);
    rows_.push_back(
        {&text_, position, slot, nullptr, static_cast<int64_t>(hypothesis.slots.size()), nullptr, 0});
}

void TextState::begin(const Ids& prompt) {
    Hypothesis& hypothesis = hypotheses_.emplace_back();
    for (const int32_t id : prompt) add_row(hypothesis, id, free_slot());
    for (DecodingRow& row : rows_) row.seen = hypothesis.slots.data();
    if (prompt.size() > 1) {
        ids_.pop_back();
        rows_.pop_back();
    }
}

void TextState::read_by(RowReader* reader) {
    for (size_t i = 0; i < rows_.size(); i++) {
        rows_[i].reader = reader;
        rows_[i].number = static_cast<int64_t>(i);
    }
}

void TextState::advance(const std::vector<SearchRow>& rows, RowReader* reader) {
    rows_.clear();
    ids_.clear();
    if (rows.front().parent < 0) {
        // The prompt's last id has its row already.
        Hypothesis& prompt = hypotheses_.front();
        const int32_t slot = prompt.slots.back();
        prompt.slots.pop_back();
        if (rows.front().token != padding_id_) prompt.next_position--;
        add_row(prompt, rows.front().token, slot);
        rows_.front().seen = prompt.slots.data();
        return read_by(reader);
    }
    std::vector<Hypothesis> next;
    next.reserve(rows.size());
    std::fill(used_.begin(), used_.end(), false);
    for (const SearchRow& row : rows) {
        next.push_back(hypotheses_[static_cast<size_t>(row.parent)]);
        for (const int32_t slot : next.back().slots) used_[static_cast<size_t>(slot)] = true;
    }
    hypotheses_ = std::move(next);
    for (size_t i = 0; i < rows.size(); i++) add_row(hypotheses_[i], rows[i].token, free_slot());
    for (size_t i = 0; i < rows.size(); i++) rows_[i].seen = hypotheses_[i].slots.data();
    read_by(reader);
}

}  // namespace bertha::generation
