// Columns of an SNMP agent walked in step, by agents that play fair, and by others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "engine/column_walk.hpp"

namespace weir {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<ObjectId> two_columns = {{1, 3, 1}, {1, 3, 2}};
const ObjectId uptime_id = {1, 3, 6, 1, 2, 1, 1, 3, 0};

// What an agent knows, and how it answers.
struct Agent {
  std::map<ObjectId, std::uint64_t> objects;
  std::size_t fits = 1000;         // variables into a message
  bool says_too_big = false;       // or cuts off what does not fit
  bool knows_no_bulk = false;      // as version 1
  bool says_no_such_name = false;  // at the end, as version 1
  std::optional<std::uint64_t> uptime = 77;
};

struct Walked {
  std::vector<std::string> values;  // "column.index=number"
  std::size_t questions = 0;
  std::optional<std::uint64_t> uptime;
  bool refused = false;
};

std::string told(std::size_t column, std::span<const unsigned long> index, const SnmpVariable& v) {
  std::string out = std::to_string(column);
  for (const unsigned long i : index) out += "." + std::to_string(i);
  return out + "=" + (v.number ? std::to_string(*v.number) : "?");
}

// GETNEXT of each question, as often as asked for.
Walked walk(const Agent& agent, ColumnWalk& columns) {
  Walked out;
  columns.begin();
  for (bool more = true; more && out.questions < 1000; ++out.questions) {
    const std::size_t repetitions = agent.knows_no_bulk ? 1 : columns.repetitions();
    if (agent.says_too_big && columns.questions() * repetitions + 1 > agent.fits) {
      out.refused = !columns.too_big();
      if (out.refused) break;
      continue;
    }
    std::vector<ObjectId> at;
    for (std::size_t i = 0; i < columns.questions(); ++i) at.push_back(columns.question(i));
    std::vector<SnmpVariable> answer{{.name = uptime_id, .number = agent.uptime}};
    std::optional<std::size_t> nothing_follows;
    for (std::size_t n = 0; n < repetitions * at.size() && answer.size() < agent.fits; ++n) {
      ObjectId& cursor = at[n % at.size()];
      const auto next = agent.objects.upper_bound(cursor);
      if (next == agent.objects.end()) {
        answer.push_back({.name = cursor, .nothing = true});
        if (!nothing_follows) nothing_follows = n % at.size();
        continue;
      }
      cursor = next->first;
      answer.push_back({.name = next->first, .number = next->second});
    }
    more = agent.says_no_such_name && nothing_follows
               ? columns.end_question(*nothing_follows)
               : columns.take(answer,
                              [&](std::size_t column, std::span<const unsigned long> index,
                                  const SnmpVariable& v) { out.values.push_back(told(column, index, v)); });
  }
  out.uptime = columns.uptime();
  return out;
}
Walked walk(const Agent& agent) {
  ColumnWalk columns(two_columns, 1000);
  return walk(agent, columns);
}

TEST(ColumnWalk, TakesWhatIsInItsColumns) {
  const Walked w = walk(
      {.objects = {
           {{1, 2, 9}, 1}, {{1, 3, 1, 7}, 2}, {{1, 3, 1, 8, 5}, 3}, {{1, 3, 2, 7}, 4}, {{1, 3, 3, 1}, 5}}});
  EXPECT_THAT(w.values, testing::UnorderedElementsAre("0.7=2", "1.7=4", "0.8.5=3"));
  EXPECT_EQ(w.questions, 1U);
  EXPECT_EQ(w.uptime, 77U);
}

TEST(ColumnWalk, AgentsThatKnowNothingAreAskedOnce) {
  const Walked w = walk({});
  EXPECT_THAT(w.values, IsEmpty());
  EXPECT_EQ(w.questions, 1U);
}

// A hundred rows of two columns; whatever is cut off is asked for again, and each value comes once.
Agent large() {
  Agent agent;
  for (unsigned long i = 1; i <= 100; ++i) agent.objects[{1, 3, 1, i}] = agent.objects[{1, 3, 2, i}] = i;
  return agent;
}

TEST(ColumnWalk, EachValueComesOnceWhateverFitsIntoAnAnswer) {
  for (const std::size_t fits : {2U, 3U, 4U, 7U, 31U, 1000U}) {
    Agent agent = large();
    agent.fits = fits;
    const std::vector<std::string> values = walk(agent).values;
    EXPECT_EQ(values.size(), 200U) << fits;
    EXPECT_EQ(std::set(values.begin(), values.end()).size(), 200U) << fits;
  }
}

TEST(ColumnWalk, AsksForLessWhereThatIsTooBig) {
  Agent agent = large();
  agent.says_too_big = true;
  agent.fits = 8;
  ColumnWalk columns(two_columns, 1000);
  const Walked first = walk(agent, columns);
  EXPECT_EQ(first.values.size(), 200U);
  // Which is known in the next round.
  const Walked second = walk(agent, columns);
  EXPECT_EQ(second.values.size(), 200U);
  EXPECT_LT(second.questions, first.questions);
}

TEST(ColumnWalk, AsksForOneColumnWhereTwoAreTooBig) {
  Agent agent{
      .objects = {{{1, 3, 1, 1}, 1}, {{1, 3, 1, 2}, 2}, {{1, 3, 2, 1}, 3}}, .fits = 2, .says_too_big = true};
  EXPECT_THAT(walk(agent).values, ElementsAre("0.1=1", "0.2=2", "1.1=3"));
  agent.fits = 1;
  EXPECT_TRUE(walk(agent).refused);
}

TEST(ColumnWalk, Version1SaysThatNothingFollows) {
  Agent agent{.objects = {{{1, 3, 1, 1}, 1}, {{1, 3, 1, 2}, 2}, {{1, 3, 2, 1}, 3}}};
  agent.knows_no_bulk = agent.says_no_such_name = true;
  EXPECT_THAT(walk(agent).values, ElementsAre("0.1=1", "1.1=3", "0.2=2"));
  ColumnWalk columns(two_columns, 1000);
  columns.begin();
  EXPECT_FALSE(columns.end_question(2));  // which nobody asked
}

// An agent that goes in circles, or back, is not followed.
TEST(ColumnWalk, GoesOnlyForward) {
  ColumnWalk columns(two_columns, 1000);
  std::vector<std::string> seen;
  const auto take = [&](const std::vector<ObjectId>& names) {
    std::vector<SnmpVariable> answer{{.name = uptime_id, .number = 1}};
    for (const ObjectId& name : names) answer.push_back({.name = name, .number = 5});
    return columns.take(answer, [&](std::size_t column, std::span<const unsigned long> index,
                                    const SnmpVariable& v) { seen.push_back(told(column, index, v)); });
  };
  columns.begin();
  EXPECT_TRUE(take({{1, 3, 1, 4}, {1, 3, 2, 4}}));
  EXPECT_TRUE(take({{1, 3, 1, 4}, {1, 3, 2, 5}}));  // the same again
  EXPECT_THAT(columns.question(0), ElementsAre(1, 3, 2, 5));
  EXPECT_FALSE(take({{1, 3, 2, 3}, {1, 3, 2, 9}}));  // back; what comes behind it does not count
  EXPECT_THAT(seen, ElementsAre("0.4=5", "1.4=5", "1.5=5"));
}

TEST(ColumnWalk, WhatHasNoNameOfItsColumnIsItsEnd) {
  for (const ObjectId& name : {ObjectId{}, ObjectId{1, 3, 1}, ObjectId{1, 3}, ObjectId{1, 4, 1, 1}}) {
    const std::span<const ObjectId> all(two_columns);
    ColumnWalk columns(all.first(1), 1000);
    columns.begin();
    const SnmpVariable answer[] = {{.name = uptime_id, .number = 1}, {.name = name, .number = 5}};
    EXPECT_FALSE(columns.take(answer, [](auto&&...) { FAIL(); }));
  }
}

TEST(ColumnWalk, EndsWhereNothingCame) {
  ColumnWalk columns(two_columns, 1000);
  columns.begin();
  EXPECT_FALSE(columns.take({}, [](auto&&...) { FAIL(); }));
  columns.begin();
  const SnmpVariable answer[] = {{.name = uptime_id, .number = 1}};
  EXPECT_FALSE(columns.take(answer, [](auto&&...) { FAIL(); }));
}

TEST(ColumnWalk, EndsWithTooManyValues) {
  ColumnWalk columns(two_columns, 99);
  EXPECT_EQ(walk(large(), columns).values.size(), 120U);  // two answers of 60
  EXPECT_EQ(columns.questions(), 0U);
}

TEST(ColumnWalk, UptimeIsThatOfTheRound) {
  EXPECT_EQ(walk({.uptime = std::nullopt}).uptime, std::nullopt);
  ColumnWalk columns(two_columns, 1000);
  columns.begin();
  const SnmpVariable other[] = {{.name = two_columns[0], .number = 5}};
  columns.take(other, [](auto&&...) { FAIL(); });
  EXPECT_EQ(columns.uptime(), std::nullopt);
  walk({}, columns);
  EXPECT_EQ(columns.uptime(), 77U);
  columns.begin();
  EXPECT_EQ(columns.uptime(), std::nullopt);
}

}  // namespace
}  // namespace weir
