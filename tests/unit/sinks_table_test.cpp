// Which columns of a table there is room for on a terminal, how wide they are, and what is cut.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugin/sink.hpp"
#include "sinks/table_layout.hpp"
#include "temp_folder.hpp"

namespace weir {

struct Seen {
  Time time;
  Addr ip;
  std::uint16_t port = 0;
  Text product, info;
};
template <>
inline constexpr auto schema<Seen> =
    record("seen", "For tables", field("time", &Seen::time, "When"), field("ip", &Seen::ip, "Who"),
           field("port", &Seen::port, "Where"), field("product", &Seen::product, "What"),
           field("info", &Seen::info, "More"));

namespace {

using testing::ElementsAre;

// Columns that may be clipped have a least width below the widest.
std::vector<std::size_t> widths(std::vector<ColumnNeed> needs, std::size_t room, bool skip = false,
                                std::vector<std::size_t> important = {}) {
  for (std::size_t i = important.size(); i < needs.size(); ++i) important.push_back(i);
  return column_widths(needs, important, room, skip);
}

TEST(TableLayout, NothingIsCutWhenAllFits) {
  EXPECT_THAT(widths({{5, 5, 5}, {60, 16, 60}}, 67), ElementsAre(5, 60));
  EXPECT_THAT(widths({{5, 5, 5}, {60, 16, 60}}, endless), ElementsAre(5, 60));
}

TEST(TableLayout, TheNarrowestIsTheLastToBeCut) {
  EXPECT_THAT(widths({{20, 16, 20}, {60, 16, 60}, {17, 16, 17}}, 81), ElementsAre(20, 40, 17));
  EXPECT_THAT(widths({{60, 16, 60}, {60, 16, 60}}, 72), ElementsAre(35, 35));
}

TEST(TableLayout, WhatIsLeftOverIsForValuesToCome) {
  EXPECT_THAT(widths({{5, 5, 9}, {4, 4, 6}}, 80), ElementsAre(9, 6));
  EXPECT_THAT(widths({{5, 5, 9}, {4, 4, 6}}, 13), ElementsAre(6, 5));
}

TEST(TableLayout, WhatThereIsNoRoomForIsLeftOut) {
  EXPECT_THAT(widths({{9, 9, 9}, {9, 9, 9}, {3, 3, 3}}, 15), ElementsAre(9, 0, 0));
  EXPECT_THAT(widths({{9, 9, 9}, {9, 9, 9}, {3, 3, 3}}, 15, true), ElementsAre(9, 0, 3));
  EXPECT_THAT(widths({{9, 9, 9}, {9, 9, 9}, {3, 3, 3}}, 15, true, {1, 2, 0}), ElementsAre(0, 9, 3));
  EXPECT_THAT(widths({{9, 9, 9}}, 8), ElementsAre(0));
  // Or cut shorter than others are.
  EXPECT_THAT(widths({{30, 24, 30, 12}, {30, 24, 30, 12}}, 45), ElementsAre(24, 19));
}

// Blanks before each cell, and its size.
using Placed = std::vector<std::pair<std::size_t, std::size_t>>;
Placed placed(std::vector<PlacedCell> cells, std::size_t room) {
  place_row(cells, room);
  Placed out;
  for (const PlacedCell& c : cells) out.emplace_back(c.before, c.size);
  return out;
}

TEST(TableLayout, CellsStandInTheirColumns) {
  EXPECT_EQ(placed({{5, 3, false, true}, {5, 2, true, false}, {9, 4, false, true}}, 80),
            (Placed{{0, 3}, {7, 2}, {2, 4}}));
}

TEST(TableLayout, ALongCellTakesTheBlanksBehindIt) {
  EXPECT_EQ(placed({{5, 8, false, true}, {5, 2, true, false}, {9, 4, false, true}}, 23),
            (Placed{{0, 8}, {2, 2}, {2, 4}}));
  // And of those only what the others do not need.
  EXPECT_EQ(placed({{5, 80, false, true}, {5, 2, true, false}, {9, 4, false, true}}, 23),
            (Placed{{0, 13}, {2, 2}, {2, 4}}));
  EXPECT_EQ(placed({{5, 8, false, true}, {5, 5, true, false}, {9, 9, false, true}}, 23),
            (Placed{{0, 5}, {2, 5}, {2, 9}}));
  // What must not be cut is not.
  EXPECT_EQ(placed({{5, 30, false, false}, {5, 2, true, false}}, 23), (Placed{{0, 30}, {2, 2}}));
}

struct Out {
  explicit Out(SinkOptions options) : path(folder.file("out")) {
    options.types = {&record_type<Seen>()};
    options.destination = path;
    options.terminal = true;
    sink = find_plugin<SinkSpec>("table")->open(options).value();
  }
  // As what is found is shown at once.
  Out& add(Seen seen) {
    std::string encoded;
    sink->encode(record_type<Seen>(), &seen, encoded);
    EXPECT_TRUE(sink->consume(record_type<Seen>(), &seen, encoded));
    EXPECT_TRUE(sink->flush());
    return *this;
  }
  std::string text() {
    EXPECT_TRUE(sink->close());
    return TempFolder::read(path);
  }
  TempFolder folder;
  std::string path;
  std::unique_ptr<Sink> sink;
};

constexpr std::uint8_t near[] = {10, 0, 0, 1}, far[] = {192, 168, 100, 100};

TEST(TableSink, LaterRowsAreNotCutToTheWidthsOfTheFirst) {
  Out out({.fields = {"ip", "port", "product", "info"}, .suggested = true, .width = 100});
  out.add({.ip = Addr::v4(near), .port = 22, .product = "ssh", .info = "a"});
  out.add({.ip = Addr::v4(far), .port = 49152, .product = "Network Operating System 7", .info = "b"});
  out.add({.ip = Addr::v4(near), .port = 80, .product = "x", .info = "a text that is much longer than that"});
  EXPECT_EQ(out.text(),
            "ip                port  product     info\n"
            "10.0.0.1            22  ssh         a\n"
            "192.168.100.100  49152  Network Operating System 7  b\n"
            "10.0.0.1            80  x           a text that is much longer than that\n");
}

TEST(TableSink, OnlyWhatDoesNotFitIsCut) {
  Out out({.fields = {"port", "product", "info"}, .suggested = true, .width = 56});
  out.add({.port = 22, .product = "a product with a long name", .info = "and a long text about it"});
  out.add({.port = 22, .product = "a product with a longer name", .info = "short"});
  EXPECT_EQ(out.text(),
            "port  product                   info\n"
            "  22  a product with a long n…  and a long text about it\n"
            "  22  a product with a longer name  short\n");
}

TEST(TableSink, TimesOfDayWhereADateHasNoRoom) {
  constexpr Time first{1'700'000'000'123'456'789};
  Out out({.fields = {"time", "port", "info"}, .suggested = true, .width = 34});
  out.add({.time = first, .port = 1, .info = "a"});
  out.add({.time = first + seconds(2 * 3600), .port = 2, .info = "b"});
  out.add({.time = first + seconds(2 * 3600), .port = 3, .info = "c"});
  EXPECT_EQ(out.text(),
            "time           port  info\n"
            "2023-11-14 UTC\n"
            "22:13:20.123      1  a\n"
            "2023-11-15 UTC\n"
            "00:13:20.123      2  b\n"
            "00:13:20.123      3  c\n");
}

TEST(TableSink, WhatWasAskedForIsThere) {
  Out out({.fields = {"time", "ip", "info"}, .width = 30});
  out.add({.time = {}, .ip = Addr::v4(near), .info = "a text that is much longer than that"});
  EXPECT_EQ(out.text(),
            "time                      ip        info\n"
            "1970-01-01T00:00:00.000Z  10.0.0.1  a text that is much longer than that\n");
}

TEST(TableSink, TheLeastImportantGivesWay) {
  Out out({.fields = {"ip", "port", "product", "info"},
           .suggested = true,
           .first_out = {"product", "port"},
           .width = 25});
  out.add({.ip = Addr::v4(far), .port = 443, .product = "p", .info = "i"});
  EXPECT_EQ(out.text(), "ip               info\n192.168.100.100  i\n");
}

}  // namespace
}  // namespace weir
