// Which sightings are of one device, and what has changed: identity by evidence, not by one address. Pure:
// the time comes with the sightings. One thread at a time.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
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
  offer,        // a kind of service it announces
  capability,   // bridge, router, phone
  certificate,  // certificate_facts.hpp
};
std::string_view name_of(FactKind kind) noexcept;
std::optional<FactKind> parse_fact_kind(std::string_view text) noexcept;

inline constexpr std::string_view proxy_role = "proxy";

struct Span {
  Time first, last;
};
struct Fact {
  FactKind kind{};
  std::string value, source;  // the source: the protocol that told it
  Span seen{};
};

enum class Policy : std::uint8_t { none, approved, ignored, forbidden };

// What a device may be for all others, because somebody has said so: that it may be there is not enough.
struct Trust {
  bool dhcp_server = false, router = false;

  // Of a role by its name in records; nullptr when nobody needs trust for it.
  bool* of(std::string_view role) noexcept;
  bool has(std::string_view role) const noexcept;
  std::vector<std::string_view> roles() const;
  Trust& operator|=(const Trust& more) noexcept;
};
inline constexpr std::string_view dhcp_server_role = "dhcp_server", router_role = "router";

// An address of a device, and how it is known to be its own.
struct Holding : Span {
  enum class How : std::uint8_t {
    taken,  // it answered for it, while another device had it
    told,   // it answered for it
    used,   // it asked others from there
    leased  // a DHCP server gave it
  };
  How how = How::told;
  bool retired = false;  // another address has come in its place
};

struct KnownDevice {
  std::uint64_t id = 0;
  Span seen{};
  std::map<Mac, Span> macs;
  std::map<Addr, Holding> addresses;
  std::vector<Fact> facts;
  bool settled = false;  // reported as new; until then it may still turn out to be a known one
  bool gone = false;
  Duration longest_gap{};      // that it has been quiet for and came back
  std::vector<Span> absences;  // the latest that were told: when it was last seen, and seen again
  Policy policy = Policy::none;
  Trust trust{};
  std::string label;
  std::vector<std::string> tags;
  bool changed = false;  // since it was loaded
  bool judged = false;   // since something about it has changed that a policy may ask for

  bool randomised() const noexcept;                // all hardware addresses are; false when it has none
  bool rotates() const noexcept;                   // makes up hardware addresses all the time
  const Fact* find(FactKind kind) const noexcept;  // the one seen last, nullptr when there is none
  // The label, else the best of the names; empty when there is none.
  std::string_view name() const noexcept;
  // Answers for addresses that are others': proxy ARP, a sleep proxy, or a forger.
  bool is_proxy() const noexcept;
  // What is in use longest, so that further ones do not take its place: IPv4 before IPv6, and routable before
  // link-local.
  std::optional<Addr> address() const noexcept;
  std::optional<Mac> mac() const noexcept;
  // 0 to 100: each kind of evidence takes away a share of the doubt.
  unsigned confidence() const noexcept;
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
  configuration,
  authorised,
  proxy,
  certificate,
  certificate_expiry
};
std::string_view name_of(DeviceChange change) noexcept;
std::optional<DeviceChange> parse_device_change(std::string_view text) noexcept;

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
  std::optional<DeviceChange> withdrawn{};  // it says itself that this is over
};

struct Change {
  Time time;
  DeviceChange change{};
  std::uint64_t device = 0;
  std::optional<Addr> ip;
  std::optional<Mac> mac;
  std::string before, after, evidence;
};

// Which changes somebody has to look at, and when that is over.
struct AlertRule {
  DeviceChange change{};
  std::string_view called, said;  // "rogue DHCP server"; "is a rogue DHCP server"
  std::string_view remedy;        // what ends it
  bool of_address = false;        // of one address, whoever has it; else of one device
  bool ends_by_approval = false;
  std::string_view role{};      // ends by trust in it, not by approval
  Duration quiet{};             // over when not seen for so long; 0: only otherwise
  std::string_view quiet_said;  // "no offer for a day"
};
std::span<const AlertRule> alert_rules() noexcept;
// nullptr when it is none.
const AlertRule* alert_rule_of(DeviceChange change) noexcept;

