#include "cpu/training/weights/parameters.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>
#include <mutex>
#include <utility>

#include "engine/check.h"

namespace bertha::cpu {
namespace {

constexpr int64_t kBlockFloats = 16384;    // of each tensor in a unit of an element-wise pass: L2 holds all
                                           // four
constexpr int64_t kVectorSlack = 256;      // zeros behind a vector
constexpr int64_t kTableFloats = 1 << 18;  // a table is read in parts of about this size
constexpr int64_t kAlignment = 16;         // floats of a cache line

int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

double mebibytes(int64_t bytes) { return static_cast<double>(bytes) / 1048576.0; }

// Runs the units; what one throws is thrown on.
template <typename Function>
void run_all(Team& team, int64_t units, Function&& function) {
    std::mutex mutex;
    std::exception_ptr error;
    team.run(units, [&](int64_t unit, int member) {
        try {
            function(unit, member);
        } catch (...) {
            const std::lock_guard<std::mutex> lock(mutex);
            if (!error) error = std::current_exception();
        }
    });
    if (error) std::rethrow_exception(error);
}

// One row of a matrix in panels. use(pointer to the row's number in column i) for each column.
template <typename Use>
void for_each_of_row(const MatrixFormat& format, float* panels, int64_t rows, int64_t cols, int64_t row,
                     Use&& use) {
    const int64_t first = row / format.panel_width * format.panel_width;
    const int64_t valid = std::min(format.panel_width, rows - first);
    const int64_t width = format.panel_bytes(valid, 1) / static_cast<int64_t>(sizeof(float));
    float* place = panels + first * cols + (row - first);
    for (int64_t i = 0; i < cols; i++, place += width) use(i, *place);
}

}  // namespace

Parameters::Parameters(const Program& program, std::vector<LearningWeight> learning,
                       const LearningKernels& kernels, WeightSource& source, Team& team)
    : program_(program),
      learning_(std::move(learning)),
      kernels_(kernels.forward),
      training_(kernels.training),
      panels_(program, learning_, kernels),
      places_(program.weights.size()) {
    BERTHA_CHECK(learning_.size() == program.weights.size(), "INVALID_PROGRAM",
                 "expected how %zu weights learn, got %zu", program.weights.size(), learning_.size());
    place_all();
    allocate();
    load(source, team);
    refresh(true, team);
}

int64_t Parameters::panel_floats(int64_t rows, int64_t cols) const {
    const MatrixFormat& format = kernels_.fp32;
    const int64_t whole = rows / format.panel_width, rest = rows % format.panel_width;
    const int64_t bytes = whole * format.panel_bytes(format.panel_width, cols) +
                          (rest > 0 ? format.panel_bytes(rest, cols) : 0);
    return bytes / static_cast<int64_t>(sizeof(float));
}

void Parameters::place_all() {
    for (int32_t id = 0; id < static_cast<int32_t>(places_.size()); id++) {
        const Weight& shape = weight(id);
        const LearningWeight& how = learning(id);
        if (how.tied_to != kNoIndex) {
            const bool fits = is_matrix(id) && how.tied_to >= 0 &&
                              how.tied_to < static_cast<int32_t>(places_.size()) &&
                              weight(how.tied_to).kind == WeightKind::kTable &&
                              weight(how.tied_to).rows == shape.rows &&
                              weight(how.tied_to).cols == shape.cols &&
                              learning(how.tied_to).trainable == how.trainable;
            BERTHA_CHECK(fits, "INVALID_PROGRAM",
                         "expected %s to be tied to a table of its own shape that learns as it does",
                         shape.name.c_str());
        }
        Place& place = places_[static_cast<size_t>(id)];
        place.floats = is_matrix(id) ? panel_floats(shape.rows, shape.cols) : shape.rows * shape.cols;
        place.value = value_floats_;
        value_floats_ += round_up(place.floats + (shape.kind == WeightKind::kVector ? kVectorSlack : 0),
                                  kAlignment);
        if (!how.trainable) continue;
        place.learned = learned_floats_;
        learned_floats_ += round_up(place.floats, kAlignment);
        if (how.tied_to != kNoIndex) continue;
        for (int64_t begin = 0; begin < place.floats; begin += kBlockFloats)
            blocks_.push_back({id, place.value + begin, place.learned + begin,
                               std::min(kBlockFloats, place.floats - begin)});
    }
    block_sums_.resize(blocks_.size());
}

void Parameters::allocate() {
    const int64_t values = value_floats_ * 4, learned = learned_floats_ * 4;
    try {
        values_ = Buffer(static_cast<size_t>(values));
        panels_.allocate();
        for (Buffer* each : {&gradients_, &exp_avg_, &exp_avg_sq_}) {
            *each = Buffer(static_cast<size_t>(learned));
            std::memset(each->floats(), 0, each->bytes());
        }
    } catch (const Error& error) {
        fail("OUT_OF_MEMORY",
             "learning takes %.0f MiB: weights %.0f, copies of them for products %.0f, gradients and two "
             "moments %.0f (%s)",
             mebibytes(values + panels_.bytes() + 3 * learned), mebibytes(values), mebibytes(panels_.bytes()),
             mebibytes(3 * learned), error.what());
    }
    std::memset(values_.floats(), 0, values_.bytes());
}

void Parameters::load(WeightSource& source, Team& team) {
    struct Part {
        int32_t weight;
        int64_t row_begin, row_end;
    };
    std::vector<Part> parts;
    int64_t staging_floats = 0;
    for (int32_t id = 0; id < static_cast<int32_t>(places_.size()); id++) {
        const Weight& shape = weight(id);
        if (learning(id).tied_to != kNoIndex) continue;
        const int64_t step = is_matrix(id)
                                 ? kernels_.fp32.panel_width
                                 : std::max<int64_t>(1, kTableFloats / std::max<int64_t>(1, shape.cols));
        for (int64_t row = 0; row < shape.rows; row += step)
            parts.push_back({id, row, std::min(row + step, shape.rows)});
        if (is_matrix(id)) staging_floats = std::max(staging_floats, step * shape.cols);
    }
    std::vector<Buffer> staging;
    for (int member = 0; member < team.size(); member++)
        staging.emplace_back(static_cast<size_t>(staging_floats) * sizeof(float));
    run_all(team, static_cast<int64_t>(parts.size()), [&](int64_t unit, int member) {
        const Part& part = parts[static_cast<size_t>(unit)];
        const int64_t cols = weight(part.weight).cols;
        float* values = values_.floats() + place(part.weight).value + part.row_begin * cols;
        if (!is_matrix(part.weight)) {
            source.read(part.weight, part.row_begin, part.row_end, values);
            return;
        }
        float* rows = staging[static_cast<size_t>(member)].floats();
        source.read(part.weight, part.row_begin, part.row_end, rows);
        kernels_.fp32.pack_panel(rows, part.row_end - part.row_begin, cols, nullptr, values);
    });
}

PackedMatrix Parameters::master(int32_t id) const {
    const Weight& shape = weight(id);
    return {values_.floats() + place(id).value,
            kernels_.fp32.panel_bytes(kernels_.fp32.panel_width, shape.cols), shape.rows, shape.cols};
}

const float* Parameters::row(int32_t id) const {
    return id == kNoIndex ? nullptr : values_.floats() + place(id).value;
}

float* Parameters::gradient(int32_t id) const {
    if (id == kNoIndex || place(id).learned == kNoIndex) return nullptr;
    return gradients_.floats() + place(id).learned;
}

const Buffer& Parameters::buffer(TensorKind kind) const {
    switch (kind) {
        case TensorKind::kGradient: return gradients_;
        case TensorKind::kExpAvg: return exp_avg_;
        case TensorKind::kExpAvgSq: return exp_avg_sq_;
        default: return values_;
    }
}

float* Parameters::tensor(int32_t id, TensorKind kind) const {
    const Place& where = place(id);
    BERTHA_CHECK(kind == TensorKind::kValue || where.learned != kNoIndex, "INVALID_ARG",
                 "%s does not learn: expected its value to be read or written, nothing else",
                 weight(id).name.c_str());
    return buffer(kind).floats() + (kind == TensorKind::kValue ? where.value : where.learned);
}

void Parameters::read(int32_t id, TensorKind kind, int64_t row_begin, int64_t row_end, float* out) const {
    const int32_t owner = owner_of(id);
    const int64_t rows = weight(owner).rows, cols = weight(owner).cols;
    float* values = tensor(owner, kind);
    if (!is_matrix(owner)) {
        std::memcpy(out, values + row_begin * cols,
                    static_cast<size_t>((row_end - row_begin) * cols) * sizeof(float));
        return;
    }
    for (int64_t row = row_begin; row < row_end; row++, out += cols)
        for_each_of_row(kernels_.fp32, values, rows, cols, row,
                        [out](int64_t i, const float& value) { out[i] = value; });
}

void Parameters::write(int32_t id, TensorKind kind, int64_t row_begin, int64_t row_end, const float* rows) {
    const int32_t owner = owner_of(id);
    const int64_t all = weight(owner).rows, cols = weight(owner).cols;
    float* values = tensor(owner, kind);
    if (!is_matrix(owner)) {
        std::memcpy(values + row_begin * cols, rows,
                    static_cast<size_t>((row_end - row_begin) * cols) * sizeof(float));
        return;
    }
    for (int64_t row = row_begin; row < row_end; row++, rows += cols)
        for_each_of_row(kernels_.fp32, values, all, cols, row,
                        [rows](int64_t i, float& value) { value = rows[i]; });
}

void Parameters::refresh(bool all, Team& team) {
    const int64_t width = kernels_.fp32.panel_width;
    struct Unit {
        int32_t weight;
        int64_t panel;
    };
    std::vector<Unit> tied;
    for (int32_t id = 0; id < static_cast<int32_t>(places_.size()); id++)
        if (learning(id).tied_to != kNoIndex && (all || learning(id).trainable))
            for (int64_t panel = 0; panel * width < weight(id).rows; panel++) tied.push_back({id, panel});
    run_all(team, static_cast<int64_t>(tied.size()), [&](int64_t i, int) {
        const Unit& unit = tied[static_cast<size_t>(i)];
        const Weight& shape = weight(unit.weight);
        const int64_t first = unit.panel * width;
        kernels_.fp32.pack_panel(row(learning(unit.weight).tied_to) + first * shape.cols,
                                 std::min(width, shape.rows - first), shape.cols, nullptr,
                                 values_.floats() + place(unit.weight).value + first * shape.cols);
    });
    panels_.refresh(all, team, [this](int32_t id) { return row(id); });
}

void Parameters::zero_gradients(Team& team) {
    const int64_t units = (learned_floats_ + kBlockFloats - 1) / kBlockFloats;
    team.run(units, [this](int64_t unit, int) {
        const int64_t begin = unit * kBlockFloats, end = std::min(begin + kBlockFloats, learned_floats_);
        std::memset(gradients_.floats() + begin, 0, static_cast<size_t>(end - begin) * sizeof(float));
    });
}

// A panel of a tied matrix goes to the rows of its table, and is zero afterwards.
void Parameters::add_tied_gradients(Team& team) {
    const int64_t width = kernels_.fp32.panel_width;
    for (int32_t id = 0; id < static_cast<int32_t>(places_.size()); id++) {
        if (learning(id).tied_to == kNoIndex || place(id).learned == kNoIndex) continue;
        const int64_t rows = weight(id).rows, cols = weight(id).cols;
        float* table = gradient(learning(id).tied_to);
        team.run((rows + width - 1) / width, [&](int64_t panel, int) {
            const int64_t first = panel * width, valid = std::min(width, rows - first);
            const int64_t stride = kernels_.fp32.panel_bytes(valid, 1) / static_cast<int64_t>(sizeof(float));
            float* from = gradient(id) + first * cols;
            for (int64_t i = 0; i < cols; i++)
                for (int64_t lane = 0; lane < valid; lane++)
                    table[(first + lane) * cols + i] += from[i * stride + lane];
            std::memset(from, 0, static_cast<size_t>(stride * cols) * sizeof(float));
        });
    }
}

// Adapters that share a matrix leave most of it alone.
void Parameters::clear_outside_of_blocks(Team& team) {
    for (int32_t id = 0; id < static_cast<int32_t>(places_.size()); id++) {
        const std::vector<WeightBlock>& blocks = learning(id).blocks;
        if (blocks.empty() || place(id).learned == kNoIndex) continue;
        const int64_t rows = weight(id).rows, cols = weight(id).cols;
        team.run(rows, [&](int64_t row, int) {
            const auto clear = [&](int64_t column, float& value) {
                const bool learns = std::any_of(blocks.begin(), blocks.end(), [&](const WeightBlock& block) {
                    return row >= block.row_begin && row < block.row_begin + block.rows &&
                           column >= block.col_begin && column < block.col_begin + block.cols;
                });
                if (!learns) value = 0.0f;
            };
            if (is_matrix(id)) {
                for_each_of_row(kernels_.fp32, gradient(id), rows, cols, row, clear);
            } else {
                for (int64_t i = 0; i < cols; i++) clear(i, gradient(id)[row * cols + i]);
            }
        });
    }
}

double Parameters::gradient_norm(Team& team) {
    add_tied_gradients(team);
    clear_outside_of_blocks(team);
    team.run(static_cast<int64_t>(blocks_.size()), [this](int64_t i, int) {
        const Block& block = blocks_[static_cast<size_t>(i)];
        block_sums_[static_cast<size_t>(i)] = training_.sum_of_squares(gradients_.floats() + block.learned,
                                                                       block.count);
    });
    double total = 0.0;
    for (const double sum : block_sums_) total += sum;
    return std::sqrt(total);
}

int32_t Parameters::first_non_finite() const {
    for (size_t i = 0; i < blocks_.size(); i++)
        if (!std::isfinite(block_sums_[i])) return blocks_[i].weight;
    return kNoIndex;
}

void Parameters::update(const AdamwUpdate& update, double gradient_norm, Team& team) {
    AdamwArgs common;
    common.learning_rate = update.learning_rate;
    common.beta1 = update.beta1;
    common.beta2 = update.beta2;
    common.epsilon = update.epsilon;
    // As torch.nn.utils.clip_grad_norm_.
    if (update.max_grad_norm > 0.0)
        common.grad_scale = static_cast<float>(std::min(1.0, update.max_grad_norm / (gradient_norm + 1e-6)));
    team.run(static_cast<int64_t>(blocks_.size()), [&](int64_t i, int) {
        const Block& block = blocks_[static_cast<size_t>(i)];
        AdamwArgs args = common;
        float* gradient = gradients_.floats() + block.learned;
        args.value = values_.floats() + block.offset;
        args.grad = gradient;
        args.m = exp_avg_.floats() + block.learned;
        args.v = exp_avg_sq_.floats() + block.learned;
        args.count = block.count;
        args.weight_decay = learning(block.weight).decays ? update.weight_decay : 0.0;
        const int64_t step = update.steps.empty() ? update.step
                                                  : update.steps[static_cast<size_t>(block.weight)];
        args.bias_correction1 = 1.0 - std::pow(update.beta1, static_cast<double>(step));
        args.bias_correction2 = 1.0 - std::pow(update.beta2, static_cast<double>(step));
        if (step > 0) training_.adamw(args);
        std::memset(gradient, 0, static_cast<size_t>(block.count) * sizeof(float));
    });
    refresh(false, team);
}

int64_t Parameters::bytes() const {
    size_t total = 0;
    for (const Buffer* each : {&values_, &gradients_, &exp_avg_, &exp_avg_sq_}) total += each->bytes();
    return static_cast<int64_t>(total) + panels_.bytes();
}

}  // namespace bertha::cpu
