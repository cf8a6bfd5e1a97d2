// Texts that many threads ask for at once, search by sampling and by beams, join and leave each other's
// steps, are aborted and stopped: every one that ends is the text that is written alone, and the memory of
// all is given back.
#include <chrono>
#include <future>
#include <thread>

#include "check.h"
#include "devices.h"
#include "fake_model.h"
#include "generation/generation_job.h"
#include "generation/state_budget.h"
#include "tests.h"

namespace bertha::test {
namespace {

using generation::Finish;
using generation::GenerationJob;
using generation::Sequence;
using generation::StateBudget;
using generation::TextRequest;

constexpr int32_t kNext = kVectors + 1;  // value: logits of the next token
constexpr int kTexts = 24;

// `encoder()` that sees no later tokens, with logits over its vocabulary.
std::shared_ptr<const Program> decoder() {
    Program program = *encoder();
    for (Op& op : program.ops)
        if (auto* attention = std::get_if<ops::Attention>(&op)) attention->causal = true;
    program.values.push_back({kTokens, kVocab});
    program.weights.push_back({"head", WeightKind::kMatrix, kVocab, kHidden});
    ops::Linear head;
    head.input = kStates;
    head.output = kNext;
    head.matrix = static_cast<int32_t>(program.weights.size()) - 1;
    program.ops.emplace_back(head);
    validate(program);
    return std::make_shared<const Program>(std::move(program));
}

std::shared_ptr<const LoadedModel> load_decoder(const std::shared_ptr<const Program>& program) {
    RandomSource source(*program);
    Solo solo;
    return load_model(program, source, LoadOptions{}, solo);
}

TextRequest request_of(std::shared_ptr<const Model> model, int number) {
    Random random(static_cast<uint64_t>(number + 1));
    TextRequest request;
    request.model = std::move(model);
    request.logits = kNext;
    for (int32_t left = 1 + random.below(9); left > 0; left--) request.prompt.push_back(random.below(kVocab));
    request.settings.max_length = static_cast<int32_t>(request.prompt.size()) + 4 + random.below(20);
    request.settings.seed = static_cast<uint64_t>(number);
    if (number % 3 == 1) {
        request.settings.num_beams = 3;
        request.settings.num_return_sequences = 2;
        request.settings.eos = {7};
    } else if (number % 3 == 2) {
        request.settings.do_sample = true;
        request.settings.num_return_sequences = 2;
        request.settings.top_p = 0.9;
    }
    request.lane = number % 2 == 0 ? Priority::kInteractive : Priority::kBulk;
    return request;
}

struct Running {
    std::shared_ptr<GenerationJob> job;
    std::future<void> done;
};

Running start(TextRequest request) {
    auto done = std::make_shared<std::promise<void>>();
    Running running{std::make_shared<GenerationJob>(std::move(request)), done->get_future()};
    GenerationJob* const job = running.job.get();
    running.job->start([job] { job->take_new_ids(); }, [done] { done->set_value(); });
    return running;
}

void expect_equal(const std::vector<Sequence>& a, const std::vector<Sequence>& b) {
    EXPECT(a.size() == b.size());
    for (size_t i = 0; i < a.size(); i++)
        EXPECT(a[i].ids == b[i].ids && a[i].log_probabilities == b[i].log_probabilities &&
               a[i].beams == b[i].beams && a[i].score == b[i].score && a[i].finish == b[i].finish);
}

std::vector<std::vector<Sequence>> texts_alone(const std::shared_ptr<const Program>& program,
                                               const std::shared_ptr<const LoadedModel>& loaded) {
    std::vector<std::vector<Sequence>> texts;
    const auto model = std::make_shared<const Model>(program, loaded, 1);
    for (int i = 0; i < kTexts; i++) {
        Running running = start(request_of(model, i));
        running.done.get();
        EXPECT(!running.job->failure());
        texts.push_back(running.job->sequences());
    }
    return texts;
}

void expect_no_state() {
    EXPECT(StateBudget::instance().stats().bytes == 0 && StateBudget::instance().stats().texts == 0);
}

void texts_among_others_are_those_written_alone() {
    const auto program = decoder();
    const auto loaded = load_decoder(program);
    const auto expected = texts_alone(program, loaded);
    const auto model = std::make_shared<const Model>(program, loaded, kWorkers);
    // Room for a few: the others wait for theirs.
    const int64_t limit = StateBudget::instance().stats().limit;
    StateBudget::instance().set_limit(200'000);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++) {
        threads.emplace_back([&, t] {
            Random random(static_cast<uint64_t>(t + 100));
            for (int round = 0; round < 20; round++) {
                const int number = random.below(kTexts), kind = random.below(5);
                TextRequest request = request_of(model, number);
                if (kind == 0)
                    request.deadline = Clock::now() + std::chrono::microseconds(random.below(2000));
                Running running = start(std::move(request));
                if (kind == 1) running.job->cancel();
                if (kind == 2) {
                    std::this_thread::sleep_for(std::chrono::microseconds(random.below(1000)));
                    running.job->cancel();
                }
                if (kind == 3) running.job->stop(0);
                running.done.get();
                const auto& failure = running.job->failure();
                if (failure) {
                    EXPECT((failure->code == "ABORTED" && (kind == 1 || kind == 2)) ||
                           (failure->code == "DEADLINE" && kind == 0));
                    continue;
                }
                if (kind == 4) expect_equal(running.job->sequences(), expected[static_cast<size_t>(number)]);
            }
        });
    }
    // Embeddings come between the steps.
    threads.emplace_back([&] {
        Random random(7);
        for (int round = 0; round < 40; round++) {
            const JobPtr job = make_job(model, random_texts(random, 3, 40), kVectors);
            submit(job).get();
            EXPECT(!job->failed);
        }
    });
    for (std::thread& thread : threads) thread.join();
    StateBudget::instance().set_limit(limit);
    expect_no_state();
}

void a_model_may_be_let_go_while_its_texts_are_written() {
    const auto program = decoder();
    for (int round = 0; round < 10; round++) {
        std::vector<Running> running;
        {
            const auto model = std::make_shared<const Model>(program, load_decoder(program), kWorkers);
            for (int i = 0; i < 4; i++) running.push_back(start(request_of(model, round + i)));
        }
        for (Running& each : running) {
            each.done.get();
            EXPECT(!each.job->failure());
        }
    }
    expect_no_state();
}

}  // namespace

std::vector<Test> generation_tests() {
    return {
        {"texts among others are those written alone", texts_among_others_are_those_written_alone},
        {"a model may be let go while its texts are written",
         a_model_may_be_let_go_while_its_texts_are_written},
    };
}

}  // namespace bertha::test
