// Reads "=== name" cases with "--- section" parts.
#include "tests/unit/sieve/case_file.h"

#include <fstream>

namespace postern::sieve {

std::vector<Case> read_cases(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<Case> cases;
  std::map<std::string, std::string> defaults;
  std::string section;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (line.starts_with("=== ")) {
      cases.push_back({path.substr(path.rfind('/') + 1), line.substr(4), number, defaults});
      section.clear();
    } else if (line.starts_with("--- ")) {
      section = line.substr(4);
      (cases.empty() ? defaults : cases.back().sections)[section] = "";
    } else if (!section.empty()) {
      (cases.empty() ? defaults : cases.back().sections)[section] += line + "\n";
    }
  }
  // An empty line before the next "===" is for the reader's eye.
  for (auto& one : cases)
    for (auto& [name, text] : one.sections)
      while (text.ends_with("\n\n")) text.pop_back();
  return cases;
}

}  // namespace postern::sieve
