// What a capture file is and what it says about itself: `weir info`.
#pragma once

#include "core/schema.hpp"

namespace weir {

struct Capture {
  Text file, format, compression;
  std::optional<Time> time, end;
  std::optional<Duration> duration;
  std::uint64_t packets = 0, bytes = 0, captured_bytes = 0;
  std::optional<std::uint64_t> file_bytes;
  bool in_order = true;
  std::optional<double> packet_rate, bit_rate, packet_bytes;
  List<Text> link_types, interfaces;
  std::optional<std::uint32_t> snaplen;
  std::optional<std::uint64_t> dropped;
  std::uint32_t sections = 0;
  Text hardware, os, application;
  List<Text> comments;
  Text sha256, damage;
};
template <>
inline constexpr auto schema<Capture> = record(
    "capture", "A capture file as a whole",
    field("file", &Capture::file, "Its name, as given; - is standard input"),
    field("format", &Capture::format, "pcap, pcapng, snoop, or a dialect of pcap"),
    field("compression", &Capture::compression, "gzip, zstd, lz4, xz; null if none"),
    field("time", &Capture::time, "The earliest packet"), field("end", &Capture::end, "The latest packet"),
    field("duration", &Capture::duration, Unit::seconds, "From the earliest packet to the latest"),
    field("packets", &Capture::packets, Unit::packets, "Whole packets in it"),
    field("bytes", &Capture::bytes, Unit::bytes, "The packets as they were on the wire"),
    field("captured_bytes", &Capture::captured_bytes, Unit::bytes,
          "The packets as far as they were captured"),
    field("file_bytes", &Capture::file_bytes, Unit::bytes, "The file, as it is stored; null for a pipe"),
    field("in_order", &Capture::in_order, "No packet is earlier than the one before it"),
    field("packet_rate", &Capture::packet_rate, "Packets per second, on average"),
    field("bit_rate", &Capture::bit_rate, Unit::bits_per_second, "On the wire, on average"),
    field("packet_bytes", &Capture::packet_bytes, Unit::bytes, "A packet on the wire, on average"),
    field("link_types", &Capture::link_types, "Link types of its interfaces, each once"),
    field("interfaces", &Capture::interfaces, "Names of its interfaces, as far as it tells"),
    field("snaplen", &Capture::snaplen, Unit::bytes,
          "Packets were cut to this, the largest of all interfaces; null if unlimited"),
    field("dropped", &Capture::dropped, Unit::packets,
          "Packets the capturing program lost, where it wrote that down"),
    field("sections", &Capture::sections, "Parts that were written one by one; more than 1 in pcapng only"),
    field("hardware", &Capture::hardware, "The machine that captured"),
    field("os", &Capture::os, "Its operating system"),
    field("application", &Capture::application, "The program that captured"),
    field("comments", &Capture::comments, "Notes in the file's section headers"),
    field("sha256", &Capture::sha256, "Of the file, as it is stored; null for a pipe"),
    field("damage", &Capture::damage, "The first damage found, with its byte offset; null if whole"));

struct CaptureInterface {
  Text file;
  std::uint32_t interface = 0, section = 0;
  Text name, description, link_type;
  std::optional<std::uint32_t> snaplen;
  std::uint64_t ticks_per_second = 0;
  std::uint64_t packets = 0, bytes = 0;
  std::optional<std::uint64_t> received, dropped, speed;
  Text filter, hardware, os, comment;
};
template <>
inline constexpr auto schema<CaptureInterface> = record(
    "capture_interface", "An interface that a capture file was captured on",
    field("file", &CaptureInterface::file, "The capture file"),
    field("interface", &CaptureInterface::interface, "Its number in the file, from 0"),
    field("section", &CaptureInterface::section, "The section that describes it, from 0"),
    field("name", &CaptureInterface::name, "As the capturing machine calls it"),
    field("description", &CaptureInterface::description, "What the capturing machine says it is"),
    field("link_type", &CaptureInterface::link_type, "What its packets begin with, ethernet for one"),
    field("snaplen", &CaptureInterface::snaplen, Unit::bytes, "Packets were cut to this; null if unlimited"),
    field("ticks_per_second", &CaptureInterface::ticks_per_second, "Resolution of its packets' times"),
    field("packets", &CaptureInterface::packets, Unit::packets, "Packets in the file"),
    field("bytes", &CaptureInterface::bytes, Unit::bytes, "These packets as they were on the wire"),
    field("received", &CaptureInterface::received, Unit::packets, "Packets the capturing program counted"),
    field("dropped", &CaptureInterface::dropped, Unit::packets, "Packets the capturing program lost"),
    field("speed", &CaptureInterface::speed, Unit::bits_per_second, "Of the interface"),
    field("filter", &CaptureInterface::filter, "The capture filter"),
    field("hardware", &CaptureInterface::hardware, "The interface's make"),
    field("os", &CaptureInterface::os, "The operating system of the machine it is in"),
    field("comment", &CaptureInterface::comment, "A note about it"));

}  // namespace weir