// An alert that was raised and is not over.
struct StandingAlert {
  const AlertRule* rule = nullptr;
  std::uint64_t device = 0;
  std::optional<Addr> ip{};
  std::optional<Mac> mac{}, rival{};
  std::string other{};  // who had it before
  std::string evidence{};
  Time since, last;      // raised, and seen last
  bool changed = false;  // since it was loaded
};
// Raised by what is the alert's evidence, or over, and why.
struct AlertChange {
  Time time;
  bool raised = false;
  StandingAlert alert;
};
// The rule, and what it is about: a device, or an address.
struct AlertKey {
  DeviceChange change{};
  std::uint64_t device = 0;
  Addr ip{};
  auto operator<=>(const AlertKey&) const = default;
};

// Who has an address, and who had it before.
struct Holder {
  Mac mac, before;
  Time since, last, last_told, before_last;
  bool changed = false;  // since it was loaded
};

struct InventoryOptions {
  Duration settle = seconds(20);  // a device is new when it has been unknown for so long
  Duration gone_after =
      seconds(600);  // quiet for so long, and for longer than it is used to; 0: only sweeps tell
  Duration together = seconds(2);               // two claims within this are two owners
  Duration flip_flop = seconds(3600);           // back at the one before within this
  Duration quiet = seconds(7 * 86'400);         // absences of this time are a habit
  Duration unused = seconds(86'400);            // another address in use for so long is in the place of one
  Duration most_learned = seconds(7 * 86'400);  // no longer sleep is waited for
  std::size_t flaps = 3;                        // absences within a week are a habit: one is told after a day
  std::size_t others = 3;                       // addresses of others that make a proxy
  std::size_t most_devices = 100'000;  // beyond, those gone longest are forgotten, else unknown ones refused
  std::size_t most_holders = 200'000;  // addresses whose conflicts are seen; beyond, the oldest are forgotten
  std::size_t most_of_a_kind = 64;     // addresses or facts of one device; beyond, the oldest is dropped
};

class Inventory {
 public:
  explicit Inventory(InventoryOptions options = {}) : options_(options) {}

  void see(const Sighting& sighting);
  // Time has come so far: devices settle, and quiet ones are gone. Sightings do the same.
  void advance(Time now);
  // Nobody could have been seen until now: nobody is missed for it.
  void was_blind(Time now) noexcept { watched_since_ = std::max(watched_since_, now); }
  // Hardware addresses of this machine, which is never gone, and may be there.
  void set_self(std::vector<Mac> macs) { self_ = std::move(macs); }
  // Another version of the configuration of the device with this address was fetched.
  void note_configuration(Time time, const Addr& ip, std::string before, std::string after,
                          std::string evidence);
  // Nothing follows: what is unsettled settles.
  void finish();
  // A whole sweep of these addresses is over that began then: whoever has one of them and did not answer is
  // gone, at the usual patience.
  void swept(Time began, Time now, const std::function<bool(const Addr&)>& covers);

  // In the order of time they were found.
  std::vector<Change> take_changes();
  // Raised and ended since, in the order of time.
  std::vector<AlertChange> take_alerts();
  // Those that were raised and are not over.
  const std::map<AlertKey, StandingAlert>& alerts() const noexcept { return alerts_; }
  const std::vector<AlertKey>& ended_alerts() const noexcept { return ended_alerts_; }  // since saved()
  // What people have said of its device does not end it.
  bool stands(const StandingAlert& alert) const;
  const std::map<std::uint64_t, KnownDevice>& devices() const noexcept { return devices_; }
  const std::map<Addr, Holder>& holders() const noexcept { return holders_; }
  const std::vector<std::uint64_t>& removed() const noexcept { return removed_; }  // merged into others
  // Sightings beyond most_devices.
  std::uint64_t refused() const noexcept { return refused_; }
  // Devices and holders that made room for others.
  std::uint64_t forgotten() const noexcept { return forgotten_; }

  Topology& topology() noexcept { return topology_; }
  const Topology& topology() const noexcept { return topology_; }

  // nullptr when there is none. By its number, an address, a hardware address or a name of its own.
  KnownDevice* find(std::string_view who);
  KnownDevice* find(std::uint64_t id);
  // What has changed since it was loaded is kept now.
  void saved() noexcept;
  // What people have said of a device elsewhere.
  void set_policy(std::uint64_t id, Policy policy, std::string label, std::vector<std::string> tags,
                  Trust trust = {});
  // Tells of those that are there whether they may be, where policies have changed.
  void review(Time now);
  // The devices that were allowed, apart from approved ones; called for each new device.
  void set_allowed(std::function<bool(const KnownDevice&)> allowed) { allowed_ = std::move(allowed); }
  // Those that a list trusts, apart from what approvals say, and whether it does so for anybody at all.
  void set_trusted(std::function<Trust(const KnownDevice&)> trusted, Trust anybody) {
    trusted_ = std::move(trusted);
    list_trusts_ = anybody;
  }
  // Nothing when there is no policy: nothing approved and no list.
  std::optional<bool> authorised(const KnownDevice& identity) const;
  // Whether somebody has said that it may be a DHCP server or router, or that others are. Nothing when nobody
  // has: then whoever was first may.
  std::optional<bool> may_be(const KnownDevice& identity, std::string_view role) const;

  // For whoever loads it.
  void restore(KnownDevice identity);
  void restore(const Addr& ip, const Holder& holder) { holders_[ip] = holder; }
  // Of a device that was restored before; others are left out.
  void restore(const StandingAlert& alert);

 private:
  KnownDevice* at(std::uint64_t id) noexcept;
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
  // What others know of the address: whether it is taken from one.
  bool take_over(const KnownDevice& identity, const Sighting& sighting);
  std::optional<Addr> retire_others(KnownDevice& identity, const Sighting& sighting);
  void drop_address(KnownDevice& identity, const Addr& ip);
  void drop_excess(KnownDevice& identity);  // beyond most_of_a_kind
  void learn_proxy(KnownDevice& identity, const Sighting& sighting);
  void note_holder(KnownDevice& identity, const Sighting& sighting);
  void note_fact(KnownDevice& identity, const Fact& fact, const Sighting& sighting);
  // True when it was nothing new.
  bool note_service(KnownDevice& identity, const Fact& fact, const Sighting& sighting);
  // Before what is known of it is widened.
  void note_expiry(const KnownDevice& identity, const Fact& fact, const Sighting& sighting);
  void note_certificate(KnownDevice& identity, const Fact& fact, const Sighting& sighting);
  void note_role(KnownDevice& identity, const Fact& fact, const Sighting& sighting);
  Duration patience(const KnownDevice& identity) const noexcept;
  bool is_self(const KnownDevice& identity) const noexcept;
  void leave(KnownDevice& identity, Time time, std::string evidence);
  void judge(KnownDevice& identity, Time time);
  // Of a change that has a rule. False: it stands already, or nobody wants to know.
  bool raise(const Change& change, std::optional<Mac> rival = {});
  // It was seen again. False: it does not stand.
  bool seen_again(const AlertKey& key, Time time);
  void end_alert(const AlertKey& key, Time time, std::string evidence);
  void end_alerts_of(const KnownDevice& identity, Time time, const std::string& evidence);
  // What is quiet is over, and what people have ended.
  void review_alerts();
  void end_quiet_conflicts(Time now, const std::function<bool(const Addr&)>& covers);
  // Another number for the device, and conflicts with itself that are none.
  void move_alerts(const KnownDevice& dropped, const KnownDevice& kept, Time time);
  void explain_conflict(const Addr& ip, Time time, const std::string& evidence);
  bool make_room();
  void forget_holders();
  void settle(std::uint64_t id);
  void settle_since(Time latest);
  struct Said {
    bool approved = false;  // anybody
    Trust trust;            // in anybody
  };
  const Said& said() const noexcept;
  Change& report(DeviceChange change, const KnownDevice& identity, Time time, std::string evidence);

  InventoryOptions options_;
  Topology topology_;
  std::map<std::uint64_t, KnownDevice> devices_;
  std::map<Mac, std::uint64_t> by_mac_;
  std::unordered_map<std::string, std::uint64_t> by_key_;
  std::map<Addr, Holder> holders_;
  std::map<Addr, std::uint64_t> by_address_;
  std::vector<Change> changes_;
  std::map<AlertKey, StandingAlert> alerts_;
  std::vector<AlertChange> alert_changes_;
  std::vector<AlertKey> ended_alerts_;
  std::vector<std::uint64_t> removed_;
  std::function<bool(const KnownDevice&)> allowed_;
  std::function<Trust(const KnownDevice&)> trusted_;
  Trust list_trusts_{};
  std::vector<Mac> self_;
  std::set<std::uint64_t> servers_;  // devices with a role
  std::uint64_t next_id_ = 1, refused_ = 0, forgotten_ = 0;
  Time now_{}, watched_since_{}, checked_{}, full_since_{};
  mutable std::optional<Said> said_;  // nothing: not known
  bool watching_ = false, reviewed_ = true;
};

}  // namespace weir
