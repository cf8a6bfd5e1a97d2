#include "addon/weights/model_key.h"

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
    key.add(serialise(program));
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
