// Runs every case of tests/unit/sieve/cases and compares what the script decided.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "lib/base/text.h"
#include "sieve/sieve.h"
#include "tests/unit/sieve/case_file.h"
#include "tests/unit/sieve/describe.h"
#include "tests/unit/sieve/fake_host.h"

namespace postern::sieve {
namespace {

std::vector<Case> all_cases() {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(SIEVE_CASES))
    if (entry.path().extension() == ".cases") paths.push_back(entry.path());
  std::ranges::sort(paths);
  std::vector<Case> cases;
  for (const auto& path : paths)
    for (auto& one : read_cases(path)) cases.push_back(std::move(one));
  return cases;
}

std::string with_crlf(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

// "name: value" lines about the envelope, the limits, or the world.
void set_up(const std::string& lines, EnvelopeView& envelope, Environment& environment,
            FakeHost& host) {
  for (const auto line : split(lines, '\n')) {
    const auto colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    const auto name = line.substr(0, colon);
    const std::string value(line.substr(colon + 2));
    if (name == "from") {
      envelope.from = value == "<>" ? "" : value;
    } else if (name == "to") {
      envelope.to = value;
    } else if (name == "auth") {
      envelope.auth = value;
    } else if (name == "notify") {
      envelope.notify = value;
    } else if (name == "orcpt") {
      envelope.orcpt = value;
    } else if (name == "ret") {
      envelope.ret = value;
    } else if (name == "envid") {
      envelope.envid = value;
    } else if (name == "by") {
      envelope.by_time = std::stoll(value);
      envelope.by_mode = value.substr(value.size() - 1);
    } else if (name == "steps") {
      environment.limits.steps = std::stoull(value);
    } else if (name == "disabled") {
      environment.disabled.add(find_capability(value).value());
    } else {
      EXPECT_TRUE(host.set(name, value)) << "unknown host line: " << line;
    }
  }
}

class CaseTest : public testing::TestWithParam<Case> {};

TEST_P(CaseTest, DoesWhatItExpects) {
  Case c = GetParam();
  SCOPED_TRACE(c.file + ":" + std::to_string(c.line) + ": " + c.name);
  FakeHost host;
  EnvelopeView envelope;
  envelope.from = "sender@example.org";
  envelope.to = "anna@example.com";
  Environment environment;
  set_up(c.sections["host"], envelope, environment, host);
  for (const auto& [name, text] : c.sections)
    if (name.starts_with("include ")) host.scripts[name.substr(8)] = text;
  const std::string message = with_crlf(c.sections["message"]);

  Diagnostics diagnostics;
  const auto script = compile(c.sections["script"], environment, diagnostics);
  if (!script || c.sections.contains("diagnostics")) {
    EXPECT_EQ(describe(diagnostics), c.sections["diagnostics"]);
    if (!script) return;
  }
  if (!c.sections.contains("expect")) return;
  const Outcome outcome = run(*script, MessageView{message, envelope}, host, environment.limits);
  EXPECT_EQ(describe(outcome), c.sections["expect"]);
  if (c.sections.contains("notes")) {
    std::string notes;
    for (const auto& note : outcome.notes) notes += note + "\n";
    EXPECT_EQ(notes, c.sections["notes"]);
  }
  if (c.sections.contains("result")) {
    ASSERT_GT(outcome.versions.size(), 1U);
    EXPECT_EQ(outcome.versions.back(), with_crlf(c.sections["result"]));
  }
}

std::string case_name(const testing::TestParamInfo<Case>& info) {
  std::string name = info.param.file + "_" + std::to_string(info.param.line);
  for (char& c : name)
    if (!ascii_alpha(c) && !ascii_digit(c)) c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Sieve, CaseTest, testing::ValuesIn(all_cases()), case_name);

TEST(SieveCases, AreThere) { EXPECT_GT(all_cases().size(), 100U); }

}  // namespace
}  // namespace postern::sieve
