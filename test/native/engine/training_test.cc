// Trainers step on several threads while forwards of their live weights and of another model come, are aborted and let go: every trainer
// ends with the weights of one that had the process for itself.
#include <cmath>
#include <cstring>
#include <future>
#include <thread>

#include "addon/training/trainer.h"
#include "check.h"
#include "devices.h"
#include "engine/pool/pool.h"
#include "engine/scheduler/batch_control.h"
#include "fake_model.h"
#include "tests.h"

namespace bertha::test {
namespace {

using addon::Trainer;

constexpr int32_t kLabels = 5;                  // input
constexpr int32_t kLogits = kVectors + 1;       // value
constexpr int32_t kClasses = 3, kSequencesOfStep = 40, kLongest = 30, kSteps = 12;

// `encoder()` with dropout and a classifier of its vectors; with `learns` the loss too.
std::shared_ptr<const Program> classifier(bool learns) {
    Program program = *encoder();
    program.values.push_back({kSequences, kClasses});
    program.weights.push_back({"classifier", WeightKind::kMatrix, kClasses, kHidden});
    ops::Linear classify;
    classify.input = kVectors;
    classify.output = kLogits;
    classify.matrix = static_cast<int32_t>(program.weights.size()) - 1;
    program.ops.emplace_back(classify);
    if (learns) {
        for (Op& op : program.ops)
            if (auto* attention = std::get_if<ops::Attention>(&op)) attention->dropout = 0.1f;
        program.inputs.push_back({"labels", kSequences, 1, kClasses, kNoIndex, -100, false, true});
        program.values.push_back({kSequences, kClasses});
        ops::CrossEntropy loss;
        loss.logits = kLogits;
        loss.labels = kLabels;
        loss.output = kLogits + 1;
        program.ops.emplace_back(loss);
    }
    validate(program);
    return std::make_shared<const Program>(std::move(program));
}

std::shared_ptr<Trainer> make_trainer(int threads, bool recompute = false) {
    const auto program = classifier(true);
    cpu::TrainingSpec spec;
    spec.weights.resize(program->weights.size());
    for (cpu::LearningWeight& weight : spec.weights) weight.trainable = true;
    spec.sequences_per_group = {1};
    spec.recompute = recompute;
    RandomSource source(*program);
    return std::make_shared<Trainer>(std::vector<Program>{*program}, std::move(spec), source, threads);
}

// Texts with labels, the same for the same step.
std::unique_ptr<CheckedBatch> batch_of(const Trainer& trainer, int step) {
    Random random(static_cast<uint64_t>(step));
    std::vector<int32_t> ids, labels, offsets{0};
    for (const auto& text : random_texts(random, kSequencesOfStep, kLongest)) {
        ids.insert(ids.end(), text.begin(), text.end());
        offsets.push_back(static_cast<int32_t>(ids.size()));
        labels.push_back(random.below(kClasses));
    }
    JobInputs inputs;
    inputs.inputs.resize(trainer.program().inputs.size());
    inputs.inputs[kIds] = {ids.data(), ids.size()};
    inputs.inputs[kLabels] = {labels.data(), labels.size()};
    inputs.offsets.resize(trainer.program().domains.size());
    inputs.offsets[kTokens] = {offsets.data(), offsets.size()};
    return std::make_unique<CheckedBatch>(trainer.program(), inputs);
}

void take_step(Trainer& trainer, int step, Control& control) {
    const auto batch = batch_of(trainer, step);
    cpu::AccumulateOptions options;
    options.num_items = {static_cast<double>(kSequencesOfStep)};
    options.micro_step = static_cast<uint32_t>(step);
    trainer.accumulate({&batch->view()}, options, control);
    cpu::AdamwUpdate update;
    update.learning_rate = 1e-2;
    update.max_grad_norm = 1.0;
    update.step = step;
    trainer.update(update, control);
}

// Runs `work` as the addon runs the calls of a trainer; ready with its error's code, "" without one.
std::future<std::string> on_pool(std::function<void(Control&)> work, std::shared_ptr<std::atomic<bool>> cancelled) {
    auto done = std::make_shared<std::promise<std::string>>();
    std::future<std::string> future = done->get_future();
    Pool::instance().submit(std::make_shared<Task>(
        1,
        [work = std::move(work), cancelled](int64_t) {
            BodyControl control(Scheduler::instance(), *cancelled);
            work(control);
        },
        [done](const std::optional<Failure>& failure) { done->set_value(failure ? failure->code : ""); }));
    return future;
}

std::future<std::string> submit_step(const std::shared_ptr<Trainer>& trainer, int step,
                                     std::shared_ptr<std::atomic<bool>> cancelled = std::make_shared<std::atomic<bool>>(false)) {
    return on_pool([trainer, step](Control& control) { take_step(*trainer, step, control); }, std::move(cancelled));
}

std::vector<float> weights_of(const Trainer& trainer) {
    std::vector<float> all;
    const Program& program = trainer.program();
    for (size_t i = 0; i < program.weights.size(); i++) {
        const Weight& weight = program.weights[i];
        for (const cpu::TensorKind kind : {cpu::TensorKind::kValue, cpu::TensorKind::kExpAvg, cpu::TensorKind::kExpAvgSq}) {
            std::vector<float> rows(static_cast<size_t>(weight.rows * weight.cols));
            trainer.parameters().read(static_cast<int32_t>(i), kind, 0, weight.rows, rows.data());
            all.insert(all.end(), rows.begin(), rows.end());
        }
    }
    return all;
}

std::vector<float> weights_of_steps_alone() {
    const auto trainer = make_trainer(1);
    for (int step = 1; step <= kSteps; step++) EXPECT(submit_step(trainer, step).get().empty());
    return weights_of(*trainer);
}

std::shared_ptr<const Model> live_model_of(const std::shared_ptr<Trainer>& trainer) {
    const auto program = classifier(false);
    std::shared_ptr<const LoadedModel> live = cpu::live_model(program, trainer->program(), trainer);
    return std::make_shared<const Model>(program, std::move(live), trainer->threads());
}

// Forwards of `model`, one of four aborted, until `is_over`; `check` sees what was computed.
template <typename Check>
std::thread call_until(const std::atomic<bool>& is_over, std::function<std::shared_ptr<const Model>()> model, int32_t value, uint64_t seed,
                       Check&& check) {
    return std::thread([&is_over, model = std::move(model), value, seed, check] {
        Random random(seed);
        while (!is_over) {
            const auto texts = random_texts(random, 1 + random.below(4), kLongest);
            const JobPtr job = make_job(model(), texts, value);
            job->lane = random.below(3) == 0 ? Lane::kBulk : Lane::kInteractive;
            const bool aborts = random.below(4) == 0;
            std::future<void> done = submit(job);
            if (aborts) {
                std::this_thread::sleep_for(std::chrono::microseconds(random.below(300)));
                Scheduler::instance().cancel(job);
            }
            done.get();
            EXPECT(!job->failed || (aborts && job->error.code == "ABORTED"));
            if (!job->failed) check(texts, *job);
        }
    });
}

void steps_beside_interactive_calls_give_the_weights_of_steps_alone() {
    const std::vector<float> expected = weights_of_steps_alone();
    const auto program = encoder();
    RandomSource source(*program);
    Solo solo;
    const std::shared_ptr<const LoadedModel> loaded = load_model(program, source, LoadOptions{}, solo);
    for (const int threads : {2, 3}) {
        const auto trainer = make_trainer(threads, threads == 3);
        std::atomic<bool> is_over{false};
        std::vector<std::thread> callers;
        // Of the weights that learn, by models that are made and let go all the time.
        for (uint64_t seed = 1; seed <= 2; seed++)
            callers.push_back(call_until(is_over, [&] { return live_model_of(trainer); }, kLogits, seed, [](const auto&, const Job& job) {
                for (int64_t i = 0; i < job.outputs.front().floats; i++) EXPECT(std::isfinite(job.outputs.front().data[i]));
            }));
        // Of other weights, each with the bits of the same forward alone.
        const auto other = std::make_shared<const Model>(program, loaded, kWorkers);
        callers.push_back(call_until(is_over, [&] { return other; }, kVectors, 3, [&](const auto& texts, const Job& job) {
            const JobPtr again = make_job(std::make_shared<const Model>(program, loaded, 1), texts, kVectors);
            Scheduler::instance().run_now(again);
            EXPECT(!again->failed && std::memcmp(again->outputs.front().data, job.outputs.front().data,
                                                 static_cast<size_t>(job.outputs.front().floats) * sizeof(float)) == 0);
        }));
        Random random(static_cast<uint64_t>(threads));
        for (int step = 1; step <= kSteps; step++) {
            // Aborted ones, which change nothing, until one came to its end.
            for (bool aborts = true;; aborts = random.below(2) == 0) {
                const auto cancelled = std::make_shared<std::atomic<bool>>(false);
                std::future<std::string> done = submit_step(trainer, step, cancelled);
                if (aborts) {
                    std::this_thread::sleep_for(std::chrono::microseconds(random.below(3000)));
                    *cancelled = true;
                }
                const std::string code = done.get();
                if (code.empty()) break;
                EXPECT(code == "ABORTED" && aborts);
            }
        }
        is_over = true;
        for (std::thread& caller : callers) caller.join();
        EXPECT(weights_of(*trainer) == expected);
    }
}

void two_trainers_share_the_pool_and_reads_are_of_whole_steps() {
    const std::vector<float> expected = weights_of_steps_alone();
    const std::vector<std::shared_ptr<Trainer>> trainers{make_trainer(2), make_trainer(3)};
    std::vector<std::thread> threads;
    for (const auto& trainer : trainers)
        threads.emplace_back([&trainer] {
            const auto never = std::make_shared<std::atomic<bool>>(false);
            for (int step = 1; step <= kSteps; step++) {
                EXPECT(submit_step(trainer, step).get().empty());
                const auto read = [&trainer](Control& control) { trainer->read(1, cpu::TensorKind::kGradient, 0, 4, control); };
                EXPECT(on_pool(read, never).get().empty());
            }
        });
    for (std::thread& thread : threads) thread.join();
    for (const auto& trainer : trainers) EXPECT(weights_of(*trainer) == expected);
}

// Whoever is in flight holds the trainer: the last of them frees it.
void a_trainer_may_be_disposed_of_in_mid_step() {
    for (int round = 0; round < 10; round++) {
        auto trainer = make_trainer(3);
        const auto cancelled = std::make_shared<std::atomic<bool>>(false);
        std::future<std::string> step = submit_step(trainer, 1, cancelled);
        const JobPtr job = make_job(live_model_of(trainer), {{7, 8, 9}}, kLogits);
        std::future<void> forward = submit(job);
        const std::weak_ptr<Trainer> weak = trainer;
        trainer.reset();
        if (round % 2 == 0) *cancelled = true;
        const std::string code = step.get();
        EXPECT(code.empty() || (code == "ABORTED" && round % 2 == 0));
        forward.get();
        EXPECT(!job->failed && !weak.expired());
    }
}

}  // namespace

std::vector<Test> training_tests() {
    return {
        {"steps beside interactive calls give the weights of steps alone", steps_beside_interactive_calls_give_the_weights_of_steps_alone},
        {"two trainers share the pool and reads are of whole steps", two_trainers_share_the_pool_and_reads_are_of_whole_steps},
        {"a trainer may be disposed of in mid step", a_trainer_may_be_disposed_of_in_mid_step},
    };
}

}  // namespace bertha::test
