#include "plugin/parser.hpp"

#include "records/oddity.hpp"

namespace weir {

void Context::oddity(std::string_view name, std::string_view detail) const {
  Oddity o{.time = time, .name = name, .source = source};
  if (!detail.empty()) o.detail = text(detail);
  o.src_ip = flow.src_ip;
  o.dst_ip = flow.dst_ip;
  o.proto = flow.proto;
  if (flow.flow_id != 0) {
    o.flow_id = flow.flow_id;
    o.src_port = flow.src_port;
    o.dst_port = flow.dst_port;
  }
  out.emit(o);
}

}  // namespace weir
