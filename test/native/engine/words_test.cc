// Word vectors are trained on several threads: of the fast mode's accesses only those that hogwild.h names may race, of the exact mode's and
// GloVe's none, and these two give the same bits whatever runs beside them.
#include <cmath>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "cpu/word-vectors/glove/glove.h"
#include "cpu/word-vectors/training/word2vec.h"
#include "engine/pool/long_job.h"
#include "expect.h"
#include "fake_model.h"
#include "tests.h"

namespace bertha::test {
namespace {

constexpr int kSentences = 400, kWordsOfSentence = 25, kVocabularyOfWords = 150;

std::shared_ptr<const cpu::Corpus> make_corpus() {
    const auto corpus = std::make_shared<cpu::Corpus>("/tmp", 1 << 20);
    Random random(11);
    std::string line;
    for (int sentence = 0; sentence < kSentences; sentence++) {
        line.clear();
        for (int i = 0; i < kWordsOfSentence; i++) {
            const int32_t word = std::min(random.below(kVocabularyOfWords), random.below(kVocabularyOfWords));
            line += "word" + std::to_string(word) + ' ';
        }
        corpus->add_text(line + '\n');
    }
    corpus->finish();
    return corpus;
}

// Trains to the end, or to its failure, whose code it returns.
template <typename Trainer>
std::string train(Trainer& trainer) {
    std::promise<std::string> ended;
    start_long_job(trainer.phases(), [&ended](const std::optional<Failure>& failure) { ended.set_value(failure ? failure->code : ""); });
    return ended.get_future().get();
}

std::vector<float> rows_of(cpu::WordVectors& vectors) {
    for (int64_t i = 0; i < vectors.size(); i++)
        for (int64_t z = 0; z < vectors.dimensions; z++) EXPECT(std::isfinite(vectors.row(i)[z]));
    return std::vector<float>(vectors.row(0), vectors.row(0) + vectors.size() * vectors.width);
}

std::unique_ptr<cpu::Word2Vec> word2vec(const std::shared_ptr<const cpu::Corpus>& corpus, cpu::Word2VecOptions options, int threads) {
    options.dimensions = 24;
    options.threads = threads;
    options.ngrams = options.is_fast_text ? cpu::NgramOptions{3, 5, 500} : cpu::NgramOptions{};
    return std::make_unique<cpu::Word2Vec>(corpus, 1, options, nullptr);
}

std::vector<float> trained(const std::shared_ptr<const cpu::Corpus>& corpus, const cpu::Word2VecOptions& options, int threads) {
    const auto trainer = word2vec(corpus, options, threads);
    EXPECT(train(*trainer).empty());
    return rows_of(*trainer->take_vectors());
}

std::vector<cpu::Word2VecOptions> kinds() {
    std::vector<cpu::Word2VecOptions> all;
    for (const bool skip_gram : {true, false})
        for (const bool hierarchical : {true, false})
            for (const bool is_fast_text : {true, false}) {
                cpu::Word2VecOptions options;
                options.epochs = 2;
                options.skip_gram = skip_gram;
                options.hierarchical = hierarchical;
                options.negative = hierarchical ? 0 : 5;
                options.is_fast_text = is_fast_text;
                all.push_back(options);
            }
    return all;
}

void threads_that_share_rows_race_for_nothing_else() {
    const auto corpus = make_corpus();
    for (const cpu::Word2VecOptions& options : kinds()) EXPECT(!trained(corpus, options, kWorkers).empty());
}

void exact_trainings_have_the_same_bits_beside_others() {
    const auto corpus = make_corpus();
    for (const cpu::Word2VecOptions& options : kinds()) {
        const std::vector<float> alone = trained(corpus, options, 1);
        auto other = std::async(std::launch::async, [&] { return trained(corpus, options, 2); });
        EXPECT(trained(corpus, options, 1) == alone);
        EXPECT(other.get().size() == alone.size());
    }
}

void glove_has_the_same_bits_for_any_number_of_threads() {
    const auto corpus = make_corpus();
    const auto learn = [&corpus](int threads) {
        cpu::GloveOptions options;
        options.dimensions = 20;
        options.epochs = 3;
        options.threads = threads;
        options.counting.directory = "/tmp";
        options.counting.memory_bytes = 1 << 20;
        cpu::Glove glove(corpus, 1, options);
        EXPECT(train(glove).empty());
        return rows_of(*glove.take_vectors());
    };
    const std::vector<float> expected = learn(1);
    EXPECT(learn(2) == expected);
    EXPECT(learn(kWorkers) == expected);
}

void a_training_may_be_aborted_while_its_progress_is_read() {
    const auto corpus = make_corpus();
    for (const int ms : {0, 1, 5, 20}) {
        cpu::Word2VecOptions options;
        options.epochs = 1000;
        const auto trainer = word2vec(corpus, options, kWorkers);
        std::thread watcher([&trainer, ms] {
            const cpu::TrainingProgress& progress = trainer->progress();
            for (int i = 0; i < ms; i++) {
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
                EXPECT(progress.done.load() <= progress.of.load() && progress.loss_count.load() >= 0);
            }
            trainer->progress().cancelled.store(true);
        });
        const std::string code = train(*trainer);
        watcher.join();
        EXPECT(code.empty() || code == "ABORTED");
    }
}

}  // namespace

std::vector<Test> words_tests() {
    return {
        {"threads that share rows race for nothing else", threads_that_share_rows_race_for_nothing_else},
        {"exact trainings have the same bits beside others", exact_trainings_have_the_same_bits_beside_others},
        {"GloVe has the same bits for any number of threads", glove_has_the_same_bits_for_any_number_of_threads},
        {"a training may be aborted while its progress is read", a_training_may_be_aborted_while_its_progress_is_read},
    };
}

}  // namespace bertha::test
