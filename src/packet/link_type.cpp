#include "packet/link_type.hpp"

#include <algorithm>
#include <string_view>

namespace weir {
namespace {

struct Name {
  std::uint16_t number;
  std::string_view text;
};
// Sorted by number.
constexpr Name names[] = {
    {0, "null"},
    {1, "ethernet"},
    {3, "ax25"},
    {6, "ieee802_5"},
    {7, "arcnet_bsd"},
    {8, "slip"},
    {9, "ppp"},
    {10, "fddi"},
    {12, "raw"},  // DLT_RAW of most systems, written by mistake
    {14, "raw"},  // DLT_RAW of OpenBSD
    {50, "ppp_hdlc"},
    {51, "ppp_ether"},
    {100, "atm_rfc1483"},
    {101, "raw"},
    {104, "c_hdlc"},
    {105, "ieee802_11"},
    {107, "frelay"},
    {108, "loop"},
    {113, "linux_sll"},
    {114, "ltalk"},
    {117, "pflog"},
    {119, "ieee802_11_prism"},
    {122, "ip_over_fc"},
    {123, "sunatm"},
    {127, "ieee802_11_radiotap"},
    {129, "arcnet_linux"},
    {138, "apple_ip_over_ieee1394"},
    {139, "mtp2_with_phdr"},
    {140, "mtp2"},
    {141, "mtp3"},
    {142, "sccp"},
    {143, "docsis"},
    {144, "linux_irda"},
    {163, "ieee802_11_avs"},
    {165, "bacnet_ms_tp"},
    {166, "ppp_pppd"},
    {169, "gprs_llc"},
    {187, "bluetooth_hci_h4"},
    {189, "usb_linux"},
    {192, "ppi"},
    {195, "ieee802_15_4_withfcs"},
    {197, "erf"},
    {201, "bluetooth_hci_h4_with_phdr"},
    {204, "ppp_with_dir"},
    {205, "c_hdlc_with_dir"},
    {206, "frelay_with_dir"},
    {209, "ipmb_linux"},
    {220, "usb_linux_mmapped"},
    {226, "ipnet"},
    {227, "can_socketcan"},
    {228, "ipv4"},
    {229, "ipv6"},
    {230, "ieee802_15_4_nofcs"},
    {231, "dbus"},
    {235, "dvb_ci"},
    {239, "nflog"},
    {240, "netanalyzer"},
    {242, "ipoib"},
    {243, "mpeg_2_ts"},
    {248, "sctp"},
    {249, "usbpcap"},
    {251, "bluetooth_le_ll"},
    {252, "wireshark_upper_pdu"},
    {253, "netlink"},
    {256, "bluetooth_le_ll_with_phdr"},
    {258, "pktap"},
    {271, "vsock"},
    {274, "ethernet_mpacket"},
    {276, "linux_sll2"},
    {279, "ebhscr"},
    {281, "dsa_tag_brcm"},
    {282, "dsa_tag_brcm_prepend"},
    {284, "dsa_tag_dsa"},
    {285, "dsa_tag_edsa"},
};

}  // namespace

std::string link_type_name(std::uint16_t link_type) {
  const auto* found = std::lower_bound(std::begin(names), std::end(names), link_type,
                                       [](const Name& n, std::uint16_t number) { return n.number < number; });
  if (found != std::end(names) && found->number == link_type) return std::string(found->text);
  return std::to_string(link_type);
}

}  // namespace weir
