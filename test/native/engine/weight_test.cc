// Weights as loading leaves them: rows that are read later, matrices that several linears use, what a cache gets.
#include <unistd.h>

#include "cpu/isa/isa.h"
#include "cpu/lazy_table.h"
#include "devices.h"
#include "engine/weights/weight_cache.h"
#include "fake_model.h"
#include "tests.h"

namespace bertha::test {
namespace {

// Rows that tell where they come from; the first read of the row kBad fails.
class CountingRows final : public RowSource {
public:
    explicit CountingRows(std::vector<int>& reads) : reads_(reads) {}
    void read(int64_t row, float* dst) override {
        BERTHA_CHECK(reads_[static_cast<size_t>(row)]++ > 0 || row != kBad, "IO", "the disk is gone");
        std::fill(dst, dst + kHidden, static_cast<float>(row));
    }
    static constexpr int64_t kBad = 3;

private:
    std::vector<int>& reads_;
};

void a_lazy_table_reads_each_row_once() {
    std::vector<int> reads(kVocab);
    cpu::LazyTable table("words", kVocab, kHidden, std::make_unique<CountingRows>(reads));
    for (int row = 0; row < kVocab; row++) {
        const std::vector<float> values(kHidden, static_cast<float>(row));
        table.remember(row, 1, values.data());
    }
    const int32_t bad = CountingRows::kBad;
    bool failed = false;
    try {
        table.require(&bad, 1);
    } catch (const Error& error) {
        failed = error.code() == "IO";
    }
    EXPECT(failed);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++) {
        threads.emplace_back([&, t] {
            Random random(static_cast<uint64_t>(t + 1));
            for (int round = 0; round < 50; round++) {
                for (const auto& ids : random_texts(random, 1, 20)) {
                    table.require(ids.data(), static_cast<int64_t>(ids.size()));
                    for (int32_t id : ids) EXPECT(table.data()[id * kHidden + kHidden - 1] == static_cast<float>(id));
                }
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (int row = 0; row < kVocab; row++) EXPECT(reads[static_cast<size_t>(row)] == (row == bad ? 2 : 1));
}

// Rows of a file that others write to.
class ChangingRows final : public RowSource {
public:
    explicit ChangingRows(const std::vector<float>& rows) : rows_(rows) {}
    void read(int64_t row, float* dst) override { std::copy_n(rows_.begin() + row * kHidden, kHidden, dst); }

private:
    const std::vector<float>& rows_;
};

void a_lazy_table_refuses_rows_that_have_changed() {
    Random random(3);
    std::vector<float> rows(kVocab * kHidden);
    for (float& value : rows) value = random.unit();
    cpu::LazyTable table("words", kVocab, kHidden, std::make_unique<ChangingRows>(rows));
    table.remember(0, kVocab, rows.data());
    const auto refuses = [&table](int32_t row) {
        try {
            table.require(&row, 1);
            return false;
        } catch (const Error& error) {
            return error.code() == "IO" && std::string(error.what()).find("words has changed") != std::string::npos;
        }
    };
    EXPECT(!refuses(4));
    const std::vector<float> before = rows;
    for (int32_t row = 0; row < kVocab; row++) {
        // One bit of one number.
        uint32_t& bits = reinterpret_cast<uint32_t&>(rows[static_cast<size_t>(row * kHidden + random.below(kHidden))]);
        bits ^= 1u << random.below(32);
        EXPECT(refuses(row) == (row != 4));
    }
    rows = before;
    for (int32_t row = 0; row < kVocab; row++) EXPECT(!refuses(row));
}

// encoder() with a head: a linear over the states that nothing reads, which every precision computes in fp32.
std::shared_ptr<const Program> with_head(int32_t matrix, int32_t scale_of_output, bool is_copied) {
    Program program = *encoder();
    if (is_copied) program.weights.push_back(program.weights[static_cast<size_t>(matrix)]);
    program.values.push_back({kTokens, program.weights[static_cast<size_t>(matrix)].rows});
    ops::Linear head;
    head.input = kStates;
    head.output = static_cast<int32_t>(program.values.size()) - 1;
    head.matrix = is_copied ? static_cast<int32_t>(program.weights.size()) - 1 : matrix;
    program.ops.emplace_back(head);
    // Two linears of the encoder that share a matrix, with scales of their own.
    if (scale_of_output != kNoIndex) {
        for (const char* name : {"scale of the first", "scale of the second"})
            program.weights.push_back({name, WeightKind::kVector, 1, kHidden});
        ops::Linear& first = std::get<ops::Linear>(program.ops[3]);
        first.input_scale = static_cast<int32_t>(program.weights.size()) - 2;
        ops::Linear second = first;
        second.input_scale = static_cast<int32_t>(program.weights.size()) - 1;
        if (is_copied) {
            program.weights.push_back(program.weights[static_cast<size_t>(second.matrix)]);
            second.matrix = static_cast<int32_t>(program.weights.size()) - 1;
        }
        second.input = first.output;
        second.residual = kNoIndex;
        program.values.push_back({kTokens, kHidden});
        second.output = static_cast<int32_t>(program.values.size()) - 1;
        std::get<ops::LayerNorm>(program.ops[4]).input = second.output;
        program.ops.insert(program.ops.begin() + 4, Op(second));
    }
    validate(program);
    return std::make_shared<const Program>(std::move(program));
}

// Weights by name, so that copies are equal.
class NamedSource final : public WeightSource {
public:
    explicit NamedSource(const Program& program, bool fails = false, bool tells = false)
        : program_(program), fails_(fails), tells_(tells) {}
    void read(int32_t weight, int64_t row_begin, int64_t row_end, float* dst) override {
        const Weight& shape = program_.weights[static_cast<size_t>(weight)];
        const bool is_scale = shape.name.rfind("scale", 0) == 0;
        const uint64_t seed = std::hash<std::string>()(shape.name);
        for (int64_t row = row_begin; row < row_end; row++) {
            Random random(seed + static_cast<uint64_t>(row));
            for (int64_t col = 0; col < shape.cols; col++) *dst++ = random.unit() + (is_scale ? 1.0f : 0.0f);
        }
    }
    void verify() override { BERTHA_CHECK(!fails_, "IO", "the file was changed while it was read"); }
    std::string identity(int32_t weight) override {
        return tells_ ? program_.weights[static_cast<size_t>(weight)].name : "";
    }
    int32_t file(int32_t weight) override { return weight % 3; }

private:
    const Program& program_;
    const bool fails_, tells_;
};

std::vector<float> run_loaded(const std::shared_ptr<const Program>& program,
                              const std::shared_ptr<const LoadedModel>& loaded, int32_t value) {
    const JobPtr job = make_job(std::make_shared<const Model>(program, loaded, 1), {{3, 9, 27, 31, 4}, {8}}, value);
    Scheduler::instance().run_now(job);
    EXPECT(!job->failed);
    const JobOutput& output = job->outputs.front();
    return std::vector<float>(output.data, output.data + output.floats);
}

std::vector<float> run_alone(const std::shared_ptr<const Program>& program, const char* precision, int32_t value) {
    NamedSource source(*program);
    Solo solo;
    LoadOptions options;
    options.precision = precision;
    const std::shared_ptr<const LoadedModel> loaded = load_model(program, source, options, solo);
    return run_loaded(program, loaded, value);
}

std::shared_ptr<const LoadedModel> load_named(const std::shared_ptr<const Program>& program, bool fails = false) {
    NamedSource source(*program, fails, true);
    Solo solo;
    return load_model(program, source, LoadOptions{}, solo);
}

// Two programs of the same tensors, one with a tensor of its own.
void programs_share_the_tensors_that_they_have_in_common() {
    const auto program = encoder();
    auto other = std::make_shared<Program>(*program);
    other->weights[0].name += " of another";
    const int64_t before = allocated_bytes();
    {
        std::shared_ptr<const LoadedModel> first = load_named(program);
        const int64_t own = allocated_bytes() - before;
        EXPECT(first->shared_bytes() == 0);
        const std::shared_ptr<const LoadedModel> second = load_named(other);
        const int64_t common = second->shared_bytes();
        EXPECT(common > 0 && common < second->weight_bytes() && first->shared_bytes() == common);
        EXPECT(allocated_bytes() - before < 2 * own - common + common / 10);
        first.reset();
        EXPECT(second->shared_bytes() == 0);
    }
    EXPECT(allocated_bytes() == before);
    // Many at once, some of which fail: nobody waits for ever, and everybody's weights are whole.
    const std::vector<float> expected = run_alone(program, "fp32", kVectors);
    std::atomic<int> loads{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; t++) {
        threads.emplace_back([&] {
            for (int round = 0; round < 30; round++) {
                const int n = loads++;
                try {
                    const auto loaded = load_named(n % 2 == 0 ? program : std::shared_ptr<const Program>(other), n % 5 == 0);
                    EXPECT(n % 5 != 0);
                    if (n % 2 == 0) EXPECT(run_loaded(program, loaded, kVectors) == expected);
                } catch (const Error& error) {
                    EXPECT(n % 5 == 0 && error.code() == "IO");
                }
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT(allocated_bytes() == before);
}

void a_matrix_of_several_formats_and_scales_is_stored_for_each() {
    int formats = 0;
    for (const char* precision : {"fp32", "fp16-weights", "bf16", "int8", "int8-fast"}) {
        try {
            cpu::format_for(cpu::kernels(), precision);
        } catch (const Error&) {
            continue;  // this processor has no such kernels
        }
        formats++;
        for (const int32_t matrix : {1, 2}) {
            for (const int32_t scale : {kNoIndex, 0}) {
                const auto shared = with_head(matrix, scale, false), copied = with_head(matrix, scale, true);
                for (const int32_t value : {kVectors, kVectors + 1})
                    EXPECT(run_alone(shared, precision, value) == run_alone(copied, precision, value));
            }
        }
    }
    EXPECT(formats > 0);
}

void weights_of_a_file_that_changed_while_it_was_read_are_not_stored() {
    char directory[] = "/tmp/bertha-cache-XXXXXX";
    EXPECT(mkdtemp(directory) != nullptr);
    const auto program = encoder();
    for (const bool fails : {true, false}) {
        NamedSource source(*program, fails);
        Solo solo;
        WeightCache cache(directory, "model", "version");
        LoadOptions options;
        options.cache = &cache;
        bool refused = false;
        try {
            load_model(program, source, options, solo);
        } catch (const Error& error) {
            refused = error.code() == "IO";
        }
        EXPECT(refused == fails && (cache.outcome() == WeightCache::Outcome::kStored) == !fails);
        EXPECT((access(cache.path().c_str(), F_OK) == 0) == !fails);
        if (!fails) unlink(cache.path().c_str());
    }
    rmdir(directory);
}

}  // namespace

std::vector<Test> weight_tests() {
    return {
        {"a lazy table reads each row once", a_lazy_table_reads_each_row_once},
        {"a lazy table refuses rows that have changed", a_lazy_table_refuses_rows_that_have_changed},
        {"programs share the tensors that they have in common", programs_share_the_tensors_that_they_have_in_common},
        {"a matrix of several formats and scales is stored for each", a_matrix_of_several_formats_and_scales_is_stored_for_each},
        {"weights of a file that changed while it was read are not stored", weights_of_a_file_that_changed_while_it_was_read_are_not_stored},
    };
}

}  // namespace bertha::test
