#include "store/store_sink.hpp"

#include <algorithm>
#include <vector>

namespace weir {
namespace {

class StoreSink final : public Sink {
 public:
  StoreSink(Store& store, WhenDiskFull when_full, const std::atomic<bool>& stop)
      : store_(store), when_full_(when_full), stop_(stop) {}

  void encode(const RecordType&, const void*, std::string&) const override {}
  Result<void> consume(const RecordType& type, const void* record, std::string_view) override {
    auto group = std::ranges::find(groups_, &type, &Group::type);
    if (group == groups_.end()) group = groups_.insert(group, Group{&type, {}});
    group->records.push_back(record);
    return {};
  }
  Result<void> end_batch() override {
    Result<void> done;
    for (Group& group : groups_) {
      if (done) done = append(group);
      group.records.clear();
    }
    return done;
  }
  Result<void> flush() override { return {}; }
  Result<void> close() override { return store_.close(); }

 private:
  // A column is filled by many records at once, of one type.
  struct Group {
    const RecordType* type;
    std::vector<const void*> records;  // borrowed until end_batch()
  };

  Result<void> append(const Group& group) {
    std::span<const void* const> left = group.records;
    for (;;) {
      left = left.subspan(store_.append(*group.type, left));
      if (left.empty() || when_full_ != WhenDiskFull::wait) return {};
      store_.wait_for_room([this] { return stop_.load(); });
      if (stop_) return fail(Code::environment, "the disk is full", "--data", "make room, and read it again");
    }
  }

  Store& store_;
  WhenDiskFull when_full_;
  const std::atomic<bool>& stop_;
  std::vector<Group> groups_{};
};

}  // namespace

std::unique_ptr<Sink> make_store_sink(Store& store, WhenDiskFull when_full, const std::atomic<bool>& stop) {
  return std::make_unique<StoreSink>(store, when_full, stop);
}

}  // namespace weir
