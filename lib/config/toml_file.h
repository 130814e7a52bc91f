// A TOML file as a flat list of dotted names with their lines. Only toml_file.cpp sees toml++.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace postern::config {

struct TomlValue {
  std::string name;                // "service.imap.listen"
  std::string scalar;              // as text: "true", "64", "30min"
  std::vector<std::string> items;  // of a list
  bool is_list = false;
  unsigned line = 0;
};

struct TomlFile {
  std::string path;
  std::vector<TomlValue> values;
};

/// @error bad_syntax  "path:line: …"
Result<TomlFile> read_toml(std::string_view text, std::string_view path);

}  // namespace postern::config
