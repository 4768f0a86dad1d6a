#include "engine/tee.hpp"

#include <algorithm>
#include <cstring>

namespace weir {
namespace {

// What the sinks have made of a record stands one after the other, each behind its size.
using Size = std::uint32_t;

class Tee final : public Sink {
 public:
  explicit Tee(std::vector<TeeOutput> outputs) : outputs_(std::move(outputs)) {}

  void encode(const RecordType& type, const void* record, std::string& out) const override {
    for (const TeeOutput& output : outputs_) {
      if (!gets(output, type, record)) continue;
      const std::size_t at = out.size();
      out.append(sizeof(Size), '\0');
      output.sink->encode(type, record, out);
      const Size size = static_cast<Size>(out.size() - at - sizeof(Size));
      std::memcpy(out.data() + at, &size, sizeof size);
    }
  }
  Result<void> consume(const RecordType& type, const void* record, std::string_view encoded) override {
    for (const TeeOutput& output : outputs_) {
      if (!gets(output, type, record)) continue;
      Size size = 0;
      std::memcpy(&size, encoded.data(), sizeof size);
      encoded.remove_prefix(sizeof size);
      WEIR_CHECK(output.sink->consume(type, record, encoded.substr(0, size)));
      encoded.remove_prefix(size);
    }
    return {};
  }
  Result<void> flush() override {
    for (const TeeOutput& output : outputs_) WEIR_CHECK(output.sink->flush());
    return {};
  }
  Result<void> close() override {
    for (const TeeOutput& output : outputs_) WEIR_CHECK(output.sink->close());
    return {};
  }

 private:
  static bool gets(const TeeOutput& output, const RecordType& type, const void* record) {
    return std::find(output.types.begin(), output.types.end(), &type) != output.types.end() &&
           (!output.keep || output.keep(type, record));
  }

  std::vector<TeeOutput> outputs_;
};

}  // namespace

std::unique_ptr<Sink> make_tee(std::vector<TeeOutput> outputs) {
  return std::make_unique<Tee>(std::move(outputs));
}

}  // namespace weir
