#include "store/store_sink.hpp"

#include "store/record_codec.hpp"

namespace weir {
namespace {

class StoreSink final : public Sink {
 public:
  StoreSink(Store& store, WhenDiskFull when_full, const std::atomic<bool>& stop)
      : store_(store), when_full_(when_full), stop_(stop) {}

  void encode(const RecordType& type, const void* record, std::string& out) const override {
    encode_record(out, type, record);
  }
  Result<void> consume(const RecordType& type, const void*, std::string_view encoded) override {
    while (!store_.append(type, encoded) && when_full_ == WhenDiskFull::wait) {
      store_.wait_for_room([this] { return stop_.load(); });
      if (stop_) return fail(Code::environment, "the disk is full", "--data", "make room, and read it again");
    }
    return {};
  }
  Result<void> flush() override { return {}; }
  Result<void> close() override { return store_.close(); }

 private:
  Store& store_;
  WhenDiskFull when_full_;
  const std::atomic<bool>& stop_;
};

}  // namespace

std::unique_ptr<Sink> make_store_sink(Store& store, WhenDiskFull when_full, const std::atomic<bool>& stop) {
  return std::make_unique<StoreSink>(store, when_full, stop);
}

}  // namespace weir
