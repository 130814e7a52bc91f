// Test cases as data: tests/unit/sieve/cases/*.cases; the README there describes the form.
#pragma once

#include <map>
#include <ostream>
#include <string>
#include <vector>

namespace postern::sieve {

struct Case {
  std::string file;
  std::string name;
  int line = 0;
  std::map<std::string, std::string> sections;  // "script", "message", "host", "expect" …
};

/// How GoogleTest names a failing case.
inline void PrintTo(const Case& c, std::ostream* out) {
  *out << c.file << ":" << c.line << ": " << c.name;
}

/// All cases of one file; sections before the first case are defaults of its cases.
std::vector<Case> read_cases(const std::string& path);

}  // namespace postern::sieve
