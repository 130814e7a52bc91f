// What a Sieve script costs on a folder of messages held in memory: compiling it, and running it on
// each, also after other work has had the processor's caches (the difference of the last two
// lines). With tests/bench/cases.py's script: python3 -c 'import cases; print(cases.rules(200))'.
//
// usage: bench_sieve SCRIPT FOLDER [ROUNDS]
#include "sieve/sieve.h"

#include "tests/microbench/measure.h"

using namespace postern;
using bench::measure;

namespace {

class Host : public sieve::Host {
 public:
  std::int64_t now() override { return 1'700'000'000; }
};

std::string read(const char* path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: bench_sieve SCRIPT FOLDER [ROUNDS]\n");
    return 64;
  }
  const std::string text = read(argv[1]);
  const bench::Messages messages = bench::load(argv[2]);
  const int rounds = argc > 3 ? std::stoi(argv[3]) : 5;
  sieve::Diagnostics diagnostics;
  const auto script = sieve::compile(text, {}, diagnostics);
  if (!script) {
    for (const auto& one : diagnostics)
      fmt::print(stderr, "{}:{}: {}\n", argv[1], one.at.line, one.text);
    return 65;
  }
  measure("compile", {text}, rounds, [](const auto& t) {
    sieve::Diagnostics ignored;
    return sieve::compile(t, {}, ignored)->code.size();
  });
  Host host;
  sieve::EnvelopeView envelope;
  envelope.from = "sender@example.org";
  envelope.to = "user@example.com";
  measure("run", messages, rounds, [&](const auto& m) {
    return sieve::run(*script, {m, envelope}, host, script->environment.limits).actions.size();
  });
  std::vector<char> other(4U << 20);
  const auto other_work = [&] {
    for (std::size_t at = 0; at < other.size(); at += 64) ++other[at];
    return std::size_t{1};
  };
  measure("other work", messages, rounds, [&](const auto&) { return other_work(); });
  measure("other work + run", messages, rounds, [&](const auto& m) {
    return other_work() +
           sieve::run(*script, {m, envelope}, host, script->environment.limits).actions.size();
  });
  return 0;
}
