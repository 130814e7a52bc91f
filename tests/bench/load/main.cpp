// bench_load CASE --host H --port P …: one load generator a case; prints one JSON line.
#include <array>

#include "tests/bench/load/load.h"

namespace {

using namespace postern::bench;

constexpr std::array kCases{
    Case{"appends", run_appends},
    Case{"changes", run_changes},
    Case{"crowd", run_crowd},
    Case{"fetch", run_fetch},
    Case{"fill", run_fill},
    Case{"idle", run_idle},
    Case{"list", run_list},
    Case{"lmtp", run_lmtp},
    Case{"loris", run_loris},
    Case{"pop3", run_pop3},
    Case{"select", run_select},
    Case{"sessions", run_sessions},
    Case{"singles", run_singles},
    Case{"stores", run_single_stores},
    Case{"tls_reference", run_tls_reference},
};

}  // namespace

int main(int argc, char** argv) {
  raise_descriptor_limit();
  for (const auto& item : kCases) {
    if (argc < 2 || item.name != argv[1]) continue;
    item.run(Options{argc - 2, argv + 2});
    return 0;
  }
  die("usage: bench_load CASE --option value …  (cases: see tests/bench/load/main.cpp)");
}
