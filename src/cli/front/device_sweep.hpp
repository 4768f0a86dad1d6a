// weir devices NETWORK or INTERFACE: the sweep that finds them.
#pragma once

#include <atomic>

#include "cli/front/device_questions.hpp"
#include "devices/inventory.hpp"
#include "devices/vendors.hpp"
#include "engine/link_sweep.hpp"
#include "plugin/command.hpp"

namespace weir {

inline constexpr Option sweep_options[] = {
    {.name = "rate", .value = "N", .doc = "Packets a second", .fallback = "10000", .group = "Sweep"},
    {.name = "passes",
     .value = "N",
     .doc =
         "Ask so often, 1 to 16, whoever has not answered; 4 unless given, and more while packets get lost",
     .group = "Sweep"},
    {.name = "names", .doc = "Names by reverse DNS as well", .group = "Sweep"},
    {.name = "profile",
     .value = "NAME",
     .doc = "Lines as arp-scan --plain prints them, in place of the devices",
     .choices = "arp-scan",
     .group = "Sweep"}};

// The word may be the name of a capture, and is no interface or network then.
bool may_be_capture(const std::string& word);

// Addresses, networks, ranges, or one interface, whose own networks are meant and every IPv6 node of its
// link. nullopt when the words are none of these, but names of files. Fails with Code::usage.
Result<std::optional<LinkSweepOptions>> sweep_from(const Arguments& arguments);

// Tells the inventory who answers, who has not, and what those say who are asked further. Fails with
// Code::environment, and with Code::usage for what cannot be asked.
Result<std::vector<Neighbour>> sweep_into(Inventory& inventory, const LinkSweepOptions& sweep,
                                          const Arguments& arguments, const std::atomic<bool>& interrupted);

// "IP<TAB>MAC<TAB>vendor" by address, and (DUP: N) on the Nth answer for one.
std::string arp_scan_lines(std::vector<Neighbour> neighbours, const Vendors& vendors);

}  // namespace weir
