// Which sightings are of one device, and what has changed: identity by evidence, not by one address. Pure:
// the time comes with the sightings. One thread at a time.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/addr.hpp"
#include "core/time.hpp"
#include "devices/topology.hpp"

namespace weir {

// What may be known of a device besides its addresses. Of client_id, duid, host_key, chassis and serial no
// two devices have the same: whoever shows one is the device that showed it before.
enum class FactKind : std::uint8_t {
  name,
  client_id,
  duid,
  host_key,
  fingerprint,
  vendor_class,
  user_agent,
  service,
  role,
  chassis,  // of LLDP and CDP
  serial,
  model,
  system,  // what it says of its hardware and software
  workgroup,
  offer,       // a kind of service it announces
  capability,  // bridge, router, phone
};
std::string_view name_of(FactKind kind) noexcept;
std::optional<FactKind> parse_fact_kind(std::string_view text) noexcept;

struct Span {
  Time first, last;
};
struct Fact {
  FactKind kind{};
  std::string value, source;  // the source: the protocol that told it
  Span seen{};
};

enum class Policy : std::uint8_t { none, approved, ignored };

struct KnownDevice {
  std::uint64_t id = 0;
  Span seen{};
  std::map<Mac, Span> macs;
  std::map<Addr, Span> addresses;
  std::vector<Fact> facts;
  bool settled = false;  // reported as new; until then it may still turn out to be a known one
  bool gone = false;
  Duration longest_gap{};  // that it has been quiet for and came back
  Policy policy = Policy::none;
  std::string label;
  std::vector<std::string> tags;
  bool changed = false;  // since it was loaded

  bool randomised() const noexcept;                // all hardware addresses are; false when it has none
  const Fact* find(FactKind kind) const noexcept;  // the one seen last, nullptr when there is none
  // The label, else the best of the names; empty when there is none.
  std::string_view name() const noexcept;
  // What was used last, IPv4 before IPv6, and routable before link-local.
  std::optional<Addr> address() const noexcept;
  std::optional<Mac> mac() const noexcept;
  // 0 to 100: each kind of evidence takes away a share of the doubt.
  unsigned confidence() const noexcept;
};

enum class Claim : std::uint8_t {
  none,    // the address was used, which a forger or a router can do as well
  asked,   // it says that the address is its own
  told,    // it says so in an answer or unasked: two such at one time are two owners
  leased,  // a DHCP server has given it the address: no conflict with whoever had it before
};

struct Sighting {
  Time time;
  std::optional<Mac> mac{};
  std::optional<Addr> ip{};
  Claim claim = Claim::none;
  bool alive = true;  // it was the device itself that was seen, not talk about it
  // Enough to know that there is a device: of others only known ones are seen.
  bool introduces = true;
  std::vector<Fact> facts{};  // their spans do not count
  std::string evidence{};
};

enum class DeviceChange : std::uint8_t {
  appeared,
  gone,
  back,
  mac,
  address,
  name,
  service,
  merged,
  duplicate_ip,
  arp_flip_flop,
  rogue_dhcp,
  rogue_ra,
  unauthorised,
  configuration
};
std::string_view name_of(DeviceChange change) noexcept;
std::optional<DeviceChange> parse_device_change(std::string_view text) noexcept;

struct Change {
  Time time;
  DeviceChange change{};
  std::uint64_t device = 0;
  std::optional<Addr> ip;
  std::optional<Mac> mac;
  std::string before, after, evidence;
};

// Who has an address, and who had it before.
struct Holder {
  Mac mac, before;
  Time since, last, last_told, before_last;
  Time reported{};  // the last conflict that was told; 0: none
};

struct InventoryOptions {
  Duration settle = seconds(60);  // a device is new when it has been unknown for so long
  Duration gone_after =
      seconds(600);  // quiet for so long, and for longer than it is used to; 0: only sweeps tell
  Duration together = seconds(2);      // two claims within this are two owners
  Duration flip_flop = seconds(3600);  // back at the one before within this
  Duration quiet = seconds(86'400);    // a conflict is told again after so long
  std::size_t most_devices = 100'000;  // beyond, unknown ones are only counted
  std::size_t most_of_a_kind = 64;     // addresses or facts of one device; beyond, the oldest is dropped
};

class Inventory {
 public:
  explicit Inventory(InventoryOptions options = {}) : options_(options) {}

  void see(const Sighting& sighting);
  // Time has come so far: devices settle, and quiet ones are gone. Sightings do the same.
  void advance(Time now);
  // Nothing follows: what is unsettled settles.
  void finish();
  // A whole sweep of these addresses is over that began then: whoever has one of them and did not answer is
  // gone, at the usual patience.
  void swept(Time began, Time now, const std::function<bool(const Addr&)>& covers);

  // In the order of time they were found.
  std::vector<Change> take_changes();
  const std::map<std::uint64_t, KnownDevice>& devices() const noexcept { return devices_; }
  const std::map<Addr, Holder>& holders() const noexcept { return holders_; }
  const std::vector<std::uint64_t>& removed() const noexcept { return removed_; }  // merged into others
  std::uint64_t refused() const noexcept { return refused_; }  // sightings beyond most_devices

  Topology& topology() noexcept { return topology_; }
  const Topology& topology() const noexcept { return topology_; }

  // nullptr when there is none. By its number, an address, a hardware address or a name of its own.
  KnownDevice* find(std::string_view who);
  KnownDevice* find(std::uint64_t id);
  // The devices that were allowed, apart from approved ones; called for each new device.
  void set_allowed(std::function<bool(const KnownDevice&)> allowed) { allowed_ = std::move(allowed); }
  // Nothing when there is no policy: nothing approved and no list.
  std::optional<bool> authorised(const KnownDevice& identity) const;

  // For whoever loads it.
  void restore(KnownDevice identity);
  void restore(const Addr& ip, const Holder& holder) { holders_[ip] = holder; }

 private:
  KnownDevice* resolve(const Sighting& sighting);
  KnownDevice* by_key(const Sighting& sighting);
  KnownDevice* add(const Sighting& sighting);
  // Folds the younger into the older, which is returned.
  KnownDevice& merge(KnownDevice& a, KnownDevice& b, const std::string& evidence);
  // A made-up hardware address under the name of one that was quiet ever since: the same phone.
  KnownDevice& join_rotated(KnownDevice& fresh);
  void note_alive(KnownDevice& identity, Time time, const std::string& evidence);
  void note_mac(KnownDevice& identity, const Sighting& sighting);
  void note_address(KnownDevice& identity, const Sighting& sighting);
  void note_holder(KnownDevice& identity, const Sighting& sighting);
  void note_fact(KnownDevice& identity, const Fact& fact, const Sighting& sighting);
  void note_role(KnownDevice& identity, const Fact& fact, const Sighting& sighting);
  void settle(std::uint64_t id);
  void settle_since(Time latest);
  bool has_policy() const noexcept;
  Change& report(DeviceChange change, const KnownDevice& identity, Time time, std::string evidence);

  InventoryOptions options_;
  Topology topology_;
  std::map<std::uint64_t, KnownDevice> devices_;
  std::map<Mac, std::uint64_t> by_mac_;
  std::unordered_map<std::string, std::uint64_t> by_key_;
  std::map<Addr, Holder> holders_;
  std::map<Addr, std::uint64_t> by_address_;
  std::vector<Change> changes_;
  std::vector<std::uint64_t> removed_;
  std::function<bool(const KnownDevice&)> allowed_;
  std::uint64_t next_id_ = 1, refused_ = 0;
  Time now_{}, watched_since_{}, checked_{};
  bool watching_ = false;
};

}  // namespace weir
