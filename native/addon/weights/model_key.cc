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

void add_program(Key& key, const Program& program) {
    key.add(program.values.size());
    for (const Value& value : program.values) {
        key.add(static_cast<int>(value.rows));
        key.add(value.width);
    }
    for (const Weight& weight : program.weights) {
        key.add(static_cast<int>(weight.kind));
        key.add(weight.rows);
        key.add(weight.cols);
    }
    for (const Op& op : program.ops) {
        key.add(static_cast<int>(op.kind));
        for (int32_t index :
             {op.input, op.output, op.residual, op.scores, op.weight, op.bias, op.input_scale,
              op.position_table, op.type_table, op.relative_bias, op.num_heads, op.position_offset, op.k})
            key.add(index);
        key.add(static_cast<int>(op.activation));
        for (float number : {op.eps, op.softmax_scale}) {
            uint32_t bits;
            std::memcpy(&bits, &number, sizeof bits);
            key.add(bits);
        }
        key.add(static_cast<int>(op.first_token));
        key.add(op.modes.size());
        for (PoolMode mode : op.modes) key.add(static_cast<int>(mode));
    }
    for (int64_t size :
         {program.vocab_size, program.type_vocab_size, program.padding_id, program.max_seq_len})
        key.add(size);
}

// Writes the file's identity into the key; false when it has just been changed.
bool add_file(Key& key, const WeightFile& file) {
    const FileIdentity& identity = file.identity();
    key.add(identity.device);
    key.add(identity.inode);
    for (int64_t number : {identity.size, identity.modified_ns, identity.changed_ns}) key.add(number);
    return identity.settled;
}

}  // namespace

std::string program_key(const Program& program, const LoadOptions& options) {
    Key key;
    key.add(options.device);
    key.add(options.precision);
    add_program(key, program);
    return std::move(key).text();
}

std::string model_key(const Program& program, const std::vector<std::vector<FilePart>>& parts,
                      const LoadOptions& options) {
    Key key;
    key.add(program_key(program, options));
    std::map<const WeightFile*, int> files;  // file → its number in the key
    for (const auto& weight : parts) {
        for (const FilePart& part : weight) {
            const auto [found, is_new] = files.emplace(part.file.get(), static_cast<int>(files.size()));
            key.add(found->second);
            if (is_new && !add_file(key, *part.file)) return "";
            key.add(part.offset);
            key.add(static_cast<int>(part.dtype));
            key.add(part.row_begin);
            key.add(part.rows);
        }
    }
    return std::move(key).text();
}

}  // namespace bertha::addon
