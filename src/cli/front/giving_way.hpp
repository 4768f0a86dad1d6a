// A sink to the terminal that the status line gives way to.
#pragma once

#include <memory>
#include <utility>

#include "cli/front/status_line.hpp"
#include "plugin/sink.hpp"

namespace weir {

class GivingWaySink final : public Sink {
 public:
  // The line is borrowed.
  GivingWaySink(std::unique_ptr<Sink> sink, StatusLine& line) : sink_(std::move(sink)), line_(line) {}

  void encode(const RecordType& type, const void* record, std::string& out) const override {
    sink_->encode(type, record, out);
  }
  Result<void> consume(const RecordType& type, const void* record, std::string_view encoded) override {
    if (!std::exchange(paused_, true)) line_.pause();
    return sink_->consume(type, record, encoded);
  }
  Result<void> flush() override {
    const auto done = sink_->flush();
    if (std::exchange(paused_, false)) line_.resume();
    return done;
  }
  Result<void> close() override {
    line_.clear();
    return sink_->close();
  }

 private:
  std::unique_ptr<Sink> sink_;
  StatusLine& line_;
  bool paused_ = false;
};

}  // namespace weir
