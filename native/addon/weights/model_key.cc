#include "addon/weights/model_key.h"

#include <cstring>
#include <map>

#include "addon/weights/weight_file.h"

namespace bertha::addon {
namespace {

class Key {
public:
    template <typename Number>
    void add(Number number) {
        text_ += std::to_string(number);
        text_ += ' ';
    }
    void add(const std::string& name) {
        add(name.size());
        text_ += name;
    }
    std::string text() && { return std::move(text_); }

private:
    std::string text_;
};

// Parts of files, each file described once.
class PartsKey {
public:
    void add(const FilePart& part) {
        const auto [found, is_new] = files_.emplace(part.file.get(), static_cast<int>(files_.size()));
        key.add(found->second);
        if (is_new) add_file(*part.file);
        for (int64_t number : {part.offset, static_cast<int64_t>(part.dtype), part.row_begin, part.rows})
            key.add(number);
        if (part.cols > 0)
            for (int64_t number : {part.col_begin, part.cols}) key.add(number);
        if (part.scale != 1.0) add_scale(part.scale);
        if (part.dtype == FileDtype::kI8)
            for (int64_t number : {part.row_scales, part.input_scales}) key.add(number);
    }
    void add(const WeightParts& parts) {
        for (const FilePart& part : parts.rows) add(part);
        for (const LowRankPart& added : parts.added) {
            key.add(std::string("added"));
            key.add(added.row_begin);
            add_scale(added.scale);
            for (const FilePart* part : {&added.up, &added.down}) add(*part);
        }
    }
    // Empty when a file has just been changed.
    std::string text() && { return are_settled_ ? std::move(key).text() : ""; }

    Key key;

private:
    void add_file(const WeightFile& file) {
        const FileIdentity& identity = file.identity();
        key.add(identity.device);
        key.add(identity.inode);
        for (int64_t number : {identity.size, identity.modified_ns, identity.changed_ns}) key.add(number);
        are_settled_ = are_settled_ && identity.settled;
    }
    // By its bits.
    void add_scale(double scale) {
        uint64_t bits;
        std::memcpy(&bits, &scale, sizeof bits);
        key.add(std::string("scale"));
        key.add(bits);
    }

    std::map<const WeightFile*, int> files_;  // file → its number in the key
    bool are_settled_ = true;
};

}  // namespace

std::string program_key(const Program& program, const LoadOptions& options) {
    Key key;
    key.add(options.device);
    key.add(options.precision);
    key.add(serialise(program));
    return std::move(key).text();
}

std::string model_key(const Program& program, const std::vector<WeightParts>& parts,
                      const LoadOptions& options) {
    PartsKey all;
    all.key.add(program_key(program, options));
    for (const WeightParts& weight : parts) all.add(weight);
    return std::move(all).text();
}

std::string weight_key(const Weight& weight, const WeightParts& parts) {
    PartsKey all;
    for (int64_t number : {static_cast<int64_t>(weight.kind), weight.rows, weight.cols}) all.key.add(number);
    all.add(parts);
    return std::move(all).text();
}

}  // namespace bertha::addon
