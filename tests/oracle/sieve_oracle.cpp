// Runs the cases of the RFC 5228 base and random scripts through our engine and libsieve. Where
// they differ, either the RFC is on our side and the case is named in libsieve_defects.tsv, or this
// fails. usage: sieve_oracle CASES DEFECTS
#include <fmt/format.h>

#include <fstream>
#include <map>
#include <random>

#include "lib/base/text.h"
#include "sieve/sieve.h"
#include "tests/oracle/base_script.h"
#include "tests/oracle/libsieve.h"
#include "tests/unit/sieve/case_file.h"
#include "tests/unit/sieve/fake_host.h"

namespace postern::sieve {
namespace {

constexpr int kRandomScripts = 400;

std::string with_crlf(std::string_view text) {
  std::string out;
  for (const char c : text) out.append(c == '\n' ? "\r" : "").push_back(c);
  return out;
}

void add(const Action& action, Decision& out) {
  if (std::holds_alternative<Keep>(action)) out.insert("keep");
  if (std::holds_alternative<Discard>(action)) out.insert("discard");
  if (std::holds_alternative<Reject>(action)) out.insert("reject");
  if (const auto* a = std::get_if<FileInto>(&action)) out.insert("fileinto " + a->target.mailbox);
  if (const auto* a = std::get_if<Redirect>(&action)) out.insert("redirect " + a->address);
}

std::string show(const Decision& decision) {
  std::string out;
  for (const auto& one : decision) out.append(out.empty() ? "" : ", ").append(one);
  return out;
}

// Nothing when both agree, else what each says.
std::string compare(const std::string& text, const std::string& message, const std::string& from,
                    const std::string& to) {
  Diagnostics diagnostics;
  const auto script = compile(text, {}, diagnostics);
  const auto theirs = run_libsieve(text, message, from, to);
  if (theirs.end == LibsieveResult::End::died) return "libsieve died";
  const bool refused = theirs.end == LibsieveResult::End::refused;
  if (!script) return refused ? "" : "only libsieve accepts it";
  FakeHost host;
  EnvelopeView envelope;
  envelope.from = from;
  envelope.to = to;
  const auto outcome = run(*script, {message, envelope}, host, {});
  if (refused) return outcome.error ? "" : "only libsieve refuses it";
  Decision ours;
  for (const auto& step : outcome.actions) add(step.action, ours);
  if (ours == theirs.decision) return {};
  return fmt::format("ours: {}; libsieve: {}", show(ours), show(theirs.decision));
}

std::map<std::string, std::string> read_defects(const char* path) {
  std::map<std::string, std::string> out;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    const auto tab = line.find('\t');
    if (!line.empty() && line.front() != '#' && tab != std::string::npos)
      out.emplace(line.substr(0, tab), line.substr(tab + 1));
  }
  return out;
}

int compare_cases(const char* path, std::map<std::string, std::string> defects) {
  int wrong = 0;
  int same = 0;
  for (auto& c : read_cases(path)) {
    const bool null_sender = c.sections["host"].find("from: <>") != std::string::npos;
    const auto difference = compare(c.sections["script"], with_crlf(c.sections["message"]),
                                    null_sender ? "" : "sender@example.org", "anna@example.com");
    const auto defect = defects.find(c.name);
    if (difference.empty()) {
      ++same;
    } else if (defect == defects.end()) {
      fmt::print("{}:{}: {}: {}\n", c.file, c.line, c.name, difference);
      ++wrong;
    }
    if (defect != defects.end()) defects.erase(defect);
  }
  for (const auto& [name, reason] : defects) fmt::print("no such case: {}\n", name);
  fmt::print("{} cases alike, {} unexplained\n", same, wrong);
  return wrong + static_cast<int>(defects.size());
}

int compare_random(const std::string& message) {
  int wrong = 0;
  for (unsigned seed = 0; seed < kRandomScripts; ++seed) {
    std::mt19937 random(seed);
    const auto script =
        random_base_script([&](std::size_t below) -> std::size_t { return random() % below; });
    const auto difference = compare(script, message, "sender@example.org", "anna@example.com");
    if (difference.empty()) continue;
    fmt::print("random script {}: {}\n{}\n", seed, difference, script);
    ++wrong;
  }
  fmt::print("{} random scripts, {} differences\n", kRandomScripts, wrong);
  return wrong;
}

}  // namespace
}  // namespace postern::sieve

int main(int argc, char** argv) {
  using namespace postern::sieve;
  if (argc != 3) return 2;
  auto cases = read_cases(argv[1]);
  const auto message = with_crlf(cases.at(0).sections["message"]);
  const int wrong = compare_cases(argv[1], read_defects(argv[2])) + compare_random(message);
  return wrong == 0 ? 0 : 1;
}
